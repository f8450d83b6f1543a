import { FINALIZE_STEP, type PlannedStep } from '../contracts/blueprint.ts';
import type { OperationState } from '../contracts/operation-state.ts';
import { operationTable, removingStateOf, type OperationType } from '../contracts/operation-table.ts';
import type { StepPlan } from './plan.ts';
import { plannedStep, walkTo, type LimitsOf, type WalkFacts } from './walk.ts';

/** Where an operation goes. */
export type Direction =
  | 'forward'
  /** To what was applied before, or to nothing. */
  | 'back'
  /** Its target is made already, and what that does not hold is still to be dropped. */
  | 'finish';

/** Where an operation goes on to, by its state: one that is stuck never makes its target. */
export function directionOf(operation: {
  readonly type: OperationType;
  readonly state: OperationState;
  readonly committedAt: Date | null;
}): Direction {
  if (operation.state !== 'stuck') return 'forward';
  if (removingStateOf(operation) === 'rolling-back') return 'back';
  return operationTable[operation.type].target === 'applied' ? 'forward' : 'finish';
}

/** The walk of one operation in one direction. */
export interface OperationWalk {
  /** In the order of the walk. */
  readonly steps: readonly StepPlan[];
  /** Steps that are brought back to the applied blueprint: by an undo, or because that is what it walks to. */
  readonly restore: readonly PlannedStep[];
}

interface Walked {
  readonly type: OperationType;
  readonly refreshes: boolean;
}

/** What becomes of each step. Past the commit nothing is brought back but by a repair. Pure. */
export function walkOf(
  { type, refreshes }: Walked,
  direction: Direction,
  facts: WalkFacts,
  limitsOf: LimitsOf,
): OperationWalk {
  const { restoresKept, target } = operationTable[type];
  const { own, applied } = facts;
  const goesBack = direction === 'back';
  const steps = walkTo(goesBack ? applied : target === 'nothing' ? [] : own, facts, limitsOf, {
    rereads: refreshes && !goesBack,
    repairs: target === 'applied',
    restoresKept: restoresKept && !goesBack,
    isFinished: direction === 'finish',
  });
  const isWalked = ({ becomes }: StepPlan) => becomes === 'change' || becomes === 'restore' || target === 'applied';
  const walked = new Set(steps.filter(isWalked).map(({ id }) => id));
  const isRestored = ({ id }: PlannedStep) => walked.has(id) && id !== FINALIZE_STEP;
  const restore = direction === 'finish' ? [] : applied.filter(isRestored);
  return { steps, restore: restore.map((step) => plannedStep(step, limitsOf)) };
}
