import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killedChanges, provisioned } from './kill-operations.ts';
import {
  changingCalls,
  directions,
  factsOf,
  isChange,
  killPoints,
  lookingCalls,
  sampleOf,
  type Direction,
  type KillPoint,
} from './kill-points.ts';
import { Killer } from './kill-round.ts';
import type { Target } from './kill-scene.ts';
import { KillTenants, limitMs } from './kill-tenants.ts';
import { stopServing } from './moved-accounts.ts';
import { expectLikeBefore, expectNothingOf, inventoryOf, shapeOf, type Inventory } from './process-inventory.ts';
import { startProcessWorld, type ProcessWorld, type Tenant } from './process-world.ts';
import { operationRecords, untilTold, untilUntold, type OperationRecord } from './kill-records.ts';
import { recordResult } from './results.ts';
import { expectAnswering } from './tenant-address.ts';
import { explained } from './tenant-report.ts';

/**
 * All workers are killed at every boundary of every changing AWS call of every operation, and of a move's steps that only look; their
 * successors are started at once. One kill serves several tenants, each of which stands at a boundary of its own. `CHAOS_SHORT=1` takes a
 * sample, which `CHAOS_SEED` repeats; `CHAOS_ONLY` names the only directions, and
 * `CHAOS_POINTS` words of which each point has one.
 */
const isShort = process.env.CHAOS_SHORT === '1';
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Points of each direction in the sample. */
const perSample = (direction: Direction) => (isChange(direction) ? 2 : 4);
const only = process.env.CHAOS_ONLY?.split(',');
const chosenDirections = directions.filter((direction) => only?.includes(direction) ?? isSampled(direction));
const words = process.env.CHAOS_POINTS?.split(',');
/** A round takes a minute, two where others use the machine; of the points of one direction there are up to twenty. */
const allRoundsMs = isShort ? 900_000 : 3_600_000;
let world: ProcessWorld;
let killer: Killer;
let tenants: KillTenants;
let before: Inventory;
/** What a tenant has after each operation. */
const calmShapes = new Map<Direction, string[]>();
const ends = ['succeeded', 'rolled-back', 'holding', 'stuck'];

beforeAll(async () => {
  world = await startProcessWorld();
  tenants = new KillTenants(world);
  killer = new Killer(world, (point) => tenants.add(point));
  await killer.startWorkers();
  await Promise.all(killer.workers.map((worker) => worker.untilReady()));
  before = await inventoryOf(world);
  const calm = await Promise.all(chosenDirections.map((direction) => watchCalm(direction)));
  const now = await inventoryOf(world);
  for (const { direction, tenant } of calm)
    if (factsOf(direction).sort !== 'deprovision') calmShapes.set(direction, shapeOf(before, now, tenant));
  const points = calm.flatMap(({ direction, tenant }) => pointsOf(direction, tenant));
  // Calls that come at about the same time share a round: one SIGKILL finds all of them at their boundaries.
  const taken = (isShort ? sampleOf(points, perSample, seed) : points)
    .filter(({ id }) => words?.some((word) => id.includes(word)) ?? true)
    .sort((a, b) => a.call.offsetMs - b.call.offsetMs);
  for (const point of taken) tenants.add(point);
});
afterAll(async () => {
  await stopServing();
  await world.stop();
});

/** The sample has two of the changes, by the seed, and the move; of accounts nothing else. */
function isSampled(direction: Direction): boolean {
  if (!isShort || direction === 'move') return true;
  const ofTenants = directions.filter((one) => factsOf(one).subject === 'moamalat');
  if (!isChange(direction)) return ofTenants.includes(direction);
  const changes = ofTenants.filter(isChange);
  const nth = changes.indexOf(direction);
  return nth >= 0 && (nth - (seed % changes.length)) % Math.ceil(changes.length / 2) === 0;
}

/** One tenant's operation that nothing disturbs. */
async function watchCalm(direction: Direction): Promise<{ direction: Direction; tenant: Tenant }> {
  const { sort, subject } = factsOf(direction);
  const made = await world.create(`calm-${directions.indexOf(direction)}`, 'hold', subject);
  await world.until(made, ['succeeded', 'holding'], limitMs);
  if (sort === 'provision') {
    tenants.keep(direction, made);
    return { direction, tenant: made };
  }
  await tenants.prepare(direction, made);
  const tenant = await tenants.ask(direction, made);
  await world.until(tenant, ends, limitMs);
  if (isChange(direction)) {
    await killedChanges[direction].expectAnswer(world, tenant);
    tenants.keep(direction, tenant);
  }
  return { direction, tenant };
}

function pointsOf(direction: Direction, { operationId }: Tenant): KillPoint[] {
  const log = world.gateway.calls();
  const changes = changingCalls(direction, operationId, log);
  if (changes.length === 0) throw new Error(`a calm ${direction} changes nothing`);
  // Steps of a move wait, or note where something is: to change nothing is all that they do.
  const looks = factsOf(direction).subject === 'accounts public' ? lookingCalls(direction, operationId, log) : [];
  return killPoints([...changes, ...looks]);
}

describe('a worker that is killed', () => {
  it(
    `loses no tenant, at whichever boundary of a call (CHAOS_SEED=${seed})`,
    async () => {
      const total = tenants.left;
      for (let round = 0; tenants.left > 0; round += 1) await playRound(round);
      expect(killer.progress.length + killer.vain.length).toBe(total);
      await retire(tenants.takeAll());
      await expectLikeBefore(world, before);
    },
    allRoundsMs,
  );

  it.skipIf(!chosenDirections.includes('provision'))(
    'loses no record of an operation that Temporal was not told of',
    async () => {
      freezeWorkers();
      const made = await world.create('untold');
      await killUntold('provision', made, operationRecords.claim, thawWorkers);
      await killUntold('provision', made, operationRecords.activation);
      expect(await world.until(made, ends)).toMatchObject({ status: 'active' });
      expect(shapeOf(before, await inventoryOf(world), made)).toEqual(calmShapes.get('provision'));
      await expectAnswering(world, made);
      const gone = await world.delete(made);
      await killUntold('deprovision', gone, operationRecords.close);
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

  it.skipIf(isShort || !chosenDirections.includes('move'))(
    'loses no record of a move that Temporal was not told of, the commit among them',
    async () => {
      const made = await world.create('untold-move', 'hold', 'accounts public');
      await world.until(made, ends);
      await tenants.prepare('move', made);
      freezeWorkers();
      const moved = await tenants.ask('move', made);
      await killUntold('move', moved, operationRecords.claim, thawWorkers);
      await killUntold('move', moved, operationRecords.commitOfMove);
      await killUntold('move', moved, operationRecords.close);
      expect(await world.until(moved, ends)).toMatchObject({ status: 'active', operation: { state: 'succeeded' } });
      expect(shapeOf(before, await inventoryOf(world), moved)).toEqual(calmShapes.get('move'));
      await killedChanges.move.expectAnswer(world, moved);
      await retire([moved]);
      await expectLikeBefore(world, before);
    },
  );
});

/** Or they would have claimed an operation before its row can be held. */
function freezeWorkers(): void {
  for (const { child } of killer.workers) child.kill('SIGSTOP');
}

function thawWorkers(): void {
  for (const { child } of killer.workers) child.kill('SIGCONT');
}

/** Kills the worker with the record written and Temporal not told, and waits until a successor has told it. */
async function killUntold(
  operation: Direction,
  tenant: Tenant,
  record: OperationRecord,
  onHeld?: () => void,
): Promise<void> {
  await explained(world, [tenant], () => untilUntold(world, tenant, record, onHeld));
  const { at, sigkill } = await killer.killAll();
  const toldAt = await explained(world, [tenant], () => untilTold(world, tenant, record, at));
  recordResult('kill', {
    boundary: 'untold',
    operation,
    step: record.name,
    call: record.activity,
    progressMs: Math.round(toldAt - at),
    sigkill,
    outcome: 'recorded once',
  });
}

/** Makes some tenants, changes and deprovisions some of the rounds before; each loses its worker at a point of its own. */
async function playRound(round: number): Promise<void> {
  const targets = await tenants.startRound(round);
  const kills = await killer.strike(targets);
  await Promise.all(targets.map(({ tenant }) => explained(world, [tenant], () => world.until(tenant, ends, limitMs))));
  const now = await inventoryOf(world);
  for (const target of targets) {
    await explained(world, [target.tenant], async () => {
      const outcome = await outcomeOf(target, now);
      const kill = kills.get(target);
      if (kill) await killer.note(target, kill, outcome);
    });
  }
  await retire(tenants.takeSpare());
}

/** Deprovisions tenants that no kill waits for. */
async function retire(leaving: readonly Tenant[]): Promise<void> {
  const gone = await Promise.all(leaving.map((tenant) => world.delete(tenant)));
  for (const tenant of gone)
    await explained(world, [tenant], async () =>
      expect(await world.until(tenant, ends, limitMs)).toMatchObject({ status: 'deleted' }),
    );
}

/** As if nobody had been killed: made or changed exactly once and answering, or wholly gone. */
async function outcomeOf({ tenant, point }: Target, now: Inventory): Promise<string> {
  const { direction } = point.call;
  const { sort } = factsOf(direction);
  const status = await world.api.status(tenant.tenantId);
  if (sort === 'deprovision') {
    expect(status).toMatchObject({ status: 'deleted', cleanupPending: false, operation: { state: 'succeeded' } });
    expectNothingOf(before, now, tenant);
    return 'wholly gone';
  }
  const { ends: end, expectAnswer, outcome } = isChange(direction) ? killedChanges[direction] : provisioned(direction);
  const { state } = end;
  expect(status).toMatchObject({ status: end.status, cleanupPending: false, operation: { state } });
  expect(shapeOf(before, now, tenant)).toEqual(calmShapes.get(direction));
  await expectAnswer(world, tenant);
  tenants.keep(direction, tenant);
  return outcome;
}
