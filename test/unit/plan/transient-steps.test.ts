import { describe, expect, it } from 'vitest';
import { FINALIZE_STEP, type Step } from '../../../src/contracts/blueprint.ts';
import type { OperationType } from '../../../src/contracts/operation-table.ts';
import { downwardEdges, inOrder, type Edges } from '../../../src/plan/graph.ts';
import { walkOf, type Direction } from '../../../src/plan/operation-walk.ts';
import type { StepPlan } from '../../../src/plan/plan.ts';
import { transientProblems, withoutTransient } from '../../../src/plan/transient-steps.ts';

const step = (id: string, needs: readonly string[], more: Partial<Step> = {}): Step => ({
  ...{ id, kind: 'ssm-parameters', needs, spec: { path: `/${id}` } },
  ...more,
});
const onTheWay = (id: string, needs: readonly string[], more: Partial<Step> = {}) =>
  step(id, needs, { transient: true, ...more });

/** The shape of a move: what holds the data before goes after the switch, and the fence after that. */
const before = [
  step('mark', []),
  step('meta', ['mark']),
  step('rows', ['meta']),
  step(FINALIZE_STEP, ['rows'], { kind: 'tenant-activation' }),
];
const after = [
  step('table', []),
  onTheWay('fence', ['table'], { removeAfter: ['rows'] }),
  onTheWay('tell', ['fence']),
  onTheWay('switch', ['tell', 'rows']),
  step('mark', ['switch'], { spec: { path: '/elsewhere' } }),
  onTheWay('check', ['mark']),
  step('meta', ['mark', 'check']),
  step(FINALIZE_STEP, ['meta'], { kind: 'tenant-activation' }),
];
const transient = ['fence', 'tell', 'switch', 'check'];
const all = ['mark', 'meta', 'rows', 'table', ...transient];

function walked(
  held: readonly string[],
  direction: Direction = 'forward',
  { type = 'migrate', applied = before }: { type?: OperationType; applied?: readonly Step[] } = {},
) {
  const isHeld = (stepId: string) => ({ stepId, kind: 'ssm-parameters', isReady: true, isAltered: stepId === 'mark' });
  const facts = { own: after, applied, older: applied.length > 0 ? [] : before, held: held.map(isHeld) };
  return walkOf({ type, refreshes: false }, direction, facts, () => undefined);
}

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
    const { steps } = walked(['mark', 'meta', 'rows']);
    expect(becoming(steps, 'make')).toEqual(expect.arrayContaining(['table', ...transient]));
    expect(becoming(steps, 'change')).toEqual(['mark']);
    expect(becoming(steps, 'drop')).toEqual(['rows']);
    expectInOrder(waysOut(steps), 'check', 'switch', 'rows', 'fence');
    expectInOrder(waysOut(steps), 'switch', 'tell', 'fence');
  });

  it('makes a transient step anew that an abandoned move left', () => {
    const { steps } = walked(['mark', 'meta', 'rows', 'fence']);
    expect(becoming(steps, 'make')).toContain('fence');
  });

  it.each([[all], [all.filter((id) => id !== 'switch' && id !== 'check')], [['mark', 'meta', 'table', 'fence']]])(
    'drops, finished by a run that takes over, all of them that are left (%j)',
    (held) => {
      const { steps, restore } = walked(held, 'finish');
      const left = [...transient, 'rows'].filter((id) => held.includes(id));
      expect(becoming(steps, 'drop').toSorted()).toEqual(left.toSorted());
      expect(becoming(steps, 'make')).toEqual([FINALIZE_STEP]);
      expect(restore).toEqual([]);
      expectInOrder(waysOut(steps), ...['check', 'switch', 'rows', 'fence'].filter((id) => left.includes(id)));
    },
  );

  it('drops, on the way back, what was made, each after what needs it, also through a step that stays', () => {
    const { steps, restore } = walked(all, 'back');
    expect(becoming(steps, 'drop').toSorted()).toEqual(['table', ...transient].toSorted());
    expect(restore.map(({ id }) => id)).toEqual(['mark']);
    expectInOrder(waysOut(steps), 'check', 'switch', 'tell', 'fence', 'table');
    expect(waysOut(steps).get('switch')).toContain('check');
  });

  it('to nothing still lets data go after the switch and before the fence', () => {
    const { steps } = walked(all, 'forward', { type: 'deprovision', applied: [] });
    expect(becoming(steps, 'drop').toSorted()).toEqual(all.toSorted());
    expectInOrder(waysOut(steps), 'switch', 'rows', 'fence', 'table');
  });

  it('to nothing goes by the order of what is there, when the move was taken back', () => {
    const { steps } = walked(['mark', 'meta', 'rows'], 'forward', { type: 'deprovision', applied: [] });
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
