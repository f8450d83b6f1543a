import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changingCalls, killPoints, sampleOf, shuffled, type Direction, type KillPoint } from './kill-points.ts';
import { progressAfter } from './kill-progress.ts';
import { aim, killAtBoundaries, parkedCallOf, untilParked, type Target } from './kill-scene.ts';
import { expectLikeBefore, expectNothingOf, inventoryOf, shapeOf, type Inventory } from './process-inventory.ts';
import { startProcessWorld, type ProcessWorld, type Tenant } from './process-world.ts';
import { recordResult } from './results.ts';
import { expectAnswering } from './tenant-address.ts';
import { explained } from './tenant-report.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * The only worker is killed at every boundary of every changing AWS call of a provisioning and of a deprovisioning, its
 * successor is started at once. One SIGKILL serves several tenants, each of which stands at a boundary of its own.
 * `CHAOS_SHORT=1` takes a sample, which `CHAOS_SEED` repeats.
 */
const isShort = process.env.CHAOS_SHORT === '1';
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const rounds = isShort ? 2 : 8;
/** Start-to-close of an attempt (10 s) and the pause before the next (2 s). */
const usualMs = 12_000;
/** A busy machine makes single ones slower. */
const toleratedMs = 25_000;

let world: ProcessWorld;
let worker: WorkerProcess;
let before: Inventory;
let calmShape: string[];
const points: Record<Direction, readonly KillPoint[]> = { provision: [], deprovision: [] };
/** Active tenants, to be deprovisioned in a later round. */
const active: Tenant[] = [];
let sigkills = 0;
const killed: { readonly operationMs: number; readonly stepMs: number }[] = [];

beforeAll(async () => {
  world = await startProcessWorld();
  worker = await world.startWorker();
  await worker.untilReady();
  before = await inventoryOf(world);
  const made = await world.create('calm');
  await world.until(made, ['succeeded', 'holding']);
  calmShape = shapeOf(before, await inventoryOf(world), made);
  const gone = await world.delete(made);
  await world.until(gone, ['succeeded', 'stuck']);
  await expectLikeBefore(world, before);
  points.provision = chosen('provision', made);
  points.deprovision = chosen('deprovision', gone);
});
afterAll(() => world.stop());

function chosen(direction: Direction, { operationId }: Tenant): KillPoint[] {
  const all = killPoints(changingCalls(direction, operationId, world.gateway.calls()));
  return isShort ? sampleOf(all, 3, seed) : shuffled(all, seed);
}

describe(`a worker that is killed (CHAOS_SEED=${seed})`, () => {
  it.each(Array.from({ length: rounds + 1 }, (_, n) => n))('loses no tenant, round %i', async (round) => {
    const making = partOf(points.provision, round);
    const removing = partOf(points.deprovision, round - 1);
    const latestMs = Math.max(...[...making, ...removing].map(({ call }) => call.offsetMs));
    const targets = await Promise.all([
      ...making.map(async (point, n) => {
        await sleep(latestMs - point.call.offsetMs);
        const slug = `k${round}-${n}`;
        return aim(world, point, slug, () => world.create(slug));
      }),
      ...removing.map(async (point) => {
        const tenant = active.shift()!;
        await sleep(latestMs - point.call.offsetMs);
        return aim(world, point, tenant.slug, () => world.delete(tenant));
      }),
    ]);
    await explained(
      world,
      targets.map(({ tenant }) => tenant),
      () => playRound(targets),
    );
  });

  it('leaves nothing but what was there before', async () => {
    const gone = await Promise.all(active.splice(0).map((tenant) => world.delete(tenant)));
    for (const tenant of gone)
      expect(await world.until(tenant, ['succeeded', 'stuck'])).toMatchObject({ status: 'deleted' });
    await expectLikeBefore(world, before);
    expect(killed).toHaveLength(points.provision.length + points.deprovision.length);
    const sorted = killed.map(({ operationMs }) => operationMs).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(usualMs);
  });
});

/** The part of all points that this round takes. */
function partOf(all: readonly KillPoint[], round: number): KillPoint[] {
  return all.filter((_, n) => n % rounds === round);
}

async function playRound(targets: readonly Target[]): Promise<void> {
  const kills = new Map<Target, { readonly at: number; readonly app: string; readonly sigkill: number }>();
  for (let left = targets; left.length > 0; left = targets.filter((target) => !kills.has(target))) {
    const there = await untilParked(world, left);
    const { app } = worker;
    const at = await killAtBoundaries(world, worker, there);
    worker = await world.startWorker();
    sigkills += 1;
    for (const target of there) kills.set(target, { at, app, sigkill: sigkills });
  }
  await Promise.all(targets.map(({ tenant }) => world.until(tenant, ['succeeded', 'holding', 'stuck'])));
  const now = await inventoryOf(world);
  for (const [target, kill] of kills) {
    const outcome = await outcomeOf(target, now);
    parkedCallOf(world, target);
    const progress = await progressAfter(world, target, kill);
    killed.push(progress);
    const { boundary, call } = target.point;
    recordResult('kill', {
      boundary,
      operation: call.direction,
      step: call.stepId,
      verb: call.verb,
      call: `${call.service}:${call.action}`,
      progressMs: progress.operationMs,
      stepProgressMs: progress.stepMs,
      sigkill: kill.sigkill,
      outcome,
    });
    expect(progress.operationMs).toBeLessThan(toleratedMs);
  }
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
