import type { FastifyReply } from 'fastify';
import type { ErrorCode } from '../contracts/errors.ts';
import { tenantCodes } from './schemas/parameters.ts';
import { tenantTag } from '../client/precondition.ts';
import { workersAt } from './idempotency-keys.ts';
import { withTag } from './preconditions.ts';
import type { TenantryClient } from '../client/tenantry.ts';
import type { AcceptedView, ChangeOutcome, TenantWithOutcomeView } from '../client/views.ts';
import type { Caller } from '../contracts/caller.ts';
import type { OpenOperationState } from '../contracts/operation-state.ts';
import { awaitTenant } from './awaited-tenant.ts';
import { preferencesOf, waitSignal, withApplied } from './preferences.ts';

/** Error codes of every request that changes something. */
export const mutationCodes = [
  'NOT_SUPPORTED',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'OUTCOME_UNKNOWN',
  'IDEMPOTENCY_KEY_REUSED',
  'IDEMPOTENCY_KEY_IN_USE',
] as const;

/** Error codes of a request that makes a tenant. */
export const creationCodes = [
  ...mutationCodes,
  'UNKNOWN_PRODUCT',
  'FEATURE_DISABLED',
  'CELL_CLOSED',
  'CELL_FULL',
  'FROZEN',
  'ORCHESTRATOR_UNAVAILABLE',
] as const;

/** Error codes of a request that deletes a tenant. */
export const deletionCodes = [
  ...mutationCodes,
  'CONFIRMATION_REQUIRED',
  'PRECONDITION_FAILED',
  ...tenantCodes,
  'TENANT_NOT_DELETABLE',
  'OPERATION_IN_PROGRESS',
  'FROZEN',
  'ORCHESTRATOR_UNAVAILABLE',
] as const;

/** Error codes of a request that changes an active tenant. */
export const changeCodes = [
  ...mutationCodes,
  'PRECONDITION_FAILED',
  'UNKNOWN_PRODUCT',
  ...tenantCodes,
  'TENANT_NOT_CHANGEABLE',
  'OPERATION_IN_PROGRESS',
  'FEATURE_DISABLED',
  'FROZEN',
  'SLUG_TAKEN',
  'CHANGE_NOT_POSSIBLE',
  'ORCHESTRATOR_UNAVAILABLE',
] as const;

/** Error codes of a request to the open operation. */
export function controlCodes(verb: 'cancel' | 'retry'): ErrorCode[] {
  const refused = verb === 'retry' ? 'NOTHING_TO_RETRY' : 'NOT_CANCELLABLE';
  return [...mutationCodes, ...tenantCodes, refused, 'RUN_LOST', 'ORCHESTRATOR_UNAVAILABLE'];
}

/** What answers a request that starts an operation. */
export interface Answering {
  readonly client: TenantryClient;
  readonly caller: Caller;
}

/** Answers 202 for what an operation carries out, and 200 with the tenant where nothing had to be, or the operation has ended already. */
export async function answerOutcome(reply: FastifyReply, outcome: ChangeOutcome, by: Answering): Promise<FastifyReply> {
  return outcome.done
    ? withTag(reply, tenantTag(outcome.tenant))
        .code(200)
        .send({ ...outcome.tenant, changed: outcome.changed })
    : accepted(reply, outcome.accepted, by);
}

/**
 * Answers 202 with where to look how it goes on, and whether anybody carries it out. Of a caller that prefers to wait the answer comes
 * when the operation has ended, 200 with the tenant, or when it waits for somebody, or when the time is over. Either says where the tenant is.
 */
export async function accepted(reply: FastifyReply, view: AcceptedView, by: Answering): Promise<FastifyReply> {
  const url = `/api/v1/tenants/${view.tenantId}`;
  reply.header('location', url);
  const finished = await finishedTenant(reply, view, by);
  if (finished)
    return withTag(reply, tenantTag(finished))
      .code(200)
      .send({ ...finished, operationId: view.operationId });
  return reply
    .code(202)
    .send({ ...view, statusUrl: `${url}/status`, workers: workersAt(reply.request, by.client.workers()) });
}

/** Undefined: nobody waits for it, or it goes on. */
async function finishedTenant(
  reply: FastifyReply,
  view: AcceptedView,
  { client, caller }: Answering,
): Promise<TenantWithOutcomeView | undefined> {
  const { request } = reply;
  const preferences = preferencesOf(request);
  withApplied(reply, preferences);
  const { waitMs: limitMs } = preferences;
  if (limitMs === undefined || limitMs === 0) return undefined;
  const { operationId } = view;
  const isOver = ({ openOperation }: TenantWithOutcomeView) =>
    openOperation?.operationId !== operationId || waitsForSomebody.includes(openOperation.state);
  const signal = waitSignal(request, reply);
  // What only waits keeps no other request of its caller from its turn.
  request.endTurn();
  const seen = await awaitTenant(client, caller, view, { limitMs, isOver, signal, log: request.log });
  // Another one that came after it hides how it ended.
  return 'outcome' in seen && seen.outcome?.operationId === operationId ? seen : undefined;
}

const waitsForSomebody: readonly OpenOperationState[] = ['holding', 'stuck'];
