import { FINALIZE_STEP, type Step } from '../../src/contracts/blueprint.ts';
import type { OperationType } from '../../src/contracts/operation-table.ts';
import { walkOf, type Direction, type OperationWalk } from '../../src/plan/operation-walk.ts';

const step = (id: string, needs: readonly string[], more: Partial<Step> = {}): Step => ({
  ...{ id, kind: 'log-group', needs, spec: { name: `/${id}` } },
  ...more,
});

/** As the whole of a tenant's steps here. */
export const onTheWay = (id: string, needs: readonly string[], more: Partial<Step> = {}): Step =>
  step(id, needs, { transient: true, ...more });

/** A tenant before its change of tier: `rows` hold what the change brings to `table`. */
export const before: readonly Step[] = [
  step('mark', []),
  step('meta', ['mark']),
  step('rows', ['meta']),
  step(FINALIZE_STEP, ['rows'], { kind: 'tenant-activation' }),
];

/** The change: what holds the data before goes after the switch, and the fence after that. */
export const after: readonly Step[] = [
  step('table', []),
  onTheWay('fence', ['table'], { removeAfter: ['rows'] }),
  onTheWay('tell', ['fence']),
  onTheWay('switch', ['tell', 'rows']),
  step('mark', ['switch'], { spec: { name: '/elsewhere' } }),
  onTheWay('check', ['mark']),
  step('meta', ['mark', 'check']),
  step(FINALIZE_STEP, ['meta'], { kind: 'tenant-activation' }),
];
/** The same, with a step that is made after the look before the commit. */
export const afterWithLast: readonly Step[] = [
  ...after.slice(0, -1),
  onTheWay('close', ['meta'], { last: true }),
  step(FINALIZE_STEP, ['close'], { kind: 'tenant-activation' }),
];
export const transient = ['fence', 'tell', 'switch', 'check'];
/** Right before the commit. */
export const allSteps = ['mark', 'meta', 'rows', 'table', ...transient];

interface Walk {
  readonly held: readonly string[];
  readonly direction?: Direction;
  readonly type?: OperationType;
  readonly applied?: readonly Step[];
  readonly own?: readonly Step[];
}

/** What becomes of each step. */
export function walked({
  held,
  direction = 'forward',
  type = 'migrate',
  applied = before,
  own = after,
}: Walk): OperationWalk {
  const stepIds = [...held, ...(type === 'migrate' ? [FINALIZE_STEP] : [])];
  const facts = {
    ...{ own, applied, older: applied.length > 0 ? [] : before },
    held: stepIds.map((stepId) => ({
      ...{ stepId, kind: 'log-group', isReady: true },
      isAltered: stepId === 'mark' && direction !== 'forward',
    })),
  };
  return walkOf({ type, refreshes: false }, direction, facts, () => undefined);
}
