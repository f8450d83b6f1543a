import { ApplicationFailure } from '@temporalio/common';
import type {
  BookkeepingActivities,
  Leftover,
  LeftoversInput,
  StateChange,
  StateChangeAnswer,
} from '../contracts/messages.ts';
import type { Database } from '../db/database.ts';
import { isWaiting } from '../db/grace.ts';
import { listLeftovers } from '../db/leftovers.ts';
import { findOperation, lockOperation, type OperationRow } from '../db/operations.ts';
import { lockTenant } from '../db/tenants.ts';
import { claimOperation } from './claim.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { alertStuck, changeState, refusedChange } from './operation-change.ts';
import { closeOperation } from './operation-closing.ts';

/** What the executor writes about an operation: PostgreSQL only, a transaction each, safe to repeat. */
export function createBookkeeping({
  database,
  kinds,
  log,
}: Pick<ActivityDependencies, 'database' | 'kinds' | 'log'>): Omit<BookkeepingActivities, 'confirmReady'> {
  return {
    claimOperation: (input) => claimOperation({ database, kinds, log }, input),
    changeOperationState: async (change) => {
      const answer = await changeStateOnce(database, change);
      if (change.state === 'stuck' && answer.changed) await alertStuck({ database, log }, change);
      return answer;
    },
    closeOperation: (input) => closeOperation(database, input),
    listLeftovers: (input) => leftoversOf(database, input),
  };
}

async function changeStateOnce(database: Database, change: StateChange): Promise<StateChangeAnswer> {
  return database.transaction(async (tx) => {
    const operation = await lockOperation(tx, change.operationId);
    if (!operation) throw noSuchOperation(change.operationId);
    // The attempt before this one wrote it, and its answer was lost.
    if (operation.state === change.state && operation.generation === change.generation)
      return { changed: true, tenantStatus: (await lockTenant(tx, operation.tenantId)).status };
    if (isOutOfTime(operation, change)) return refusedChange(operation, await lockTenant(tx, operation.tenantId));
    return changeState(tx, operation, change);
  });
}

/**
 * Whether the change was overtaken: an attempt that was slow or frozen must not take back what its run has written since. A
 * run goes on after a hold, or after being stuck, in its next generation only.
 */
function isOutOfTime(operation: OperationRow, change: StateChange): boolean {
  const { state, generation } = operation;
  // Only a run that waits for the end of a grace period goes on from there as if nothing had been.
  if (operation.state === 'stuck' && change.state === 'running' && !isWaiting(operation)) return true;
  const isRetry = state === 'stuck' || (state === 'holding' && change.state === 'running');
  return isRetry ? change.generation <= generation : change.generation < generation;
}

async function leftoversOf(database: Database, { operationId, toRestore }: LeftoversInput): Promise<Leftover[]> {
  const operation = await findOperation(database, operationId);
  if (!operation) throw noSuchOperation(operationId);
  return listLeftovers(database, operation.tenantId, toRestore);
}

function noSuchOperation(operationId: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`there is no operation ${operationId}`, 'OPERATION_NOT_FOUND');
}
