import type { ErrorCode } from '../contracts/errors.ts';
import { isOpen } from '../contracts/operation-state.ts';
import { findOpenOperation, findOperation, recordCancelRequest, type OperationRow } from '../db/operations.ts';
import { OrchestratorUnreachableError, type OperatorVerb, type UpdateVerdict } from './orchestrator.ts';
import { existingTenant } from './reading.ts';
import { RequestError } from './request-error.ts';
import { closeUnclaimed, orchestratorUnavailable, startTakeover } from './starting.ts';
import type { ClientDeps } from './requests.ts';
import type { AcceptedView } from './views.ts';

const refusals = { cancel: 'NOT_CANCELLABLE', retry: 'NOTHING_TO_RETRY' } as const satisfies Record<
  OperatorVerb,
  ErrorCode
>;

/** `cancel` or `retry` of the tenant's open operation; answers once the workflow has taken or refused it. */
export async function control(deps: ClientDeps, tenantId: string, verb: OperatorVerb): Promise<AcceptedView> {
  await existingTenant(deps.database, tenantId);
  const operation = await findOpenOperation(deps.database, tenantId);
  if (!operation) throw new RequestError(refusals[verb], `the tenant has no open operation to ${verb}`);
  if (verb === 'cancel') refuseDeprovisioning(operation);
  const settled = verb === 'cancel' && operation.state === 'accepted' && (await cancelUnclaimed(deps, operation));
  if (!settled) await ask(deps, operation, verb);
  const tenant = await existingTenant(deps.database, tenantId);
  return {
    tenantId,
    operationId: operation.id,
    workflowId: operation.workflowId,
    status: tenant.status,
    tenantUrl: tenant.tenantUrl,
  };
}

/** In no state, as its run would say: what it superseded has given up, so nobody would look after what is left. */
function refuseDeprovisioning({ id, type, state }: OperationRow): void {
  if (type !== 'deprovision') return;
  throw new RequestError(
    'NOT_CANCELLABLE',
    `operation ${id} does not take the cancel: a deprovisioning cannot be cancelled`,
    {
      details: { operationId: id, state },
    },
  );
}

/** No run has claimed it: a run that comes later finds it closed and exits. */
function cancelUnclaimed(deps: ClientDeps, operation: OperationRow): Promise<boolean> {
  return deps.database.transaction(async (tx) => {
    await recordCancelRequest(tx, operation.id);
    return closeUnclaimed(tx, operation.id, 'cancelled');
  });
}

async function ask(deps: ClientDeps, asked: OperationRow, verb: OperatorVerb): Promise<void> {
  // Claimed meanwhile, perhaps: then it has a run id.
  const operation = (await findOperation(deps.database, asked.id)) ?? asked;
  const { id } = operation;
  const verdict = await reached(id, verb, () => verdictOn(deps, operation, verb));
  if (!verdict.taken) throw await refusal(deps, operation, verb, verdict);
  if (verb === 'cancel') await recordCancelRequest(deps.database, id);
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
  'its run COMPLETED in Temporal, so this database is older than what happened (a restored backup?), and to take the tenant' +
  ' back might take down a live one: look at it, then DELETE the tenant or abandon the operation';

/** A run records its end before it closes: a provisioning that completed may well have made its tenant active. */
async function hasCompleted({ orchestrator }: ClientDeps, operation: OperationRow): Promise<boolean> {
  if (operation.type !== 'provision') return false;
  const seen = await orchestrator.look(operation);
  return seen.is === 'closed' && seen.as === 'COMPLETED';
}

async function reached(
  operationId: string,
  verb: OperatorVerb,
  ask: () => Promise<UpdateVerdict>,
): Promise<UpdateVerdict> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof OrchestratorUnreachableError)) throw cause;
    throw orchestratorUnavailable(
      cause,
      `no worker answered whether operation ${operationId} takes the ${verb}; look at its state before you ask again`,
      { operationId },
    );
  }
}

async function refusal(
  deps: ClientDeps,
  asked: OperationRow,
  verb: OperatorVerb,
  { why, reason }: Extract<UpdateVerdict, { taken: false }>,
): Promise<RequestError> {
  const { id, state } = (await findOperation(deps.database, asked.id)) ?? asked;
  const details = { operationId: id, state };
  if (why === 'not-running' && isOpen(state))
    return new RequestError(
      'RUN_LOST',
      `operation ${id} is ${state} and does not take the ${verb}, because ${reason}; it gets stuck within two minutes`,
      { details },
    );
  return new RequestError(refusals[verb], `operation ${id} does not take the ${verb}: ${reason}`, { details });
}
