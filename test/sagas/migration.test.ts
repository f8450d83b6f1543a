import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { listNotRemoved } from '../../src/db/ledger.ts';
import { findTenant } from '../../src/db/tenants.ts';
import type { Kind } from '../../src/kinds/framework/kind.ts';
import { createKindRegistry } from '../../src/kinds/framework/registry.ts';
import { caller } from '../../testing/caller.ts';
import { shapeDifference } from '../../testing/oracle.ts';
import type { Fault } from '../../testing/sagas/faults.ts';
import { expectNothingLeft } from '../../testing/sagas/nothing-left.ts';
import { shapeNow } from '../../testing/sagas/shape.ts';
import { freshSlug, startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { folders, transientSteps } from '../support/folders.ts';
import { part } from '../support/parts.ts';
import { expectForetold, sightOf } from './deed.ts';

/** Per removal of the step `switch`: whose it was, and whether it was past the commit. */
const switched: { readonly slug: string; readonly isPastCommit: boolean | undefined }[] = [];

function noting(kind: Kind): Kind {
  return {
    ...kind,
    remove: (context) => {
      const { stepId, tenant, isPastCommit } = context;
      if (stepId === 'switch') switched.push({ slug: tenant.slug, isPastCommit });
      return kind.remove(context);
    },
  };
}

const own = createCatalog({ products: [folders] });
const catalog = { ...own, kinds: createKindRegistry([...own.kinds.kinds.values()].map(noting)) };

let world: SagaWorld;
beforeAll(async () => {
  world = await startSagaWorld({ catalog, ministackUrl: (await part('ministack')).url });
});
afterAll(() => world.close());

async function active(): Promise<Run> {
  const run = await world.provision('folders', 'rollback', freshSlug(), 'shared');
  expect(await world.outcome(run)).toBe('active');
  return run;
}

function meeting(run: Run, ...faults: readonly Omit<Fault, 'slug'>[]): void {
  world.injection.faults = [...world.injection.faults, ...faults.map((fault) => ({ ...fault, slug: run.slug }))];
}

function calmDown({ slug }: Run): void {
  world.injection.faults = world.injection.faults.filter((fault) => fault.slug !== slug);
}

const move = (run: Run) => world.client.migrateTenant(caller, run.tenantId, { tier: 'own', reason: 'it grew' });
const switchesOf = ({ slug }: Run) => [
  ...new Set(switched.filter((one) => one.slug === slug).map(({ isPastCommit }) => isPastCommit)),
];

async function heldSteps(run: Run): Promise<string[]> {
  return [...new Set((await listNotRemoved(world.database, run.tenantId)).map(({ stepId }) => stepId))].sort();
}

async function expectAsBefore(run: Run, before: readonly string[]): Promise<void> {
  expect(await world.client.status(caller, run.tenantId)).toMatchObject({
    ...{ status: 'active', cleanupPending: false, operation: { type: 'migrate' } },
  });
  expect(await findTenant(world.database, run.tenantId)).toMatchObject({ tier: 'shared', cameFromTier: null });
  expect(await heldSteps(run)).toEqual(['mark', 'rows']);
  expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
  expect(switchesOf(run)).not.toContain(true);
}

async function expectMoved(run: Run): Promise<void> {
  expect(await world.client.status(caller, run.tenantId)).toMatchObject({
    ...{ status: 'active', cleanupPending: false, operation: { type: 'migrate', state: 'succeeded' } },
  });
  expect(await findTenant(world.database, run.tenantId)).toMatchObject({ tier: 'own', cameFromTier: 'shared' });
  expect(await heldSteps(run)).toEqual(['mark', 'table']);
  expect(switchesOf(run)).toEqual([true]);
}

const kindsNow = async (run: Run) => (await shapeNow(world, run)).map((line) => line.split(' ')[0]).sort();

describe.concurrent('a change of tier', () => {
  it('does what its preview said, and every later change goes by where it came from', async () => {
    const atFirst = await world.inventory();
    const run = await active();
    const preview = await world.client.previewMigration(caller, run.tenantId, { tier: 'own' });
    expect(preview).toMatchObject({ operation: 'migrate' });
    const said = preview.steps.map(({ stepId, becomes, transient }) => [stepId, becomes, transient]);
    expect(said).toEqual(
      expect.arrayContaining([
        ...[...transientSteps.map((id) => [id, 'make', true])],
        ...[
          ['table', 'make', false],
          ['mark', 'change', false],
          ['rows', 'drop', false],
          ['validate', 'keep', false],
        ],
      ]),
    );
    expect(preview.steps.filter(({ dropsData }) => dropsData)).toEqual([]);
    const before = await sightOf(world, run);
    await move(run);
    expect(await world.outcome(run)).toBe('active');
    expectForetold(preview, before, await sightOf(world, run), { follows: false });
    await expectMoved(run);

    const { stepsDone, stepsTotal } = await world.client.status(caller, run.tenantId);
    expect([stepsDone.length, stepsTotal]).toEqual([preview.steps.length - 1, preview.steps.length - 1]);
    const events = await world.client.events(caller, run.tenantId, { after: 0, limit: 500 });
    expect(events.filter(({ type }) => type === 'tenant.tier')).toMatchObject([
      { data: { from: 'shared', to: 'own' } },
    ]);
    expect(await world.client.changeTenant(caller, run.tenantId, { settings: {} })).toMatchObject({ done: true });
    const seen = await world.drift.lookAtTenant(caller, run.tenantId, AbortSignal.timeout(60_000));
    expect(seen).toMatchObject({ outcome: 'none', findings: [], unseen: [] });
    await world.client.repairTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    expect(await heldSteps(run)).toEqual(['mark', 'table']);
    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    await expectNothingLeft(world, run, atFirst);
  });

  it('comes to the same when every step is executed twice, and every removal', async () => {
    const [run, control] = await Promise.all([active(), active()]);
    const twice = (['ensure', 'remove'] as const).map((verb) => ({ slug: run.slug, verb }));
    world.injection.twice = [...world.injection.twice, ...twice];
    await Promise.all([move(run), move(control)]);
    expect([await world.outcome(run), await world.outcome(control)]).toEqual(['active', 'active']);
    await Promise.all([expectMoved(run), expectMoved(control)]);
    expect(await kindsNow(run)).toEqual(await kindsNow(control));
  });

  it.each([
    ...['table', 'fence', 'tell', 'switch', 'mark'].map((stepId) => [stepId, 'after'] as const),
    ['switch', 'before'] as const,
  ])('that fails at %s, %s its effect, leaves the tenant as it was', async (stepId, when) => {
    const run = await active();
    const before = await shapeNow(world, run);
    meeting(run, { stepId, verb: 'ensure', when });
    await move(run);
    expect(await world.outcome(run)).toBe('INVALID_REQUEST');
    await expectAsBefore(run, before);
  });

  it('that was taken back may be asked for again, and a deletion after it leaves nothing', async () => {
    const atFirst = await world.inventory();
    const [again, deleted] = await Promise.all([active(), active()]);
    for (const run of [again, deleted]) {
      meeting(run, { stepId: 'mark', verb: 'ensure', when: 'after' });
      await move(run);
      expect(await world.outcome(run)).toBe('INVALID_REQUEST');
      calmDown(run);
    }
    await move(again);
    expect(await world.outcome(again)).toBe('active');
    expect(await heldSteps(again)).toEqual(['mark', 'table']);
    await world.deprovision(deleted);
    expect(await world.outcome(deleted)).toBe('deleted');
    await expectNothingLeft(world, deleted, atFirst);
  });
});

describe.concurrent('a change of tier that gets stuck', () => {
  it.each(['switch', 'fence'])('in its undo at %s is as before after a retry', async (stepId) => {
    const run = await active();
    const before = await shapeNow(world, run);
    meeting(run, { stepId: 'mark', verb: 'ensure', when: 'after' }, { stepId, verb: 'remove', when: 'before' });
    await move(run);
    await world.until(run, 'stuck');
    calmDown(run);
    await world.client.retry(caller, run.tenantId);
    expect(await world.outcome(run)).toBe('INVALID_REQUEST');
    await expectAsBefore(run, before);
  });

  it.each(['switch', 'rows', 'fence'])('past its commit at %s is finished by a retry', async (stepId) => {
    const run = await stuckPastCommit(stepId);
    calmDown(run);
    await world.client.retry(caller, run.tenantId);
    expect(await world.outcome(run)).toBe('active');
    await expectMoved(run);
  });

  it('is finished or taken back by a run that takes over from a lost one', async () => {
    const [past, undone] = await Promise.all([stuckPastCommit('switch'), active()]);
    const before = await shapeNow(world, undone);
    meeting(
      undone,
      { stepId: 'mark', verb: 'ensure', when: 'after' },
      { stepId: 'switch', verb: 'remove', when: 'before' },
    );
    await move(undone);
    await world.until(undone, 'stuck');
    for (const run of [past, undone]) {
      await world.temporal.workflow.getHandle(run.workflowId).terminate();
      calmDown(run);
      await world.client.retry(caller, run.tenantId);
    }
    expect([await world.outcome(past), await world.outcome(undone)]).toEqual(['active', 'INVALID_REQUEST']);
    await Promise.all([expectMoved(past), expectAsBefore(undone, before)]);
  });

  it('past its commit and is abandoned is finished by the next change, data and all', async () => {
    const run = await stuckPastCommit('switch');
    await world.client.abandon(caller, run.tenantId, { reason: 'later' });
    expect(await world.client.status(caller, run.tenantId)).toMatchObject({ status: 'active', cleanupPending: true });
    calmDown(run);
    await world.client.repairTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    expect(await heldSteps(run)).toEqual(['mark', 'table']);
    expect(switchesOf(run)).toEqual([true]);
  });

  it('gives way to a deletion on either side of its commit', async () => {
    const atFirst = await world.inventory();
    const [past, undone] = await Promise.all([stuckPastCommit('switch'), active()]);
    meeting(
      undone,
      { stepId: 'mark', verb: 'ensure', when: 'after' },
      { stepId: 'switch', verb: 'remove', when: 'before' },
    );
    await move(undone);
    await world.until(undone, 'stuck');
    for (const run of [past, undone]) {
      calmDown(run);
      await world.deprovision(run);
    }
    expect([await world.outcome(past), await world.outcome(undone)]).toEqual(['deleted', 'deleted']);
    await Promise.all([past, undone].map((run) => expectNothingLeft(world, run, atFirst)));
    expect(switchesOf(past)).toEqual([true]);
    expect(switchesOf(undone)).toEqual([false]);
  });
});

async function stuckPastCommit(stepId: string): Promise<Run> {
  const run = await active();
  meeting(run, { stepId, verb: 'remove', when: 'before' });
  await move(run);
  expect(await world.until(run, 'stuck')).toMatchObject({ status: 'migrating', cleanupPending: true });
  expect(await findTenant(world.database, run.tenantId)).toMatchObject({ tier: 'own', cameFromTier: 'shared' });
  return run;
}
