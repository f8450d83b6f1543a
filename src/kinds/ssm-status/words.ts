import { failureLine, LONGEST_PROVISIONING_ERROR, type Failure } from '../../contracts/errors.ts';
import { operationTable, removingStateOf } from '../../contracts/operation-table.ts';
import { findOperation, type OperationRow } from '../../db/operations.ts';
import type { StatusContext } from './spec.ts';

/** What a removal says. */
export interface LastWord {
  readonly status: string;
  /** Undefined: the error parameter stays as it is. */
  readonly error: string | undefined;
}

/** By why the operation takes the step away. */
export async function lastWordOf({ db, operation, spec }: StatusContext): Promise<LastWord> {
  const failure = failureOf(await findOperation(db, operation.id));
  return failure ? { status: spec.failed, error: errorText(failure) } : { status: spec.removing, error: undefined };
}

type Ending = Pick<OperationRow, 'type' | 'failure' | 'cancelRequestedAt' | 'committedAt'>;

/** Why an operation goes back; undefined when it was cancelled, or goes on. Pure. */
export function failureOf(operation: Ending | undefined): Failure | undefined {
  if (!operation || operation.cancelRequestedAt !== null) return undefined;
  const isUndo = operationTable[operation.type].undo !== 'none' && removingStateOf(operation) === 'rolling-back';
  return isUndo ? (operation.failure ?? undefined) : undefined;
}

/** A failure as the value of a parameter: AWS takes no empty one, and `{{` for the name of another parameter. Pure. */
export function errorText(failure: Failure): string {
  return failureLine(failure)
    .replace(/\{(?=\{)/g, '{ ')
    .slice(0, LONGEST_PROVISIONING_ERROR)
    .toWellFormed();
}
