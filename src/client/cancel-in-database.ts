import type { Caller } from '../contracts/caller.ts';
import type { Queryable } from '../db/database.ts';
import { cancelWaiting, isWaiting } from '../db/grace.ts';
import { forgetCancelRequest, recordCancelRequest, type OperationRow } from '../db/operations.ts';
import { nounOf } from '../products/known-product.ts';
import type { Once } from './once.ts';
import { orUnknown } from './outcome-unknown.ts';
import { existingTenant } from './reading.ts';
import type { ClientDeps } from './requests.ts';
import { closeUnclaimed } from './starting.ts';
import { acceptedView, type AcceptedView } from './views.ts';

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
  once: Once<AcceptedView>,
): Promise<AcceptedView | undefined> {
  if (!isUnbegun(operation)) return undefined;
  const { id, tenantId } = operation;
  const answer = await orUnknown({ what: `operation ${id} was cancelled`, tenantId, operationId: id }, () =>
    deps.database.transaction((tx) =>
      once.write(
        tx,
        () => cancelIn(deps, tx, caller, operation),
        (outcome) => outcome && { outcome, audit: { tenantId, operationId: id } },
      ),
    ),
  );
  if (answer) await closeRun(deps, operation);
  return answer;
}

async function cancelIn(
  deps: Pick<ClientDeps, 'catalog'>,
  tx: Queryable,
  caller: Caller,
  operation: OperationRow,
): Promise<AcceptedView | undefined> {
  const { id } = operation;
  const recordedAt = await recordCancelRequest(tx, id);
  const how = await cancelUnbegun(tx, caller, id);
  if (how !== undefined) return cancelled(deps, tx, operation, how);
  // Its run is asked now, and the record is made anew before that.
  if (recordedAt !== undefined) await forgetCancelRequest(tx, id, recordedAt);
  return undefined;
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

async function cancelled(
  deps: Pick<ClientDeps, 'catalog'>,
  tx: Queryable,
  operation: OperationRow,
  how: string,
): Promise<AcceptedView> {
  const tenant = await existingTenant(tx, operation.tenantId);
  const said = `the operation was cancelled ${how}; the ${nounOf(deps.catalog.products, tenant)} is ${tenant.status}`;
  return { ...acceptedView(tenant, operation, said), openOperation: null };
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
