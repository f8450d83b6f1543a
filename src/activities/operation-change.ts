import type { Logger } from 'pino';
import { runbookPage } from '../contracts/advice.ts';
import type { Caller } from '../contracts/caller.ts';
import type { StateChange, StateChangeAnswer } from '../contracts/messages.ts';
import { isClosed, operationStateTransitions, type OperationState } from '../contracts/operation-state.ts';
import { operationTable } from '../contracts/operation-table.ts';
import type { Queryable } from '../db/database.ts';
import { appendEvent } from '../db/events.ts';
import { changeOperationState, findOperation, type OperationRow } from '../db/operations.ts';
import { changeTenantStatus, changeTier, findTenant, lockTenant, type TenantRow } from '../db/tenants.ts';

/**
 * Changes the state of an open operation, and its tenant with it; refused when the row is in none of `from`. The operation
 * is locked by the caller.
 *
 * @param from default: the states from which the table allows it
 * @param caller who changes it; default: the run, for the caller of its operation
 */
export async function changeState(
  tx: Queryable,
  operation: OperationRow,
  change: StateChange,
  { from = statesBefore(change.state), caller }: { from?: readonly OperationState[]; caller?: Caller } = {},
): Promise<StateChangeAnswer> {
  const tenant = await lockTenant(tx, operation.tenantId);
  if (change.askedInTemporal && from.includes(operation.state))
    await recordAskedInTemporal(tx, operation, change.askedInTemporal);
  const changed = await changeOperationState(tx, operation.id, from, change.state, {
    generation: change.generation,
    failure: change.failure ?? (change.state === 'running' ? null : undefined),
    leftovers: change.leftovers ?? (change.state === 'stuck' ? undefined : null),
    caller,
  });
  if (!changed) return refusedChange(operation, tenant);
  return { changed: true, tenantStatus: (await followState(tx, operation, change, tenant, caller)).status };
}

export function refusedChange(
  { state }: Pick<OperationRow, 'state'>,
  { status: tenantStatus }: Pick<TenantRow, 'status'>,
): StateChangeAnswer {
  return { changed: false, tenantStatus, ...(isClosed(state) && { closedAs: state }) };
}

/** A signal and Temporal's own cancellation name nobody. */
function recordAskedInTemporal(tx: Queryable, { id, tenantId, cell }: OperationRow, verb: string): Promise<void> {
  const data = { verb, via: 'temporal' };
  return appendEvent(tx, { operationId: id, tenantId, cell, caller: 'unknown', type: 'operation.requested', data });
}

/**
 * The alert of design rule 7: a line of level error, beside the metric and the event that say the same. Whoever is paged by
 * it starts from the tenant, so it names that too.
 */
export async function alertStuck(
  { database, log }: { readonly database: Queryable; readonly log: Pick<Logger, 'error'> },
  { operationId, leftovers = [], failure }: StateChange,
): Promise<void> {
  const left = leftovers.map(({ type, name, reason }) => `${type} ${name}: ${reason}`);
  // An alert without the names is better than none.
  const tenant = await tenantOf(database, operationId).catch(() => undefined);
  const runbook = runbookPage('operation-stuck');
  log.error(
    { alert: 'operation-stuck', ...tenant, operationId, left, failure, runbook },
    'an operation is stuck: it waits for an operator',
  );
}

async function tenantOf(db: Queryable, operationId: string) {
  const operation = await findOperation(db, operationId);
  const tenant = operation && (await findTenant(db, operation.tenantId));
  return tenant && { tenantId: tenant.id, product: tenant.product, slug: tenant.slug, operation: operation.type };
}

function statesBefore(state: OperationState): OperationState[] {
  return Object.entries(operationStateTransitions).flatMap(([from, to]) =>
    isState(from) && to.includes(state) ? [from] : [],
  );
}

function isState(text: string): text is OperationState {
  return text in operationStateTransitions;
}

/** What a change of the operation's state means for its tenant. */
async function followState(
  tx: Queryable,
  operation: OperationRow,
  change: StateChange,
  tenant: TenantRow,
  caller: Caller | undefined,
): Promise<TenantRow> {
  const operationId = operation.id;
  const { stuck, retried } = operationTable[operation.type].tenantStatus;
  if (change.state === 'stuck') {
    return changeTenantStatus(tx, tenant.id, stuck, {
      operationId,
      caller,
      cleanupPending: true,
      failure: change.failure,
    });
  }
  if (operation.state === 'stuck' && tenant.status === stuck)
    return changeTenantStatus(tx, tenant.id, retried, { operationId, caller });
  if (change.state === 'committing' && operationTable[operation.type].changesTier)
    return changeTier(tx, operation, caller);
  return tenant;
}
