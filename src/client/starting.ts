import { setTimeout as sleep } from 'node:timers/promises';
import { operationTable } from '../contracts/operation-table.ts';
import { CommitUnclearError, type Queryable } from '../db/database.ts';
import type { Caller } from '../contracts/caller.ts';
import { releaseAllocations } from '../db/allocations.ts';
import { requestLifting } from '../db/isolations.ts';
import { bringTenantBack, isWaiting } from '../db/grace.ts';
import { freeKeyOfOperation } from '../db/idempotency-keys.ts';
import { changeOperationState, listOperationsOf, type OperationRow } from '../db/operations.ts';
import { releaseSlug } from '../db/reservations.ts';
import { changeTenantStatus, findTenant, type TenantRow } from '../db/tenants.ts';
import { ownTraceparent } from '../telemetry/trace-context.ts';
import { ForeignOrchestratorError, type ClosedInDatabase, type RunRequest } from './orchestrator.ts';
import { outcomeUnknown } from './outcome-unknown.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps } from './requests.ts';

/**
 * Starts the run of an operation that was just accepted. When the start fails, or nobody knows, the operation is
 * withdrawn by compare-and-swap; when a run was faster to claim it, it counts as accepted.
 * @throws RequestError ORCHESTRATOR_UNAVAILABLE when it was withdrawn, OUTCOME_UNKNOWN when that is not known
 */
export async function startOrWithdraw(deps: ClientDeps, tenant: TenantRow, operation: OperationRow): Promise<void> {
  const at = { tenantId: tenant.id, operationId: operation.id, workflowId: operation.workflowId };
  try {
    const outcome = await startOnceFree(() => deps.orchestrator.start(runRequest(tenant, operation)));
    if (outcome === 'already-open')
      deps.log.info(at, 'a run of this workflow id is still open: a worker looks after it');
  } catch (cause) {
    deps.log.warn({ ...at, err: cause }, 'the start of an operation failed or is unclear: withdrawing it');
    if (await withdrawOrLeave(deps, operation)) {
      throw orchestratorUnavailable(cause, 'Temporal did not take the operation; nothing was changed');
    }
  }
}

/** Pauses before the next try, in ms. */
const untilFreeMs = [50, 100, 200, 400, 400];

/**
 * Starts a run whose workflow id an earlier run may still hold: that has recorded its end already (or is told to close),
 * so it is gone within moments. Answers `already-open` when it is not; a worker then starts the run (design rule 13).
 */
export async function startOnceFree(
  start: () => Promise<'started' | 'already-open'>,
): Promise<'started' | 'already-open'> {
  for (const pauseMs of untilFreeMs) {
    if ((await start()) === 'started') return 'started';
    await sleep(pauseMs);
  }
  return start();
}

/** Without PostgreSQL the operation stays accepted, and a worker starts it: then that is what the caller is told. */
async function withdrawOrLeave(deps: ClientDeps, { id: operationId, tenantId }: OperationRow): Promise<boolean> {
  try {
    return await withdraw(deps, operationId);
  } catch (error) {
    if (error instanceof CommitUnclearError) {
      const what = `operation ${operationId} stays accepted or was withdrawn, because Temporal did not take it,`;
      throw outcomeUnknown({ what, tenantId, operationId }, error);
    }
    deps.log.error({ err: error, operationId }, 'the operation could not be withdrawn: it stays accepted');
    return false;
  }
}

/**
 * Takes an operation back that no run has claimed, with all that its acceptance wrote. One that a repeat of its request was told is
 * accepted stays accepted, and a worker starts it. @returns whether it did
 */
export async function withdraw(deps: Pick<ClientDeps, 'database'>, operationId: string): Promise<boolean> {
  try {
    return await deps.database.transaction(async (tx) => {
      const isWithdrawn = await closeUnclaimed(tx, operationId, 'withdrawn');
      if (isWithdrawn && !(await freeKeyOfOperation(tx, operationId))) throw new ToldSignal();
      return isWithdrawn;
    });
  } catch (error) {
    if (error instanceof ToldSignal) return false;
    throw error;
  }
}

/** Rolls the transaction back without being a failure. */
class ToldSignal extends Error {}

/**
 * Compare-and-swap from `accepted`; a tenant that was never begun is gone with it, its slug and places free again.
 * @param caller who closes it; default: who asked for the operation
 */
export async function closeUnclaimed(
  tx: Queryable,
  operationId: string,
  state: 'withdrawn' | 'cancelled',
  caller?: Caller,
): Promise<boolean> {
  const operation = await changeOperationState(tx, operationId, ['accepted'], state, { caller, failure: null });
  if (!operation) return false;
  if (operationTable[operation.type].createsTenant) {
    const tenant = await changeTenantStatus(tx, operation.tenantId, 'deleted', { operationId, caller });
    await releaseSlug(tx, { product: tenant.product, slug: tenant.slug, tenantId: tenant.id });
    await releaseAllocations(tx, tenant.id);
    await requestLifting(tx, tenant.id, caller);
  }
  if (state === 'cancelled' && isWaiting(operation)) await bringTenantBack(tx, operation, caller);
  return true;
}

/** Starts an accepted operation that has no run; see `TenantryClient.startAccepted`. */
export async function startAccepted(deps: ClientDeps, operation: OperationRow): Promise<'started' | 'already-open'> {
  const tenant = await tenantOf(deps, operation);
  const outcome = await deps.orchestrator.start(runRequest(tenant, operation));
  if (outcome === 'already-open') await closeEnded(deps, operation);
  return outcome;
}

/** The run in the way may be one whose operation was closed in the database and that has not heard of it (the signal was lost). */
async function closeEnded(deps: ClientDeps, operation: OperationRow): Promise<void> {
  for (const earlier of await listOperationsOf(deps.database, operation.tenantId)) {
    const { id, workflowId, runId } = earlier;
    const as = closedInDatabase(earlier);
    if (as && runId !== null) await deps.orchestrator.close({ operationId: id, workflowId, runId }, as);
  }
}

/** Undefined: its run has closed it, or none ever had it. */
function closedInDatabase(operation: OperationRow): ClosedInDatabase | undefined {
  const { state } = operation;
  if (state === 'superseded' || state === 'abandoned') return state;
  return state === 'cancelled' && isWaiting(operation) ? state : undefined;
}

/** For what cannot be taken back once it is written. @throws RequestError ORCHESTRATOR_UNAVAILABLE */
export async function reachOrchestrator({ orchestrator }: ClientDeps): Promise<void> {
  try {
    await orchestrator.ping();
  } catch (cause) {
    throw orchestratorUnavailable(cause, 'Temporal cannot be reached; nothing was changed');
  }
}

/** What a caller is told whose request the orchestrator did not take: a foreign one says itself what to do about it. */
export function orchestratorUnavailable(
  cause: unknown,
  message: string,
  details?: Readonly<Record<string, unknown>>,
): RequestError {
  const said = cause instanceof ForeignOrchestratorError ? `nothing was changed: ${cause.message}` : message;
  return new RequestError('ORCHESTRATOR_UNAVAILABLE', said, { details, cause });
}

/**
 * Starts a run that takes over a stuck operation whose own run is not open any more.
 * @throws OrchestratorUnreachableError
 */
export async function startTakeover(deps: ClientDeps, operation: OperationRow): Promise<'started' | 'already-open'> {
  const tenant = await tenantOf(deps, operation);
  return deps.orchestrator.start({ ...runRequest(tenant, operation), takesOver: operation.runId ?? undefined });
}

async function tenantOf(deps: ClientDeps, operation: OperationRow): Promise<TenantRow> {
  const tenant = await findTenant(deps.database, operation.tenantId);
  if (!tenant) throw new Error(`operation ${operation.id} names tenant ${operation.tenantId}, which does not exist`);
  return tenant;
}

function runRequest(tenant: TenantRow, operation: OperationRow): RunRequest {
  return {
    operationId: operation.id,
    type: operation.type,
    workflowId: operation.workflowId,
    tenantId: tenant.id,
    product: tenant.product,
    slug: tenant.slug,
    tier: tenant.tier,
    tenantStatus: tenant.status,
    traceparent: operation.traceparent ?? ownTraceparent(operation.id),
  };
}
