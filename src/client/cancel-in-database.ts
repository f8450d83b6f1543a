import type { Caller } from '../contracts/caller.ts';
import type { Queryable } from '../db/database.ts';
import { cancelWaiting, isWaiting } from '../db/grace.ts';
import { forgetCancelRequest, recordCancelRequest, type OperationRow } from '../db/operations.ts';
import type { TenantRow } from '../db/tenants.ts';
import { orUnknown } from './outcome-unknown.ts';
import { existingTenant } from './reading.ts';
import type { ClientDeps } from './requests.ts';
import { closeUnclaimed } from './starting.ts';

export interface Cancelled {
  /** Afterwards. */
  readonly tenant: TenantRow;
  /** A clause for people: when it was cancelled. */
  readonly message: string;
}

/**
 * Cancels an operation that has made and removed nothing, without asking its run: it has none yet, or it waits for the end of its grace
 * period, so that a tenant is kept also while Temporal is unavailable.
 * @returns undefined when its run is to be asked
 * @throws RequestError OUTCOME_UNKNOWN
 */
export async function cancelInDatabase(
  deps: ClientDeps,
  caller: Caller,
  operation: OperationRow,
): Promise<Cancelled | undefined> {
  if (!isUnbegun(operation)) return undefined;
  const { id, tenantId } = operation;
  const answer = await orUnknown({ what: `operation ${id} was cancelled`, tenantId, operationId: id }, () =>
    deps.database.transaction(async (tx) => {
      const recordedAt = await recordCancelRequest(tx, id);
      const how = await cancelUnbegun(tx, caller, id);
      if (how !== undefined) return cancelled(tx, tenantId, how);
      // Its run is asked now, and the record is made anew before that.
      if (recordedAt !== undefined) await forgetCancelRequest(tx, id, recordedAt);
      return undefined;
    }),
  );
  if (answer) await closeRun(deps, operation);
  return answer;
}

/** Whether it has made and removed nothing. */
export function isUnbegun(operation: OperationRow): boolean {
  return operation.state === 'accepted' || isWaiting(operation);
}

/** Closes one that {@link isUnbegun}. @returns when that was, for people; undefined: it has begun meanwhile */
export async function cancelUnbegun(tx: Queryable, caller: Caller, operationId: string): Promise<string | undefined> {
  if (await closeUnclaimed(tx, operationId, 'cancelled', caller)) return 'before a worker began it';
  return (await cancelWaiting(tx, operationId, caller)) ? 'in its grace period' : undefined;
}

async function cancelled(tx: Queryable, tenantId: string, how: string): Promise<Cancelled> {
  const tenant = await existingTenant(tx, tenantId);
  return { tenant, message: `the operation was cancelled ${how}` };
}

/** It only waits: the database refuses its commit, and a worker tells it before the tenant's next operation starts. */
async function closeRun(deps: ClientDeps, { id: operationId, workflowId, runId }: OperationRow): Promise<void> {
  if (runId === null) return;
  try {
    await deps.orchestrator.close({ operationId, workflowId, runId }, 'cancelled');
  } catch (error) {
    deps.log.warn({ err: error, operationId, workflowId }, 'the run of a cancelled operation is still open');
  }
}
