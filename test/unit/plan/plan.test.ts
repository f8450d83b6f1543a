import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FINALIZE_STEP, type PlannedStep } from '../../../src/contracts/blueprint.ts';
import { ancestorsOf, downwardEdges, inOrder, upwardEdges } from '../../../src/plan/graph.ts';
import { planTo, type PlanInput, type StepPlan } from '../../../src/plan/plan.ts';

const SIZE = 8;
const id = (n: number) => (n === SIZE ? FINALIZE_STEP : `s${n}`);

/** A blueprint's steps: some of the ids, in an order of its own, with needs of earlier ones and `removeAfter` of later ones. */
const blueprints: fc.Arbitrary<PlannedStep[]> = fc
  .tuple(
    fc.uniqueArray(fc.nat(99), { minLength: SIZE, maxLength: SIZE }),
    fc.array(
      fc.record({
        isIn: fc.boolean(),
        needs: fc.array(fc.nat(SIZE), { maxLength: 3 }),
        after: fc.array(fc.nat(SIZE - 1), { maxLength: 2 }),
      }),
      { minLength: SIZE + 1, maxLength: SIZE + 1 },
    ),
  )
  .map(([ranks, drawn]) => {
    const isIn = (n: number) => drawn[n]?.isIn === true;
    const rank = (n: number) => ranks[n] ?? Infinity;
    return drawn.flatMap(({ needs, after }, n) => {
      if (!isIn(n)) return [];
      const below = [...new Set(needs.filter((m) => rank(m) < rank(n) && isIn(m)))].map(id);
      const later = n === SIZE ? [] : [...new Set(after.filter((m) => rank(m) > rank(n) && isIn(m)))].map(id);
      return [{ id: id(n), kind: 'log-group', needs: below, ...(later.length > 0 && { removeAfter: later }) }];
    });
  });

/** Any ledger over an older blueprint and the target: rows of both, some ready; and a row that no blueprint names. */
const inputs: fc.Arbitrary<PlanInput> = fc
  .tuple(blueprints, blueprints, fc.array(fc.constantFrom('none', 'begun', 'ready'), { minLength: 10, maxLength: 10 }))
  .map(([known, target, rows]) => {
    const ids = new Set([...known, ...target].map((step) => step.id)).add('unnamed');
    const held = [...ids].flatMap((stepId, n) =>
      rows[n] === 'none' ? [] : [[stepId, { kind: 'log-group', isReady: rows[n] === 'ready' }] as const],
    );
    return { known, target, held: new Map(held) };
  });

const idsOf = (plan: readonly StepPlan[], ...becomes: StepPlan['becomes'][]) =>
  plan.filter((step) => becomes.includes(step.becomes)).map((step) => step.id);

function check(holds: (input: PlanInput, plan: StepPlan[]) => void): void {
  fc.assert(
    fc.property(inputs, (input) => holds(input, planTo(input))),
    { numRuns: 300 },
  );
}

describe('a plan', () => {
  it('makes what the target holds and is not ready, keeps what is, and drops whatever else the ledger holds', () => {
    check(({ target, held }, plan) => {
      const ready = (stepId: string) => held.get(stepId)?.isReady === true;
      const wanted = target.map((step) => step.id);
      expect(idsOf(plan, 'make').toSorted()).toEqual(wanted.filter((stepId) => !ready(stepId)).toSorted());
      expect(idsOf(plan, 'keep').toSorted()).toEqual(wanted.filter(ready).toSorted());
      const others = [...held.keys()].filter((stepId) => !wanted.includes(stepId) && stepId !== FINALIZE_STEP);
      expect(idsOf(plan, 'drop').toSorted()).toEqual(others.toSorted());
    });
  });

  it('makes what is ready beside what is applied: an operation that did not succeed made it', () => {
    const ready = { kind: 'log-group', isReady: true };
    const [first, notice] = ['applied', 'notice'].map((stepId) => ({ id: stepId, kind: 'log-group', needs: [] }));
    const input: PlanInput = {
      ...{ target: [first!, notice!], known: [], applied: new Set(['applied']) },
      held: new Map([
        ['applied', ready],
        ['notice', ready],
      ]),
    };
    expect(idsOf(planTo(input), 'make')).toEqual(['notice']);
    expect(idsOf(planTo({ ...input, isFinished: true }), 'keep')).toEqual(['applied', 'notice']);
  });

  it('that restores what it does not change does so however it was left', () => {
    const step = (id: string): PlannedStep => ({ id, kind: 'log-group', needs: [] });
    const plan = planTo({
      target: ['ready', 'broken-off', 'changed', 'new', FINALIZE_STEP].map(step),
      known: [],
      held: new Map(
        ['ready', 'broken-off', 'changed', FINALIZE_STEP].map((id) => [
          id,
          { kind: 'log-group', isReady: id !== 'broken-off' },
        ]),
      ),
      applied: new Set(['ready', 'broken-off', 'changed', FINALIZE_STEP]),
      changed: new Set(['changed']),
      restoresKept: true,
    });
    expect(Object.fromEntries(plan.map(({ id, becomes }) => [id, becomes]))).toEqual({
      ...{ ready: 'restore', 'broken-off': 'restore', changed: 'change', new: 'make' },
      [FINALIZE_STEP]: 'keep',
    });
  });

  it('has nothing left to do once it was carried out', () => {
    check(({ known, target }, plan) => {
      const done = new Map(idsOf(plan, 'make', 'keep').map((stepId) => [stepId, { kind: 'log-group', isReady: true }]));
      const after = planTo({ known, target, held: done });
      expect(after.map((step) => step.becomes)).toEqual(after.map(() => 'keep'));
    });
  });

  it('lists each step after those that it needs, and drops each after those that need it, directly or not', () => {
    check(({ known, target }, plan) => {
      const staying = new Set(target.map((step) => step.id));
      const ancestors = ancestorsOf(known.filter((step) => !staying.has(step.id)));
      const drops = idsOf(plan, 'drop');
      for (const lower of drops)
        for (const upper of drops)
          if (ancestors.get(upper)?.has(lower)) expect(drops.indexOf(upper)).toBeLessThan(drops.indexOf(lower));
      const stays = idsOf(plan, 'make', 'keep');
      for (const step of target)
        for (const need of step.needs) expect(stays.indexOf(need)).toBeLessThan(stays.indexOf(step.id));
    });
  });

  it('to nothing drops each step after its removeAfter too, though a step between them is gone already', () => {
    check(({ known, held }) => {
      const plan = planTo({ target: [], known, held });
      const drops = idsOf(plan, 'drop');
      for (const { id: stepId, removeAfter = [] } of known)
        for (const before of removeAfter)
          if (drops.includes(stepId) && drops.includes(before))
            expect(drops.indexOf(before)).toBeLessThan(drops.indexOf(stepId));
    });
  });

  it('can always be walked: no step waits for one that is not there, and none for each other', () => {
    check((_input, plan) => {
      const drops = plan.filter((step) => step.becomes === 'drop');
      const dropped = new Set(drops.map((step) => step.id));
      for (const { needs, removeAfter = [] } of drops)
        for (const other of [...needs, ...removeAfter]) expect(dropped).toContain(other);
      expect(inOrder(downwardEdges(plan, dropped)).toSorted()).toEqual([...dropped].toSorted());
      expect(() => inOrder(upwardEdges(plan.filter((step) => step.becomes === 'make')))).not.toThrow();
    });
  });

  it('whose definitions are of several blueprints and wait for each other by removeAfter goes by the needs', () => {
    const step = (stepId: string, needs: string[], removeAfter: string[]): PlannedStep => ({
      ...{ id: stepId, kind: 'log-group', needs, removeAfter },
    });
    const known = [step('below', [], []), step('newer', [], ['below']), step('older', ['below'], ['newer'])];
    const held = new Map(known.map((each) => [each.id, { kind: each.kind, isReady: true }]));
    const drops = idsOf(planTo({ target: [], known, held }), 'drop');
    expect(drops.toSorted()).toEqual(['below', 'newer', 'older']);
    expect(drops.indexOf('older')).toBeLessThan(drops.indexOf('below'));
  });
});
