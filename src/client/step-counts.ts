import { FINALIZE_STEP, type Step } from '../contracts/blueprint.ts';
import { isOpen, type OperationState } from '../contracts/operation-state.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { isWaiting } from '../db/grace.ts';
import type { OperationRow } from '../db/operations.ts';
import type { StepRow } from '../db/steps.ts';
import { stepsToChange } from '../plan/changes.ts';
import type { IsRemovedAgain } from '../plan/walk.ts';

/** How far an operation is, in steps; `stepsDone` are some of the total. */
export interface StepCounts {
  readonly stepsDone: readonly string[];
  readonly stepsTotal: number;
}

type Operation = Pick<OperationRow, 'id' | 'type' | 'state' | 'refreshes' | 'graceUntil' | 'committedAt'>;
type Row = Pick<StepRow, 'stepId' | 'kind' | 'state' | 'operationId'>;

/** Nothing was done yet, or what was done was taken back. */
const statesWithNothingDone: readonly OperationState[] = ['accepted', 'rolled-back', 'cancelled', 'withdrawn'];

/**
 * Counts the steps of one operation, not those of the tenant: what earlier ones made or removed is none of its work. What walks to
 * nothing walks what was begun, and removed steps to which others may have added since; the commit (`finalize`) made nothing that could be removed. Pure.
 */
export function stepCounts(
  operation: Operation,
  rows: readonly Row[],
  blueprints: { readonly own: readonly Step[]; readonly applied: readonly Step[] },
  isRemovedAgain: IsRemovedAgain,
): StepCounts {
  const hasDoneNothing = statesWithNothingDone.includes(operation.state) || isWaiting(operation);
  return operationTable[operation.type].target === 'nothing'
    ? removalCounts(operation, rows, { hasDoneNothing, isRemovedAgain })
    : walkCounts(operation, rows, blueprints, hasDoneNothing);
}

function removalCounts(
  { id, state: operationState }: Operation,
  rows: readonly Row[],
  { hasDoneNothing, isRemovedAgain }: { readonly hasDoneNothing: boolean; readonly isRemovedAgain: IsRemovedAgain },
): StepCounts {
  // Of one that an earlier operation removed it is known while this one is open that it will be removed again.
  const isOfIt = ({ kind, operationId, state }: Row) =>
    state !== 'removed' || operationId === id || (isOpen(operationState) && isRemovedAgain(kind));
  const ofIt = rows.filter((row) => row.stepId !== FINALIZE_STEP && isOfIt(row));
  const isRemoved = ({ operationId, state }: Row) => state === 'removed' && operationId === id;
  const removed = hasDoneNothing ? [] : ofIt.filter(isRemoved);
  return { stepsDone: removed.map(({ stepId }) => stepId), stepsTotal: ofIt.length };
}

/** A step that stays as it is counts as soon as the operation has begun. */
function walkCounts(
  { id, refreshes, state, type, committedAt }: Operation,
  rows: readonly Row[],
  { applied, own }: { readonly own: readonly Step[]; readonly applied: readonly Step[] },
  hasDoneNothing: boolean,
): StepCounts {
  const stepsTotal = own.length;
  if (hasDoneNothing) return { stepsDone: [], stepsTotal };
  const { restoresKept, target } = operationTable[type];
  const repairs = target === 'applied' || restoresKept === true;
  const changed =
    state === 'succeeded'
      ? new Set<string>()
      : stepsToChange({ applied, target: own, altered: new Set(), rereads: refreshes, repairs });
  const byId = new Map(rows.map((row) => [row.stepId, row]));
  const isDone = ({ id: stepId, transient }: Step) => {
    // All of them were ready then, and are removed since.
    if (transient === true && committedAt !== null) return true;
    const row = byId.get(stepId);
    return row?.state === 'ready' && (row.operationId === id || !changed.has(stepId));
  };
  return { stepsDone: own.filter(isDone).map((step) => step.id), stepsTotal };
}
