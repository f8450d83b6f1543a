import { describe, expect, it } from 'vitest';
import { FINALIZE_STEP } from '../../../src/contracts/blueprint.ts';
import { downwardEdges, inOrder, type Edges } from '../../../src/plan/graph.ts';
import type { StepPlan } from '../../../src/plan/plan.ts';
import { transientProblems, withoutTransient } from '../../../src/plan/transient-steps.ts';
import { after, allSteps as all, before, onTheWay, transient, walked } from '../../support/move.ts';

const becoming = (steps: readonly StepPlan[], becomes: StepPlan['becomes']) =>
  steps.filter((each) => each.becomes === becomes).map(({ id }) => id);

/** How the steps that go wait for each other. */
function waysOut(steps: readonly StepPlan[]): Edges {
  const going = steps.filter((each) => each.becomes === 'drop' || each.transient === true).map(({ id }) => id);
  return downwardEdges(steps, new Set(going));
}

function expectInOrder(edges: Edges, ...ids: readonly string[]): void {
  const order = inOrder(edges);
  expect(ids.map((id) => order.indexOf(id))).toEqual(ids.map((id) => order.indexOf(id)).toSorted((a, b) => a - b));
  expect(order).toEqual(expect.arrayContaining([...ids]));
}

describe('the plan of a move', () => {
  it('makes transient steps on the way, and drops what the target does not hold', () => {
    const { steps } = walked({ held: ['mark', 'meta', 'rows'] });
    expect(becoming(steps, 'make')).toEqual(expect.arrayContaining(['table', ...transient]));
    expect(becoming(steps, 'change')).toEqual(['mark']);
    expect(becoming(steps, 'drop')).toEqual(['rows']);
    expectInOrder(waysOut(steps), 'check', 'switch', 'rows', 'fence');
    expectInOrder(waysOut(steps), 'switch', 'tell', 'fence');
  });

  it('makes a transient step anew that an abandoned move left', () => {
    const { steps } = walked({ held: ['mark', 'meta', 'rows', 'fence'] });
    expect(becoming(steps, 'make')).toContain('fence');
  });

  it.each([[all], [all.filter((id) => id !== 'switch' && id !== 'check')], [['mark', 'meta', 'table', 'fence']]])(
    'drops, finished by a run that takes over, all of them that are left (%j)',
    (held) => {
      const { steps, restore } = walked({ held, direction: 'finish' });
      const left = [...transient, 'rows'].filter((id) => held.includes(id));
      expect(becoming(steps, 'drop').toSorted()).toEqual(left.toSorted());
      expect(becoming(steps, 'make')).toEqual(held.includes('table') ? [] : ['table']);
      expect(restore).toEqual([]);
      expectInOrder(waysOut(steps), ...['check', 'switch', 'rows', 'fence'].filter((id) => left.includes(id)));
    },
  );

  it('drops, on the way back, what was made, each after what needs it, also through a step that stays', () => {
    const { steps, restore } = walked({ held: all, direction: 'back' });
    expect(becoming(steps, 'drop').toSorted()).toEqual(['table', ...transient].toSorted());
    expect(restore.map(({ id }) => id)).toEqual(['mark']);
    expectInOrder(waysOut(steps), 'check', 'switch', 'tell', 'fence', 'table');
    expect(waysOut(steps).get('switch')).toContain('check');
  });

  it('to nothing still lets data go after the switch and before the fence', () => {
    const { steps } = walked({ held: all, type: 'deprovision', applied: [] });
    expect(becoming(steps, 'drop').toSorted()).toEqual(all.toSorted());
    expectInOrder(waysOut(steps), 'switch', 'rows', 'fence', 'table');
  });

  it('to nothing goes by the order of what is there, when the move was taken back', () => {
    const { steps } = walked({ held: ['mark', 'meta', 'rows'], type: 'deprovision', applied: [] });
    expectInOrder(waysOut(steps), 'rows', 'meta', 'mark');
    expect(becoming(steps, 'drop')).toHaveLength(3);
  });
});

describe('what stays of a blueprint', () => {
  it('has no transient step, and waits for what those waited for', () => {
    const stays = withoutTransient(after);
    expect(stays.map(({ id }) => id)).toEqual(['table', 'mark', 'meta', FINALIZE_STEP]);
    expect(stays.find(({ id }) => id === 'mark')?.needs).toEqual(['table']);
    expect(withoutTransient(before)).toBe(before);
  });
});

describe('what a transient step names', () => {
  it('may be a step that the move drops', () => {
    expect(transientProblems(after, before)).toEqual([]);
  });

  it('is refused when nothing has it, and when they would wait for each other', () => {
    const other = [...after, onTheWay('late', ['nowhere'])];
    expect(transientProblems(other, before)).toEqual([expect.stringContaining('"nowhere"')]);
    const waiting = [...after, onTheWay('knot', ['rows'], { removeAfter: ['fence'] })];
    expect(transientProblems(waiting, before)).toEqual([expect.stringContaining('wait for each other')]);
  });
});
