import type { Caller } from '../contracts/caller.ts';
import { lostRunCodes, type Failure } from '../contracts/errors.ts';
import type { ClaimInput, StateChange, Takeover } from '../contracts/messages.ts';
import { operationTable, removingStateOf } from '../contracts/operation-table.ts';
import type { Database, Queryable } from '../db/database.ts';
import { isWaiting } from '../db/grace.ts';
import { listLeftovers } from '../db/leftovers.ts';
import { lockOperation, recordRun, type OperationRow } from '../db/operations.ts';
import { findFailureBefore } from '../db/silent-operations.ts';
import { changeState } from './operation-change.ts';

/** A run that ended without recording its end, and what is known of it. */
export interface RunLoss {
  readonly operation: Pick<OperationRow, 'id' | 'state' | 'runId'>;
  /** A sentence for people: how the run ended, as far as Temporal knows. */
  readonly ended: string;
  /** Whether it COMPLETED in Temporal. */
  readonly completed: boolean;
}

/**
 * Makes an operation stuck whose run was lost, with all that the run itself would have recorded: failure, what is left, the
 * tenant's status, the events. By compare-and-swap of state and run.
 *
 * @param caller who looked
 * @param announce told of the change just before it is committed: a death in between means that it is told again, not never
 * @returns the change; undefined when the operation has moved on meanwhile
 */
export function recordRunLoss(
  database: Database,
  loss: RunLoss,
  caller: Caller,
  announce: (change: StateChange) => Promise<void> = () => Promise.resolve(),
): Promise<StateChange | undefined> {
  const { id, state, runId } = loss.operation;
  return database.transaction(async (tx) => {
    const operation = await lockOperation(tx, id);
    if (operation?.state !== state || operation.runId !== runId) return undefined;
    const change: StateChange = {
      operationId: id,
      state: 'stuck',
      generation: operation.generation,
      failure: lossFailure(operation, loss),
      leftovers: await listLeftovers(tx, operation.tenantId),
    };
    if (!(await changeState(tx, operation, change, { from: [state], caller })).changed) return undefined;
    await announce(change);
    return change;
  });
}

/** Gives a stuck operation to the run that goes on with it, by compare-and-swap of its run. @returns whether it did */
export async function claimStuck(tx: Queryable, operation: OperationRow, input: ClaimInput): Promise<boolean> {
  const isMeant = input.takesOver !== undefined && operation.runId === input.takesOver;
  if (operation.state !== 'stuck' || !isMeant || operation.workflowId !== input.workflowId) return false;
  await recordRun(tx, operation.id, input);
  return true;
}

/** What the run that took the operation over must know of the lost one. */
export async function takeoverOf(tx: Queryable, operation: OperationRow): Promise<Takeover> {
  const isLoss = lostRunCodes.includes(operation.failure?.code ?? '');
  const own = isLoss ? await findFailureBefore(tx, operation, lostRunCodes) : undefined;
  return {
    generation: operation.generation,
    failure: own ?? operation.failure ?? undefined,
    removesIn: removingStateOf(operation),
    cancelled:
      (isWaiting(operation) || operationTable[operation.type].cancellableIn.length > 0) &&
      operation.cancelRequestedAt !== null,
  };
}

function lossFailure(operation: OperationRow, { ended, completed }: RunLoss): Failure {
  const { id, type, state, failure, workflowId, runId } = operation;
  const before = failure === null || lostRunCodes.includes(failure.code) ? '' : `; before that: ${textOf(failure)}`;
  const detail = `run ${runId ?? 'unknown'} of workflow ${workflowId}: ${ended}${before}`;
  // A run records its end before it closes. One that removes a tenant leaves nothing live behind.
  if (completed && operationTable[type].target !== 'nothing')
    return {
      code: 'DATABASE_BEHIND',
      message: `the run of operation ${id} COMPLETED in Temporal, and this database has the operation ${state}: the tenant may be live`,
      detail,
    };
  return { code: 'RUN_LOST', message: `the run of operation ${id} was lost while it was ${state}`, detail };
}

function textOf({ code, message, stepId }: Failure): string {
  return `${code}${stepId === undefined ? '' : ` at ${stepId}`}: ${message}`;
}
