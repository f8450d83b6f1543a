import type { Caller } from '../contracts/caller.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import { cancelRefusal, retryRefusal } from '../contracts/applicability.ts';
import { isOpen } from '../contracts/operation-state.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { CommitUnclearError, DatabaseUnavailableError } from '../db/database.ts';
import { appendEvent, type NewEvent } from '../db/events.ts';
import { graceOf } from '../db/grace.ts';
import {
  findOpenOperation,
  findOperation,
  forgetCancelRequest,
  recordCancelRequest,
  recordTakenCancel,
  type OperationRow,
} from '../db/operations.ts';
import { nounOf } from '../products/known-product.ts';
import { cancelInDatabase } from './cancel-in-database.ts';
import { isCompleted } from './lost-runs.ts';
import {
  ForeignOrchestratorError,
  OrchestratorUnreachableError,
  type OperatorVerb,
  type UpdateVerdict,
} from './orchestrator.ts';
import { outcomeUnknown } from './outcome-unknown.ts';
import { existingTenant } from './reading.ts';
import { RequestError } from './request-error.ts';
import { orchestratorUnavailable, reachOrchestrator, startTakeover } from './starting.ts';
import type { ClientDeps } from './requests.ts';
import { acceptance, acceptedView, type AcceptedView } from './views.ts';

const refusals = { cancel: 'NOT_CANCELLABLE', retry: 'NOTHING_TO_RETRY' } as const satisfies Record<
  OperatorVerb,
  ErrorCode
>;

const appliesTo: Readonly<Record<OperatorVerb, string>> = {
  cancel: 'only one that is accepted, runs or holds is cancelled',
  retry: 'only one that holds or is stuck is retried',
};

/**
 * `cancel` or `retry` of the tenant's open operation; answers once the workflow has taken or refused it.
 * @throws RequestError OUTCOME_UNKNOWN when nobody said whether it was taken
 */
export async function control(
  deps: ClientDeps,
  caller: Caller,
  tenantId: string,
  verb: OperatorVerb,
): Promise<AcceptedView> {
  const before = await existingTenant(deps.database, tenantId);
  const noun = nounOf(deps.catalog.products, before);
  const operation = requireOpen(await findOpenOperation(deps.database, tenantId), verb, noun);
  if (verb === 'cancel') refuseUncancellable(operation);
  const cancelled = verb === 'cancel' ? await cancelInDatabase(deps, caller, operation) : undefined;
  if (cancelled)
    return {
      ...acceptedView(cancelled.tenant, operation, `${cancelled.message}; the ${noun} is ${cancelled.tenant.status}`),
      openOperation: null,
    };
  await ask(deps, caller, operation, verb);
  // As it was: what its run has made of the request by now is a matter of time.
  return acceptedView(before, operation, acceptance(`the ${verb}`, noun, before.status));
}

/**
 * Refuses what the run of an open operation would refuse, as far as PostgreSQL knows.
 * @throws RequestError NOT_CANCELLABLE, NOTHING_TO_RETRY
 */
export function refuseControl(open: OperationRow | undefined, verb: OperatorVerb, noun: string): OperationRow {
  const operation = requireOpen(open, verb, noun);
  const { id, type, state, failure } = operation;
  const isBehind = verb === 'retry' && failure?.code === 'DATABASE_BEHIND';
  const refused = verb === 'cancel' ? cancelRefusal(type, state, graceOf(operation)) : retryRefusal(state);
  const reason = refused ?? (isBehind ? olderThanTemporal : undefined);
  if (reason === undefined) return operation;
  const message = `operation ${id} does not take the ${verb}: ${reason}`;
  throw new RequestError(refusals[verb], message, { details: { operationId: id, state } });
}

function requireOpen(open: OperationRow | undefined, verb: OperatorVerb, noun: string): OperationRow {
  if (open) return open;
  throw new RequestError(refusals[verb], `the ${noun} has no open operation: ${appliesTo[verb]}`);
}

/** Not after a grace period, as its run would say: what it superseded has given up, so nobody would look after what is left. */
function refuseUncancellable(operation: OperationRow): void {
  const { id, type, state } = operation;
  if (operationTable[type].cancellableIn.length > 0) return;
  const reason = cancelRefusal(type, state, graceOf(operation));
  if (reason === undefined) return;
  throw new RequestError('NOT_CANCELLABLE', `operation ${id} does not take the cancel: ${reason}`, {
    details: { operationId: id, state },
  });
}

/**
 * Refuses what no run could take: an operation that is closed, or a retry of one that no run has claimed. Of any other state its
 * run is ahead of the database.
 */
function refuseWithoutRun(operation: OperationRow, verb: OperatorVerb): void {
  const { id, type, state } = operation;
  if (isOpen(state) && !(verb === 'retry' && state === 'accepted')) return;
  const reason = verb === 'cancel' ? cancelRefusal(type, state, graceOf(operation)) : retryRefusal(state);
  const message = `operation ${id} does not take the ${verb}: ${reason ?? `its state is ${state}`}`;
  throw new RequestError(refusals[verb], message, { details: { operationId: id, state } });
}

async function ask(deps: ClientDeps, caller: Caller, asked: OperationRow, verb: OperatorVerb): Promise<void> {
  // Somebody else may have closed it meanwhile: then it has no run that would answer.
  refuseWithoutRun(await newest(deps, asked), verb);
  // From here on an answer that does not come leaves it open whether the run has taken the request.
  await reachOrchestrator(deps);
  const recordedAt = await recordRequest(deps, caller, asked, verb);
  // Claimed meanwhile, perhaps: then it has a run id.
  const operation = await newest(deps, asked);
  refuseWithoutRun(operation, verb);
  const correct = (stands: boolean) =>
    verb === 'cancel' ? correctRecord(deps, operation, stands, recordedAt) : Promise.resolve();
  const verdict = await reached(operation, verb, () => verdictOn(deps, operation, verb)).catch(
    async (error: unknown) => {
      await correct(!wasNotAsked(error));
      await refuseIfNeverClaimed(deps, operation, verb);
      throw error;
    },
  );
  await correct(verdict.taken);
  if (verdict.taken) return;
  await recordRefusal(deps, caller, operation, { verb, reason: verdict.reason });
  throw await refusal(deps, operation, verb, verdict);
}

/** As it is now; as it was when PostgreSQL does not say: the request is on its way, and its run decides. */
async function newest({ database }: ClientDeps, asked: OperationRow): Promise<OperationRow> {
  try {
    return (await findOperation(database, asked.id)) ?? asked;
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return asked;
    throw error;
  }
}

/** It was closed while its run was asked, and never had one: so nobody took the request, and nobody will. */
async function refuseIfNeverClaimed(deps: ClientDeps, asked: OperationRow, verb: OperatorVerb): Promise<void> {
  const now = await newest(deps, asked);
  if (now.claimedAt === null) refuseWithoutRun(now, verb);
}

/** PostgreSQL is asked only before a run is. */
function wasNotAsked(error: unknown): boolean {
  if (error instanceof DatabaseUnavailableError) return true;
  return error instanceof RequestError && error.code === 'ORCHESTRATOR_UNAVAILABLE';
}

/**
 * Before the run is asked: when its answer is lost, the record is what shows that somebody asked, and who.
 * @returns of a cancel, as {@link recordCancelRequest}
 */
async function recordRequest(
  { database }: ClientDeps,
  caller: Caller,
  operation: OperationRow,
  verb: OperatorVerb,
): Promise<string | undefined> {
  const { id } = operation;
  try {
    return await database.transaction(async (tx) => {
      const recordedAt = verb === 'cancel' ? await recordCancelRequest(tx, id) : undefined;
      await appendEvent(tx, { ...eventOf(operation, caller), type: 'operation.requested', data: { verb } });
      return recordedAt;
    });
  } catch (cause) {
    if (!(cause instanceof CommitUnclearError)) throw cause;
    const message = `${cause.reason}: the run of operation ${id} was not asked to ${verb}`;
    throw new RequestError('DATABASE_UNAVAILABLE', message, { cause });
  }
}

function eventOf({ id: operationId, tenantId, cell }: OperationRow, caller: Caller): Omit<NewEvent, 'type'> {
  return { operationId, tenantId, cell, caller };
}

/** For whoever reads the trail: nothing came of the request. */
async function recordRefusal(
  { database, log }: ClientDeps,
  caller: Caller,
  operation: OperationRow,
  data: { readonly verb: OperatorVerb; readonly reason: string },
): Promise<void> {
  try {
    await appendEvent(database, { ...eventOf(operation, caller), type: 'operation.request-refused', data });
  } catch (error) {
    log.warn({ err: error, operationId: operation.id, ...data }, 'that a request was refused could not be recorded');
  }
}

/** A refused cancel is none. One that was or may have been taken stands, also when another request's refusal removes its own. */
async function correctRecord(
  { database, log }: ClientDeps,
  { id }: OperationRow,
  stands: boolean,
  recordedAt: string | undefined,
): Promise<void> {
  try {
    if (stands) await recordTakenCancel(database, id);
    else if (recordedAt !== undefined) await forgetCancelRequest(database, id, recordedAt);
  } catch (error) {
    log.warn({ err: error, operationId: id, stands }, 'the record of a cancel could not be corrected');
  }
}

/** The run decides. Of a stuck operation whose run has ended a `retry` starts the run that goes on with it. */
async function verdictOn(deps: ClientDeps, operation: OperationRow, verb: OperatorVerb): Promise<UpdateVerdict> {
  const { id, workflowId, runId, state } = operation;
  const verdict = await deps.orchestrator.update({ operationId: id, workflowId, runId }, verb);
  const isLost = !verdict.taken && verdict.why === 'not-running' && runId !== null;
  if (!isLost) return verdict;
  if (verb === 'retry' && state === 'stuck') {
    if (await hasCompleted(deps, operation)) return { taken: false, why: 'refused', reason: olderThanTemporal };
    if ((await startTakeover(deps, operation)) === 'started') return { taken: true };
  }
  // Another run may be open all the same: one that was reset in Temporal, or started by a retry that came before.
  return deps.orchestrator.update({ operationId: id, workflowId, runId: null }, verb);
}

const olderThanTemporal =
  'its run COMPLETED in Temporal, so this database is older than what happened (a restored backup?), and to remove what it made' +
  ' might remove a live tenant: look at its address; docs/backup.md says how to go on after a restore';

/** A run records its end before it closes: one that makes a tenant and completed may well have made it active. */
async function hasCompleted({ orchestrator }: ClientDeps, operation: OperationRow): Promise<boolean> {
  if (operationTable[operation.type].target === 'nothing') return false;
  return isCompleted(await orchestrator.look(operation));
}

async function reached(
  { id: operationId, tenantId }: OperationRow,
  verb: OperatorVerb,
  ask: () => Promise<UpdateVerdict>,
): Promise<UpdateVerdict> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof OrchestratorUnreachableError)) throw cause;
    if (cause instanceof ForeignOrchestratorError) throw orchestratorUnavailable(cause, cause.message, { operationId });
    throw outcomeUnknown({ what: `operation ${operationId} takes the ${verb}`, tenantId, operationId }, cause);
  }
}

async function refusal(
  deps: ClientDeps,
  asked: OperationRow,
  verb: OperatorVerb,
  { why, reason }: Extract<UpdateVerdict, { taken: false }>,
): Promise<RequestError> {
  const { id, state } = await newest(deps, asked);
  const details = { operationId: id, state };
  if (why === 'not-running' && isOpen(state))
    return new RequestError(
      'RUN_LOST',
      `operation ${id} is ${state} and does not take the ${verb}, because ${reason}; it gets stuck within two minutes`,
      { details },
    );
  return new RequestError(refusals[verb], `operation ${id} does not take the ${verb}: ${reason}`, { details });
}
