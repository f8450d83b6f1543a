import type { Caller } from '../contracts/caller.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import { cancelRefusal, retryRefusal } from '../contracts/applicability.ts';
import { isOpen } from '../contracts/operation-state.ts';
import { operationTable } from '../contracts/operation-table.ts';
import { DatabaseUnavailableError } from '../db/database.ts';
import { graceOf } from '../db/grace.ts';
import type { AskedRun } from '../db/idempotency-keys.ts';
import { findOpenOperation, findOperation, type OperationRow } from '../db/operations.ts';
import type { TenantRow } from '../db/tenants.ts';
import { nounOf } from '../products/known-product.ts';
import { cancelInDatabase } from './cancel-in-database.ts';
import { correctRecord, recordRefusal, recordRequest } from './control-records.ts';
import { isCompleted } from './lost-runs.ts';
import {
  ForeignOrchestratorError,
  OrchestratorUnreachableError,
  type OperatorVerb,
  type SentUpdate,
  type UpdateVerdict,
} from './orchestrator.ts';
import type { Once } from './once.ts';
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
  once: Once<AcceptedView>,
): Promise<AcceptedView> {
  const before = await existingTenant(deps.database, tenantId);
  const noun = nounOf(deps.catalog.products, before);
  const keep = (ask: () => Promise<OperationRow>) => keepAnswer({ before, once, verb, ask });
  const { asked } = once;
  if (asked) return keep(() => askAgain(deps, caller, verb, { asked, once }));
  const operation = requireOpen(await findOpenOperation(deps.database, tenantId), verb, noun);
  if (verb === 'cancel') refuseUncancellable(operation);
  const cancelled = verb === 'cancel' ? await cancelInDatabase(deps, caller, operation, once) : undefined;
  return cancelled ?? keep(() => askFirst(deps, caller, verb, { operation, once }));
}

interface Asking {
  readonly before: TenantRow;
  readonly once: Once<AcceptedView>;
  readonly verb: OperatorVerb;
  /** @returns the operation whose run has taken it */
  readonly ask: () => Promise<OperationRow>;
}

/** Keeps what a run said for repeats; when it may yet take the request, they ask it the same. */
async function keepAnswer({ before, once, verb, ask }: Asking): Promise<AcceptedView> {
  try {
    const operation = await ask();
    // As it was: what its run has made of the request by now is a matter of time.
    const view = acceptedView(before, operation, acceptance(`the ${verb}`));
    await once.taken(view);
    return view;
  } catch (error) {
    if (wasNotTaken(error)) await once.refused();
    throw error;
  }
}

/** Of what is not known, and of a defect, nobody may say so. */
function wasNotTaken(error: unknown): boolean {
  if (wasNotAsked(error)) return true;
  return error instanceof RequestError && error.code !== 'OUTCOME_UNKNOWN';
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

async function askFirst(
  deps: ClientDeps,
  caller: Caller,
  verb: OperatorVerb,
  { operation: asked, once }: { readonly operation: OperationRow; readonly once: Once<AcceptedView> },
): Promise<OperationRow> {
  // Somebody else may have closed it meanwhile: then it has no run that would answer.
  refuseWithoutRun(await newest(deps, asked), verb);
  // From here on an answer that does not come leaves it open whether the run has taken the request.
  await reachOrchestrator(deps);
  const recordedAt = await recordRequest(deps, caller, verb, { operation: asked, once });
  // Claimed meanwhile, perhaps: then it has a run id.
  const operation = await newest(deps, asked);
  refuseWithoutRun(operation, verb);
  const { askId: updateId } = once;
  const verdictOf = () => verdictOn(deps, operation, verb, updateId === undefined ? undefined : { updateId });
  return settle(deps, caller, verb, { operation, recordedAt, verdictOf });
}

/**
 * Asks the run once more what an earlier time was to ask it, with the same id: Temporal takes that once, and a run that has ended since
 * shows whether it took it.
 */
async function askAgain(
  deps: ClientDeps,
  caller: Caller,
  verb: OperatorVerb,
  { asked, once: { askId: updateId } }: { readonly asked: AskedRun; readonly once: Once<AcceptedView> },
): Promise<OperationRow> {
  const { operationId, runId, recordedAt } = asked;
  const operation = await findOperation(deps.database, operationId);
  if (!operation || updateId === undefined) throw new Error(`operation ${operationId}, which was asked, is not there`);
  await reachOrchestrator(deps);
  // A run that takes over from the lost one that was asked is what a retry is for.
  if (verb === 'retry' && runId !== null && operation.runId !== runId) return operation;
  const verdictOf = () => verdictOn(deps, operation, verb, { updateId, isRepeated: true });
  return settle(deps, caller, verb, { operation, recordedAt, verdictOf });
}

interface Settling {
  readonly operation: OperationRow;
  /** As {@link recordCancelRequest} answered it. */
  readonly recordedAt: string | undefined;
  readonly verdictOf: () => Promise<UpdateVerdict>;
}

/** Lets the run decide, and has the records say what it did. @throws RequestError when it has not taken the request */
async function settle(
  deps: ClientDeps,
  caller: Caller,
  verb: OperatorVerb,
  { operation, recordedAt, verdictOf }: Settling,
): Promise<OperationRow> {
  const correct = (stands: boolean) =>
    verb === 'cancel' ? correctRecord(deps, operation, stands, recordedAt) : Promise.resolve();
  const verdict = await reached(operation, verb, verdictOf).catch(async (error: unknown) => {
    await correct(!wasNotAsked(error));
    await refuseIfNeverClaimed(deps, operation, verb);
    throw error;
  });
  await correct(verdict.taken);
  if (verdict.taken) return operation;
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

/** The run decides. Of a stuck operation whose run has ended a `retry` starts the run that goes on with it. */
async function verdictOn(
  deps: ClientDeps,
  operation: OperationRow,
  verb: OperatorVerb,
  sent?: SentUpdate,
): Promise<UpdateVerdict> {
  const { id, workflowId, runId, state } = operation;
  const verdict = await deps.orchestrator.update({ operationId: id, workflowId, runId }, verb, sent);
  const isLost = !verdict.taken && verdict.why === 'not-running' && runId !== null;
  if (!isLost) return verdict;
  if (verb === 'retry' && state === 'stuck') {
    if (await hasCompleted(deps, operation)) return { taken: false, why: 'refused', reason: olderThanTemporal };
    if ((await startTakeover(deps, operation)) === 'started') return { taken: true };
  }
  // Another run may be open all the same: one that was reset in Temporal, or started by a retry that came before.
  return deps.orchestrator.update({ operationId: id, workflowId, runId: null }, verb, sent);
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
