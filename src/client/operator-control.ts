import type { ErrorCode } from '../contracts/errors.ts';
import { findOpenOperation, findOperation, recordCancelRequest, type OperationRow } from '../db/operations.ts';
import type { OperatorVerb, UpdateVerdict } from './orchestrator.ts';
import { existingTenant } from './reading.ts';
import { RequestError } from './request-error.ts';
import { closeUnclaimed } from './starting.ts';
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
  const { id, workflowId, runId } = operation;
  let verdict: UpdateVerdict;
  try {
    verdict = await deps.orchestrator.update({ operationId: id, workflowId, runId }, verb);
  } catch (cause) {
    throw new RequestError(
      'ORCHESTRATOR_UNAVAILABLE',
      `no worker answered whether operation ${id} takes the ${verb}; look at its state before you ask again`,
      {
        details: { operationId: id },
        cause,
      },
    );
  }
  if (!verdict.taken) throw await refusal(deps, operation, verb, verdict.reason);
  if (verb === 'cancel') await recordCancelRequest(deps.database, id);
}

async function refusal(
  deps: ClientDeps,
  asked: OperationRow,
  verb: OperatorVerb,
  reason: string,
): Promise<RequestError> {
  const { id, state } = (await findOperation(deps.database, asked.id)) ?? asked;
  return new RequestError(refusals[verb], `operation ${id} does not take the ${verb}: ${reason}`, {
    details: { operationId: id, state },
  });
}
