import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StatusView } from '../../src/client/views.ts';
import { FINALIZE_STEP, type Step } from '../../src/contracts/blueprint.ts';
import { listNotRemoved } from '../../src/db/ledger.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import type { InventoryItem } from '../../sandbox/inventory/inventory.ts';
import { blueprintOfProduct } from './blueprints.ts';
import type { Fault } from './faults.ts';
import { expectNothingLeft } from './nothing-left.ts';
import { difference, startSagaWorld, type Run, type SagaWorld } from './saga-world.ts';

/** The four saga properties, over whatever is registered. */
let world: SagaWorld;
beforeAll(async () => {
  world = await startSagaWorld();
});
afterAll(() => world.close());
afterEach(() => Object.assign(world.weather, { faults: [], twice: undefined, struck: [] }));

describe.each(Object.values(defaultCatalog.products))('a saga of $name', (product) => {
  const steps = blueprintOfProduct(product);
  const made = steps.filter((s) => s.id !== FINALIZE_STEP);

  it('succeeds, and deprovisioning leaves nothing but residues', async () => {
    const before = await world.inventory();
    const run = await world.provision(product.name);
    expect(await world.outcome(run)).toBe('active');
    expect(await doneSteps(run)).toEqual(steps.map((s) => s.id).sort());
    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    await expectNothingLeft(world, run, before);
  });

  it('makes the same when every step is executed twice', async () => {
    world.weather.twice = 'ensure';
    const before = await world.inventory();
    const run = await world.provision(product.name);
    expect(await world.outcome(run)).toBe('active');
    const twice = kindsOf(difference(before, await world.inventory()).added);
    world.weather.twice = undefined;
    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    await expectNothingLeft(world, run, before);

    const control = await world.provision(product.name);
    const middle = await world.inventory();
    expect(await world.outcome(control)).toBe('active');
    expect(twice).toEqual(kindsOf(difference(middle, await world.inventory()).added));
    await world.deprovision(control);
    expect(await world.outcome(control)).toBe('deleted');
  });

  describe.each(['before', 'after'] as const)('that fails %s the effect of', (when) => {
    it.each(steps.map((s) => s.id))('%s rolls back to nothing', async (stepId) => {
      world.weather.faults = [{ stepId, verb: 'ensure', when }];
      const before = await world.inventory();
      const run = await world.provision(product.name);
      // The commit's effect is the record itself, so that a failure `after` its kind's work still comes before it.
      expect(await world.outcome(run)).toBe('INVALID_REQUEST');
      expect(world.weather.struck).toContain(stepId);
      expect(await world.client.status(run.tenantId)).toMatchObject({
        status: 'failed',
        cleanupPending: false,
        operation: { state: 'rolled-back' },
        error: { stepId, code: 'INVALID_REQUEST' },
      });
      await expectNothingLeft(world, run, before);
    });
  });

  it.each(['rolled back', 'deprovisioned'])('is %s once and for all when every undo is executed twice', async (how) => {
    world.weather.twice = 'remove';
    if (how === 'rolled back') world.weather.faults = [failingCommit];
    const before = await world.inventory();
    const run = await world.provision(product.name);
    expect(await world.outcome(run)).toBe(how === 'rolled back' ? 'INVALID_REQUEST' : 'active');
    if (how === 'deprovisioned') {
      await world.deprovision(run);
      expect(await world.outcome(run)).toBe('deleted');
    }
    await expectNothingLeft(world, run, before);
  });

  it('counts every step as done once it is deprovisioned', async () => {
    const run = await world.provision(product.name);
    expect(await world.outcome(run)).toBe('active');
    await world.deprovision(run);
    expect(await world.outcome(run)).toBe('deleted');
    const { stepsDone, stepsTotal } = await world.client.status(run.tenantId);
    expect([stepsDone.length, [...stepsDone].sort()]).toEqual([stepsTotal, made.map((s) => s.id).sort()]);
  });

  describe('whose undo keeps failing at', () => {
    it.each(made.map((s) => s.id))('%s ends stuck with exactly what is left, and clean after retry', async (stepId) => {
      world.weather.faults = [failingCommit, { stepId, verb: 'remove', when: 'before' }];
      const before = await world.inventory();
      const run = await world.provision(product.name);
      await expectStuckThenClean(run, { stepId, before, endsAs: 'INVALID_REQUEST' });
    });
  });

  it('whose deprovisioning keeps failing ends stuck with exactly what is left, and clean after retry', async () => {
    const before = await world.inventory();
    const run = await world.provision(product.name);
    expect(await world.outcome(run)).toBe('active');
    world.weather.faults = [{ stepId: made[1]!.id, verb: 'remove', when: 'after' }];
    await world.deprovision(run);
    await expectStuckThenClean(run, { stepId: made[1]!.id, before, endsAs: 'deleted' });
  });

  async function expectStuckThenClean(run: Run, expected: StuckExpectation): Promise<void> {
    const stuck = await world.until(run, 'stuck');
    expect(world.weather.struck).toContain(expected.stepId);
    expect(stuck).toMatchObject({
      cleanupPending: true,
      status: expected.endsAs === 'deleted' ? 'deleting' : 'failed',
    });
    expect(leftSteps(stuck)).toEqual(blockedBy(expected.stepId, made));
    expect(ledgerNames(stuck)).toEqual(
      (await listNotRemoved(world.database, run.tenantId)).map((r) => `${r.type} ${r.name}`).sort(),
    );
    world.weather.faults = [];
    await world.client.retry(run.tenantId);
    expect(await world.outcome(run)).toBe(expected.endsAs);
    await expectNothingLeft(world, run, expected.before);
  }
});

interface StuckExpectation {
  readonly stepId: string;
  readonly before: readonly InventoryItem[];
  readonly endsAs: string;
}

/** Everything else is made by then, so the undo has the most to do. */
const failingCommit: Fault = { stepId: FINALIZE_STEP, verb: 'ensure', when: 'before' };

/** The step whose removal fails, and all that may only be removed after it. */
function blockedBy(stepId: string, steps: readonly Step[]): string[] {
  const blocked = new Set([stepId]);
  for (let grew = true; grew;) {
    const size = blocked.size;
    for (const step of steps) {
      const waitsFor = [
        ...(step.removeAfter ?? []),
        ...steps.filter((s) => s.needs.includes(step.id)).map((s) => s.id),
      ];
      if (waitsFor.some((id) => blocked.has(id))) blocked.add(step.id);
    }
    grew = blocked.size > size;
  }
  return [...blocked].filter((id) => id === stepId || hasResources(steps, id)).sort();
}

/** A slug is a row of its tenant, not a resource: it is named only when the failure is its own. */
function hasResources(steps: readonly Step[], id: string): boolean {
  return steps.find((s) => s.id === id)?.kind !== 'slug-reservation';
}

function leftSteps({ leftovers }: StatusView): string[] {
  return [...new Set((leftovers ?? []).map((l) => l.stepId))].sort();
}

function ledgerNames({ leftovers }: StatusView): string[] {
  const resources = (leftovers ?? []).filter((l) => l.type !== 'slug-reservation');
  return resources.map((l) => `${l.type} ${l.name}`).sort();
}

async function doneSteps({ tenantId }: Run): Promise<string[]> {
  return [...(await world.client.status(tenantId)).stepsDone].sort();
}

function kindsOf(items: readonly InventoryItem[]): string[] {
  return items.map((item) => item.kind).sort();
}
