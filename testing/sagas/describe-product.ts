import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusView } from '../../src/client/views.ts';
import { FINALIZE_STEP, type Step } from '../../src/contracts/blueprint.ts';
import { listNotRemoved } from '../../src/db/ledger.ts';
import { defaultCatalog, type Catalog } from '../../src/catalog/catalog.ts';
import { tiersOf } from '../../src/products/places.ts';
import type { Product } from '../../src/products/product.ts';
import { describeChange, describeItem, type InventoryItem } from '../../sandbox/inventory/inventory.ts';
import { isOfTenant } from '../../sandbox/inventory/selection.ts';
import { blueprintOfProduct } from './blueprints.ts';
import type { Fault } from './faults.ts';
import { expectNothingLeft } from './nothing-left.ts';
import { difference, freshSlug, startSagaWorld, type Run, type SagaWorld } from './world.ts';
import { caller } from '../caller.ts';
import type { OwnListers } from '../own-listers.ts';

export interface ProductTrial {
  /** Only this tier; every one by default. */
  readonly tier?: string | undefined;
  /** What the product's steps are of; what comes with Tenantry by default. */
  readonly catalog?: Catalog | undefined;
  /** By ledger type: listers of types that the sandbox's inventory does not know. */
  readonly listers?: OwnListers | undefined;
  /** A MiniStack that runs already; absent: started, and stopped at the end. */
  readonly ministackUrl?: (() => Promise<string>) | undefined;
}

/** Declares the tests of the four saga properties of a product. Its tenants live side by side, each with faults of its own. */
export function describeProduct(product: Product, trial: ProductTrial = {}): void {
  const { catalog = defaultCatalog } = trial;
  const tiers = trial.tier === undefined ? tiersOf(product) : [trial.tier];
  let world: SagaWorld;
  let atFirst: readonly InventoryItem[];
  beforeAll(async () => {
    world = await startSagaWorld({ catalog, listers: trial.listers, ministackUrl: await trial.ministackUrl?.() });
    atFirst = await world.inventory();
  });
  afterAll(() => world.close());

  for (const tier of tiers)
    describe.concurrent(tier === null ? `a saga of ${product.name}` : `a saga of ${product.name}, tier ${tier}`, () => {
      const steps = blueprintOfProduct(product, tier, catalog);
      const start = (given: Faults = {}) => provision(world, { product, tier, ...given });
      const made = steps.filter((s) => s.id !== FINALIZE_STEP);

      it('makes the same when every step is executed twice, and deprovisioning leaves nothing but residues', async () => {
        const before = await world.inventory();
        const [run, control] = await Promise.all([start({ twice: 'ensure' }), start()]);
        expect([await world.outcome(run), await world.outcome(control)]).toEqual(['active', 'active']);
        expect(await doneSteps(world, control)).toEqual(steps.map((s) => s.id).sort());
        const { added } = difference(before, await world.inventory());
        expect(kindsOf(added.filter(isOfTenant(run)))).toEqual(kindsOf(added.filter(isOfTenant(control))));
        calmDown(world, run);
        await Promise.all([world.deprovision(run), world.deprovision(control)]);
        expect([await world.outcome(run), await world.outcome(control)]).toEqual(['deleted', 'deleted']);
        await Promise.all([expectNothingLeft(world, run, before), expectNothingLeft(world, control, before)]);
        const { stepsDone, stepsTotal } = await world.client.status(caller, control.tenantId);
        expect([stepsDone.length, [...stepsDone].sort()]).toEqual([stepsTotal, made.map((s) => s.id).sort()]);
      });

      describe('that fails after the effect of', () => {
        it.each(steps.map((s) => s.id))('%s rolls back to nothing', async (stepId) => {
          const before = await world.inventory();
          const run = await start({ faults: [{ stepId, verb: 'ensure', when: 'after' }] });
          // The commit's effect is the record itself, so that a failure `after` its kind's work still comes before it.
          expect(await world.outcome(run)).toBe('INVALID_REQUEST');
          expect(struckSteps(world, run)).toContain(stepId);
          expect(await world.client.status(caller, run.tenantId)).toMatchObject({
            status: 'failed',
            cleanupPending: false,
            operation: { state: 'rolled-back' },
            error: { stepId, code: 'INVALID_REQUEST' },
          });
          await expectNothingLeft(world, run, before);
        });
      });

      it.each(['rolled back', 'deprovisioned'])(
        'is %s once and for all when every undo is executed twice',
        async (how) => {
          const isUndone = how === 'rolled back';
          const before = await world.inventory();
          const run = await start({ twice: 'remove', faults: isUndone ? [failingCommit] : [] });
          expect(await world.outcome(run)).toBe(isUndone ? 'INVALID_REQUEST' : 'active');
          if (!isUndone) {
            await world.deprovision(run);
            expect(await world.outcome(run)).toBe('deleted');
          }
          await expectNothingLeft(world, run, before);
        },
      );

      describe('whose undo keeps failing at', () => {
        it.each(made.map((s) => s.id))(
          '%s ends stuck with exactly what is left, and clean after retry',
          async (stepId) => {
            const before = await world.inventory();
            const run = await start({
              faults: [failingCommit, { stepId, verb: 'remove', when: 'before' }],
            });
            await expectStuckThenClean(run, { stepId, before, endsAs: 'INVALID_REQUEST' });
          },
        );
      });

      it('whose deprovisioning keeps failing ends stuck with exactly what is left, and clean after retry', async () => {
        const before = await world.inventory();
        const stepId = made[1]!.id;
        const run = await start({ faults: [{ stepId, verb: 'remove', when: 'after' }] });
        expect(await world.outcome(run)).toBe('active');
        await world.deprovision(run);
        await expectStuckThenClean(run, { stepId, before, endsAs: 'deleted' });
      });

      async function expectStuckThenClean(run: Run, expected: StuckExpectation): Promise<void> {
        const stuck = await world.until(run, 'stuck');
        expect(struckSteps(world, run)).toContain(expected.stepId);
        expect(stuck).toMatchObject({
          cleanupPending: true,
          status: expected.endsAs === 'deleted' ? 'deleting' : 'failed',
        });
        expect(leftSteps(stuck)).toEqual(blockedBy(expected.stepId, made, catalog));
        expect(ledgerNames(stuck, catalog)).toEqual(
          (await listNotRemoved(world.database, run.tenantId)).map((r) => `${r.type} ${r.name}`).sort(),
        );
        calmDown(world, run);
        await world.client.retry(caller, run.tenantId);
        expect(await world.outcome(run)).toBe(expected.endsAs);
        await expectNothingLeft(world, run, expected.before);
      }
    });

  it('leaves the account as it was, whomsoever a thing would be found by', async () => {
    const { added, removed, changed } = difference(atFirst, await world.inventory());
    expect(added.filter(({ residue }) => residue === undefined).map(describeItem)).toEqual([]);
    expect([removed.map(describeItem), changed.map(describeChange)]).toEqual([[], []]);
  });
}

interface Faults {
  readonly faults?: readonly Fault[];
  /** Every call of the verb is executed twice. */
  readonly twice?: Fault['verb'];
}

/** Starts a tenant that meets these faults, whoever lives beside it. */
async function provision(
  world: SagaWorld,
  { product, tier, faults = [], twice }: Faults & { readonly product: Product; readonly tier: string | null },
): Promise<Run> {
  const slug = freshSlug(product);
  const { injection } = world;
  injection.faults = [...injection.faults, ...faults.map((fault) => ({ ...fault, slug }))];
  if (twice) injection.twice = [...injection.twice, { slug, verb: twice }];
  return world.provision(product.name, 'rollback', slug, tier);
}

function calmDown(world: SagaWorld, { slug }: Run): void {
  const { injection } = world;
  injection.faults = injection.faults.filter((fault) => fault.slug !== slug);
  injection.twice = injection.twice.filter((wanted) => wanted.slug !== slug);
}

function struckSteps({ injection }: SagaWorld, { slug }: Run): string[] {
  return injection.struck.filter((at) => at.slug === slug).map(({ stepId }) => stepId);
}

interface StuckExpectation {
  readonly stepId: string;
  readonly before: readonly InventoryItem[];
  readonly endsAs: string;
}

/** Everything else is made by then, so the undo has the most to do. */
const failingCommit: Fault = { stepId: FINALIZE_STEP, verb: 'ensure', when: 'before' };

/** The step whose removal fails, and all that may only be removed after it. */
function blockedBy(stepId: string, steps: readonly Step[], { kinds }: Catalog): string[] {
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
  // What makes nothing, as a slug that is a row of its tenant, is named only when the failure is its own.
  const hasResources = (id: string) =>
    Object.keys(kinds.kinds.get(steps.find((step) => step.id === id)?.kind ?? '')?.types ?? {}).length > 0;
  return [...blocked].filter((id) => id === stepId || hasResources(id)).sort();
}

function leftSteps({ leftovers }: StatusView): string[] {
  return [...new Set((leftovers ?? []).map((l) => l.stepId))].sort();
}

/** A step that makes nothing is named by its kind. */
function ledgerNames({ leftovers }: StatusView, { kinds }: Catalog): string[] {
  const resources = (leftovers ?? []).filter((l) => !kinds.kinds.has(l.type));
  return resources.map((l) => `${l.type} ${l.name}`).sort();
}

async function doneSteps(world: SagaWorld, { tenantId }: Run): Promise<string[]> {
  return [...(await world.client.status(caller, tenantId)).stepsDone].sort();
}

function kindsOf(items: readonly InventoryItem[]): string[] {
  return items.map((item) => item.kind).sort();
}
