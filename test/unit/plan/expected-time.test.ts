import { expect, it } from 'vitest';
import type { Becomes } from '../../../src/contracts/blueprint.ts';
import { expectedTime } from '../../../src/plan/expected-time.ts';
import type { StepPlan } from '../../../src/plan/plan.ts';

const step = (id: string, becomes: Becomes, needs: string[] = []): StepPlan => ({ id, kind: id, becomes, needs });
const took = (ms: Record<string, number>) => (of: StepPlan) => {
  const medianMs = ms[of.id];
  return medianMs === undefined ? undefined : { medianMs, p90Ms: medianMs * 3 };
};

it('is that of the longest chain, side by side where the graph allows', () => {
  const plan = [step('a', 'make'), step('b', 'make'), step('c', 'make', ['a']), step('d', 'make', ['b', 'c'])];
  expect(expectedTime(plan, took({ a: 1, b: 50, c: 10, d: 100 }))).toEqual({ medianMs: 150, p90Ms: 450 });
});

it('counts nothing for what stays, and drops after all else', () => {
  const plan = [
    ...[step('a', 'keep'), step('b', 'change', ['a'])],
    ...[step('y', 'drop', ['x']), step('x', 'drop'), step('z', 'drop')],
  ];
  expect(expectedTime(plan, took({ b: 10, x: 1, y: 2, z: 2 }))?.medianMs).toBe(13);
});

it('is not known when that of one of its steps is not', () => {
  expect(expectedTime([step('a', 'make'), step('b', 'make')], took({ a: 1 }))).toBeUndefined();
  expect(expectedTime([], took({}))).toEqual({ medianMs: 0, p90Ms: 0 });
});
