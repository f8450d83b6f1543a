import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isChange, killedChanges } from './kill-operations.ts';
import { changingCalls, directions, killPoints, sampleOf, type Direction, type KillPoint } from './kill-points.ts';
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
 * All workers are killed at every boundary of every changing AWS call of every operation, their successors are started at
 * once. One kill serves several tenants, each of which stands at a boundary of its own. `CHAOS_SHORT=1` takes a sample,
 * which `CHAOS_SEED` repeats; `CHAOS_ONLY` names the only directions.
 */
const isShort = process.env.CHAOS_SHORT === '1';
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Points of each direction in the sample. */
const perSample = (direction: Direction) => (isChange(direction) ? 2 : 4);
const only = process.env.CHAOS_ONLY?.split(',');
const chosenDirections = directions.filter((direction) => only?.includes(direction) ?? isSampled(direction));
/** Tenants of each sort in a round. */
const perRound = 7;
let world: ProcessWorld;
/** Two, because each keeps to AWS's rates by itself: one would make the tenants of a round wait for each other. */
let workers: WorkerProcess[];
let before: Inventory;
/** What a tenant has after each operation. */
const calmShapes = new Map<Direction, string[]>();
/** Points that no worker was killed at yet. */
const open: Record<Sort, KillPoint[]> = { provision: [], change: [], deprovision: [] };
/** What a round does with its tenants. */
type Sort = 'provision' | 'change' | 'deprovision';
const sortOf = (direction: Direction): Sort => (isChange(direction) ? 'change' : direction);
/** Active tenants that were never changed, and those that were: to be deprovisioned in a later round. */
const unchanged: Tenant[] = [];
const changed: Tenant[] = [];
const ends = ['succeeded', 'rolled-back', 'holding', 'stuck'];
/** Many tenants at once, and each kill takes seconds from all of them. */
const limitMs = 300_000;
/** When (epoch ms). */
const sigkills: number[] = [];
const progress: Progress[] = [];
/** How often a call did not end as its point says, by the point's id. */
const unmeant = new Map<string, number>();

beforeAll(async () => {
  world = await startProcessWorld();
  workers = await startWorkers();
  await Promise.all(workers.map((worker) => worker.untilReady()));
  before = await inventoryOf(world);
  const calm = await Promise.all(chosenDirections.map((direction) => watchCalm(direction)));
  const now = await inventoryOf(world);
  for (const { direction, tenant } of calm)
    if (direction !== 'deprovision') calmShapes.set(direction, shapeOf(before, now, tenant));
  const points = calm.flatMap(({ direction, tenant }) => pointsOf(direction, tenant));
  // Calls that come at about the same time share a round: one SIGKILL finds all of them at their boundaries.
  const taken = (isShort ? sampleOf(points, perSample, seed) : points).sort(
    (a, b) => a.call.offsetMs - b.call.offsetMs,
  );
  for (const point of taken) open[sortOf(point.call.direction)].push(point);
});
afterAll(() => world.stop());

/** The sample has two of the changes, by the seed. */
function isSampled(direction: Direction): boolean {
  const changes = directions.filter(isChange);
  const nth = changes.findIndex((change) => change === direction);
  return !isShort || nth < 0 || (nth - (seed % changes.length)) % Math.ceil(changes.length / 2) === 0;
}

function startWorkers(): Promise<WorkerProcess[]> {
  return Promise.all([world.startWorker(), world.startWorker()]);
}

/** One tenant's operation that nothing disturbs. */
async function watchCalm(direction: Direction): Promise<{ direction: Direction; tenant: Tenant }> {
  const made = await world.create(`calm-${directions.indexOf(direction)}`);
  await world.until(made, ['succeeded', 'holding'], limitMs);
  if (direction === 'provision') {
    unchanged.push(made);
    return { direction, tenant: made };
  }
  if (isChange(direction)) await killedChanges[direction].prepare?.(world, made);
  const tenant = await ask(direction, made);
  await world.until(tenant, ends, limitMs);
  if (isChange(direction)) changed.push(tenant);
  return { direction, tenant };
}

function ask(direction: Exclude<Direction, 'provision'>, tenant: Tenant): Promise<Tenant> {
  return isChange(direction) ? killedChanges[direction].ask(world, tenant) : world.delete(tenant);
}

function pointsOf(direction: Direction, { operationId }: Tenant): KillPoint[] {
  const calls = changingCalls(direction, operationId, world.gateway.calls());
  if (calls.length === 0) throw new Error(`a calm ${direction} changes nothing`);
  return killPoints(calls);
}

describe('a worker that is killed', () => {
  it(`loses no tenant, at whichever boundary of a call (CHAOS_SEED=${seed})`, async () => {
    const left = () => Object.values(open).reduce((sum, points) => sum + points.length, 0);
    const total = left();
    for (let round = 0; left() > 0; round += 1) await playRound(round);
    expect(progress).toHaveLength(total);
    await retire([...unchanged.splice(0), ...changed.splice(0)]);
    await expectLikeBefore(world, before);
  });

  it.skipIf(!chosenDirections.includes('provision'))(
    'loses no record of an operation that Temporal was not told of',
    async () => {
      // Frozen, or it would have claimed the operation before its row can be held.
      for (const { child } of workers) child.kill('SIGSTOP');
      const made = await world.create('untold');
      await killUntold(made, operationRecords.claim, () => {
        for (const { child } of workers) child.kill('SIGCONT');
      });
      await killUntold(made, operationRecords.activation);
      expect(await world.until(made, ends)).toMatchObject({ status: 'active' });
      expect(shapeOf(before, await inventoryOf(world), made)).toEqual(calmShapes.get('provision'));
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
    },
  );
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

/** Makes some tenants, changes and deprovisions some of the rounds before; each loses its worker at a point of its own. */
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
    for (const { point } of missed) open[sortOf(point.call.direction)].push(point);
    left = left.filter((target) => !missed.includes(target));
  }
  await Promise.all(targets.map(({ tenant }) => explained(world, [tenant], () => world.until(tenant, ends, limitMs))));
  const now = await inventoryOf(world);
  for (const target of targets) {
    await explained(world, [target.tenant], async () => {
      const outcome = await outcomeOf(target, now);
      const kill = kills.get(target);
      if (kill) await noteKill(target, kill, outcome);
    });
  }
  // A load balancer has room for some thirty tenants; those that changed are more than points of deprovisioning take.
  await retire(changed.splice(Math.min(perRound, open.deprovision.length)));
}

/** Deprovisions tenants that no kill waits for. */
async function retire(tenants: readonly Tenant[]): Promise<void> {
  const gone = await Promise.all(tenants.map((tenant) => world.delete(tenant)));
  for (const tenant of gone)
    await explained(world, [tenant], async () =>
      expect(await world.until(tenant, ends, limitMs)).toMatchObject({ status: 'deleted' }),
    );
}

/** Those whose call comes late begin first, so that all stand at their points together. */
async function startRound(round: number): Promise<Target[]> {
  const making = open.provision.splice(0, perRound);
  const changing = await withTenants(round, open.change.splice(0, perRound));
  const spare = open.change.length === 0 && changing.length === 0 ? [...changed, ...unchanged] : changed;
  const leave = spare.slice(0, Math.min(perRound, open.deprovision.length));
  const removing = open.deprovision.splice(0, leave.length).map((point, n) => ({ point, tenant: leave[n]! }));
  for (const pool of [changed, unchanged])
    pool.splice(0, pool.length, ...pool.filter((tenant) => !leave.includes(tenant)));
  const points = [...making, ...[...changing, ...removing].map(({ point }) => point)];
  const latestMs = Math.max(...points.map(({ call }) => call.offsetMs));
  const inTime = ({ call }: KillPoint) => sleep(latestMs - call.offsetMs);
  return Promise.all([
    ...making.map(async (point, n) => {
      await inTime(point);
      const slug = `k${round}-${n}`;
      return aim(world, point, slug, () => world.create(slug));
    }),
    ...[...changing, ...removing].map(async ({ point, tenant }) => {
      await inTime(point);
      const { direction } = point.call;
      if (direction === 'provision') throw new Error(`${point.id} makes its tenant`);
      return aim(world, point, tenant.slug, () => ask(direction, tenant));
    }),
  ]);
}

/** Tenants that were never changed, brought to where each operation begins. */
function withTenants(round: number, points: readonly KillPoint[]): Promise<{ point: KillPoint; tenant: Tenant }[]> {
  return Promise.all(
    points.map(async (point, n) => {
      const tenant = unchanged.pop() ?? (await world.create(`c${round}-${n}`));
      await explained(world, [tenant], () => world.until(tenant, ['succeeded'], limitMs));
      const { direction } = point.call;
      if (isChange(direction)) await killedChanges[direction].prepare?.(world, tenant);
      return { point, tenant };
    }),
  );
}

interface Kill {
  readonly at: number;
  readonly apps: readonly string[];
  readonly sigkill: number;
}

async function noteKill(target: Target, kill: Kill, outcome: string): Promise<void> {
  if (!wasStruckAsMeant(target, kill)) return;
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

/** On a busy machine a call may give up before its worker is killed: its point is taken once more. */
function wasStruckAsMeant(target: Target, { at }: Kill): boolean {
  const { point } = target;
  try {
    struckCallOf(world, target, at);
    return true;
  } catch (error) {
    const tries = (unmeant.get(point.id) ?? 0) + 1;
    if (tries > 2) throw error;
    unmeant.set(point.id, tries);
    open[sortOf(point.call.direction)].push(point);
    return false;
  }
}

/** As if nobody had been killed: made or changed exactly once and answering, or wholly gone. */
async function outcomeOf({ tenant, point }: Target, now: Inventory): Promise<string> {
  const { direction } = point.call;
  const status = await world.api.status(tenant.tenantId);
  if (direction === 'deprovision') {
    expect(status).toMatchObject({ status: 'deleted', cleanupPending: false, operation: { state: 'succeeded' } });
    expectNothingOf(before, now, tenant);
    return 'wholly gone';
  }
  const { ends: end, expectAnswer, outcome } = isChange(direction) ? killedChanges[direction] : provisioned;
  const { state } = end;
  expect(status).toMatchObject({ status: end.status, cleanupPending: false, operation: { state } });
  expect(shapeOf(before, now, tenant)).toEqual(calmShapes.get(direction));
  await expectAnswer(world, tenant);
  (isChange(direction) ? changed : unchanged).push(tenant);
  return outcome;
}

const provisioned = {
  ends: { state: 'succeeded', status: 'active' },
  outcome: 'active, made once',
  expectAnswer: expectAnswering,
} as const;
