import type { Caller } from '../contracts/caller.ts';
import { isMadeTrue, operationTable } from '../contracts/operation-table.ts';
import type { Queryable } from '../db/database.ts';
import { bringTenantBack, isWaiting } from '../db/grace.ts';
import { changeOperationState, findOpenOperation, type Audit, type OperationRow } from '../db/operations.ts';
import { recordApplied } from '../db/steps.ts';
import { changeTenantStatus, lockTenant } from '../db/tenants.ts';
import type { Once } from './once.ts';
import { orUnknown } from './outcome-unknown.ts';
import { existingTenant, operationView } from './reading.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps } from './requests.ts';
import { reachOrchestrator } from './starting.ts';
import type { OperationView } from './views.ts';

/**
 * Closes a stuck operation without finishing it, with an operator's reason in the audit trail (design rule 7). What is left stays in the
 * ledger, and the tenant keeps its slug and `cleanupPending`: a DELETE takes the rest away later. One that a change was at is as before
 * it by its status, so that the next change or a repair goes on from there; past its point of no return it is as was asked for, and
 * the next change or a repair removes what is left.
 * @throws RequestError NOT_STUCK, TENANT_NOT_FOUND, ORCHESTRATOR_UNAVAILABLE, OUTCOME_UNKNOWN
 */
export async function abandon(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  audit: Audit,
  once: Once<OperationView>,
): Promise<OperationView> {
  await existingTenant(deps.database, tenantId);
  const open = await stuckOperation(deps.database, tenantId);
  await reachOrchestrator(deps);
  const attempted = { what: `operation ${open.id} was abandoned`, tenantId, operationId: open.id };
  const abandoned = await orUnknown(attempted, () =>
    deps.database.transaction((tx) =>
      once.write(
        tx,
        () => closeAbandoned(tx, open, caller, audit),
        (row) => row && { outcome: operationView(row), audit: { tenantId, operationId: row.id, data: { ...audit } } },
      ),
    ),
  );
  if (!abandoned) throw notStuck(await findOpenOperation(deps.database, tenantId));
  deps.log.warn(
    { tenantId, operationId: open.id, audit, caller },
    'a stuck operation was abandoned: what is left stays',
  );
  await closeRun(deps, abandoned);
  return operationView(abandoned);
}

/** The open operation of a tenant, which is stuck. @throws RequestError NOT_STUCK */
export async function stuckOperation(db: Queryable, tenantId: string): Promise<OperationRow> {
  const open = await findOpenOperation(db, tenantId);
  if (open?.state === 'stuck') return open;
  throw notStuck(open);
}

/** Closes a stuck operation and settles its tenant; undefined: it is not stuck any more. */
export async function closeAbandoned(
  tx: Queryable,
  { id, tenantId, type }: OperationRow,
  caller: Caller,
  audit: Audit,
): Promise<OperationRow | undefined> {
  const abandoned = await changeOperationState(tx, id, ['stuck'], 'abandoned', { audit, caller });
  if (abandoned && isWaiting(abandoned)) {
    await bringTenantBack(tx, abandoned, caller);
    return abandoned;
  }
  const { status } = await lockTenant(tx, tenantId);
  const { succeeded, undone } = operationTable[type].tenantStatus;
  if (abandoned && isMadeTrue(abandoned)) {
    await recordApplied(tx, tenantId);
    await changeTenantStatus(tx, tenantId, succeeded, { operationId: id, caller });
    return abandoned;
  }
  const before = undone[status];
  if (abandoned && before !== undefined) await changeTenantStatus(tx, tenantId, before, { operationId: id, caller });
  return abandoned;
}

async function closeRun(deps: ClientDeps, { id, workflowId, runId }: OperationRow): Promise<void> {
  try {
    await deps.orchestrator.close({ operationId: id, workflowId, runId }, 'abandoned');
  } catch (error) {
    // It does nothing any more, whoever asks it: the database refuses. The tenant's next operation closes it.
    deps.log.warn({ err: error, operationId: id, workflowId }, 'the run of an abandoned operation is still open');
  }
}

function notStuck(open: OperationRow | undefined): RequestError {
  if (!open) return new RequestError('NOT_STUCK', 'the tenant has no open operation: only a stuck one is abandoned');
  return new RequestError('NOT_STUCK', `operation ${open.id} is ${open.state}: only a stuck one is abandoned`, {
    details: { operationId: open.id, state: open.state },
  });
}
