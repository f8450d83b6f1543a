import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changingCalls, killPoints, sampleOf, type Direction, type KillPoint } from './kill-points.ts';
import { progressAfter, type Progress } from './kill-progress.ts';
import { aim, killAtBoundaries, missedBy, struckCallOf, untilParked, type Target } from './kill-scene.ts';
import { expectLikeBefore, expectNothingOf, inventoryOf, shapeOf, type Inventory } from './process-inventory.ts';
import { startProcessWorld, type ProcessWorld, type Tenant } from './process-world.ts';
import { operationRecords, untilTold, untilUntold, type OperationRecord } from './kill-records.ts';
import { recordResult } from './results.ts';
import { expectAnswering } from './tenant-address.ts';
import { explained } from './tenant-report.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * All workers are killed at every boundary of every changing AWS call of a provisioning and of a deprovisioning, their
 * successors are started at once. One kill serves several tenants, each of which stands at a boundary of its own.
 * `CHAOS_SHORT=1` takes a sample, which `CHAOS_SEED` repeats.
 */
const isShort = process.env.CHAOS_SHORT === '1';
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Tenants of each sort in a round. */
const perRound = 10;
let world: ProcessWorld;
/** Two, because each keeps to AWS's rates by itself: one would make the tenants of a round wait for each other. */
let workers: WorkerProcess[];
let before: Inventory;
let calmShape: string[];
/** Points that no worker was killed at yet. */
const open: Record<Direction, KillPoint[]> = { provision: [], deprovision: [] };
/** Active tenants, to be deprovisioned in a later round. */
const active: Tenant[] = [];
const ends = ['succeeded', 'holding', 'stuck'];
/** When (epoch ms). */
const sigkills: number[] = [];
const progress: Progress[] = [];

beforeAll(async () => {
  world = await startProcessWorld();
  workers = await startWorkers();
  await Promise.all(workers.map((worker) => worker.untilReady()));
  before = await inventoryOf(world);
  const made = await world.create('calm');
  await world.until(made, ['succeeded', 'holding']);
  calmShape = shapeOf(before, await inventoryOf(world), made);
  const gone = await world.delete(made);
  await world.until(gone, ['succeeded', 'stuck']);
  await expectLikeBefore(world, before);
  open.provision = chosen('provision', made);
  open.deprovision = chosen('deprovision', gone);
});
afterAll(() => world.stop());

function startWorkers(): Promise<WorkerProcess[]> {
  return Promise.all([world.startWorker(), world.startWorker()]);
}

function chosen(direction: Direction, { operationId }: Tenant): KillPoint[] {
  const all = killPoints(changingCalls(direction, operationId, world.gateway.calls()));
  // Calls that come at about the same time share a round: one SIGKILL finds all of them at their boundaries.
  return (isShort ? sampleOf(all, 2, seed) : all).sort((a, b) => a.call.offsetMs - b.call.offsetMs);
}

describe('a worker that is killed', () => {
  it(`loses no tenant, at whichever boundary of a call (CHAOS_SEED=${seed})`, async () => {
    const total = open.provision.length + open.deprovision.length;
    for (let round = 0; open.provision.length + open.deprovision.length > 0; round += 1) await playRound(round);
    expect(progress).toHaveLength(total);
    const gone = await Promise.all(active.splice(0).map((tenant) => world.delete(tenant)));
    for (const tenant of gone) expect(await world.until(tenant, ends)).toMatchObject({ status: 'deleted' });
    await expectLikeBefore(world, before);
  });

  it('loses no record of an operation that Temporal was not told of', async () => {
    // Frozen, or it would have claimed the operation before its row can be held.
    for (const { child } of workers) child.kill('SIGSTOP');
    const made = await world.create('untold');
    await killUntold(made, operationRecords.claim, () => {
      for (const { child } of workers) child.kill('SIGCONT');
    });
    await killUntold(made, operationRecords.activation);
    expect(await world.until(made, ends)).toMatchObject({ status: 'active' });
    expect(shapeOf(before, await inventoryOf(world), made)).toEqual(calmShape);
    await expectAnswering(world, made);
    const gone = await world.delete(made);
    await killUntold(gone, operationRecords.close);
    expect(await world.until(gone, ends)).toMatchObject({ status: 'deleted', cleanupPending: false });
    const events = await world.api.events(made.tenantId, { after: 0, limit: 200 });
    const count = (type: string, to: string) => events.filter((e) => e.type === type && e.data['to'] === to).length;
    expect([
      count('tenant.status', 'validating'),
      count('tenant.status', 'active'),
      count('tenant.status', 'deleted'),
    ]).toEqual([1, 1, 1]);
    expect(events.filter(({ type }) => type === 'mail.queued')).toHaveLength(1);
    await expectLikeBefore(world, before);
  });
});

/** Kills the worker with the record written and Temporal not told, and waits until a successor has told it. */
async function killUntold(tenant: Tenant, record: OperationRecord, onHeld?: () => void): Promise<void> {
  await explained(world, [tenant], () => untilUntold(world, tenant, record, onHeld));
  const [at = Date.now()] = await Promise.all(workers.map((worker) => worker.killHard()));
  sigkills.push(at);
  world.wire.letGo();
  workers = await startWorkers();
  const toldAt = await explained(world, [tenant], () => untilTold(world, tenant, record));
  recordResult('kill', {
    boundary: 'untold',
    operation: record.name === 'close' ? 'deprovision' : 'provision',
    step: record.name,
    call: record.activity,
    progressMs: Math.round(toldAt - at),
    sigkill: sigkills.length,
    outcome: 'recorded once',
  });
}

/** Provisions some tenants and deprovisions some of the round before; each loses its worker at a point of its own. */
async function playRound(round: number): Promise<void> {
  const targets = await startRound(round);
  const kills = new Map<Target, Kill>();
  for (let left = targets; left.length > 0;) {
    const tenants = left.map(({ tenant }) => tenant);
    await explained(world, tenants, () => untilParked(world, left));
    const { at, hit } = await explained(world, tenants, () => killAtBoundaries(world, workers, left));
    sigkills.push(at);
    for (const target of hit) kills.set(target, { at, apps: workers.map(({ app }) => app), sigkill: sigkills.length });
    workers = await startWorkers();
    left = left.filter((target) => !hit.includes(target));
    // Their points are taken once more, with another tenant.
    const missed = missedBy(world, left);
    for (const { point } of missed) open[point.call.direction].push(point);
    left = left.filter((target) => !missed.includes(target));
  }
  await Promise.all(targets.map(({ tenant }) => explained(world, [tenant], () => world.until(tenant, ends))));
  const now = await inventoryOf(world);
  for (const target of targets) {
    await explained(world, [target.tenant], async () => {
      const outcome = await outcomeOf(target, now);
      const kill = kills.get(target);
      if (kill) await noteKill(target, kill, outcome);
    });
  }
}

/** Those whose call comes late begin first, so that all stand at their points together. */
async function startRound(round: number): Promise<Target[]> {
  const making = open.provision.splice(0, perRound);
  const leave = active.splice(0, Math.min(perRound, open.deprovision.length));
  const removing = open.deprovision.splice(0, leave.length);
  const latestMs = Math.max(...[...making, ...removing].map(({ call }) => call.offsetMs));
  return Promise.all([
    ...making.map(async (point, n) => {
      await sleep(latestMs - point.call.offsetMs);
      const slug = `k${round}-${n}`;
      return aim(world, point, slug, () => world.create(slug));
    }),
    ...removing.map(async (point, n) => {
      const tenant = leave[n]!;
      await sleep(latestMs - point.call.offsetMs);
      return aim(world, point, tenant.slug, () => world.delete(tenant));
    }),
  ]);
}

interface Kill {
  readonly at: number;
  readonly apps: readonly string[];
  readonly sigkill: number;
}

async function noteKill(target: Target, kill: Kill, outcome: string): Promise<void> {
  struckCallOf(world, target, kill.at);
  const went = await progressAfter(world, target, kill, sigkills);
  progress.push(went);
  const { boundary, call } = target.point;
  recordResult('kill', {
    boundary,
    operation: call.direction,
    step: call.stepId,
    verb: call.verb,
    call: `${call.service}:${call.action}`,
    progressMs: went.operationMs,
    ...(went.stepMs === undefined ? {} : { stepProgressMs: went.stepMs }),
    workersLostBefore: went.workersLostBefore,
    sigkill: kill.sigkill,
    outcome,
  });
}

/** As if nobody had been killed: made exactly once and answering, or wholly gone. */
async function outcomeOf({ tenant, point }: Target, now: Inventory): Promise<string> {
  const status = await world.api.status(tenant.tenantId);
  expect(status.operation.state).toBe('succeeded');
  if (point.call.direction === 'deprovision') {
    expect(status).toMatchObject({ status: 'deleted', cleanupPending: false });
    expectNothingOf(before, now, tenant);
    return 'wholly gone';
  }
  expect(status.status).toBe('active');
  expect(shapeOf(before, now, tenant)).toEqual(calmShape);
  await expectAnswering(world, tenant);
  active.push(tenant);
  return 'active, made once';
}
