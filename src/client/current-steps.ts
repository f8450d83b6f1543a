import { isOpen } from '../contracts/operation-state.ts';
import { mayMake, operationTable } from '../contracts/operation-table.ts';
import type { OperationRow } from '../db/operations.ts';
import type { StepRow } from '../db/steps.ts';

type Operation = Pick<OperationRow, 'state' | 'type'>;

/** Steps that an operation is at. */
export function currentStepsOf(operation: Operation, steps: readonly StepRow[]): string[] {
  return idsIn(steps, underWay(operation));
}

/** Which states of a step mean that the operation is at it. */
export function underWay({ state, type }: Operation): readonly StepRow['state'][] {
  // While it waits for a person, nothing is under way.
  if (!isOpen(state) || state === 'holding' || state === 'stuck') return [];
  const restored = mayMake(type, state, true) ? (['intended', 'present'] as const) : [];
  const isFinished = state === 'committing' && !mayMake(type, state);
  const removes = operationTable[type].target === 'nothing' || state === 'rolling-back' || isFinished;
  return removes ? [...restored, 'removing'] : ['intended', 'present'];
}

export function idsIn(steps: readonly StepRow[], states: readonly StepRow['state'][]): string[] {
  return steps.filter((step) => states.includes(step.state)).map((step) => step.stepId);
}
