import type { FastifyReply } from 'fastify';
import type { ErrorCode } from '../contracts/errors.ts';
import { tenantCodes } from './schemas.ts';
import { tenantTag } from '../client/precondition.ts';
import { workersAt } from './idempotency-keys.ts';
import { withTag } from './preconditions.ts';
import type { AcceptedView, ChangeOutcome, WorkersView } from '../client/views.ts';

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

/** Answers 202 for what an operation carries out, and 200 with the tenant where nothing had to be. */
export function answerOutcome(reply: FastifyReply, outcome: ChangeOutcome, workers: WorkersView): FastifyReply {
  return outcome.done
    ? withTag(reply, tenantTag(outcome.tenant))
        .code(200)
        .send({ ...outcome.tenant, changed: outcome.changed })
    : accepted(reply, outcome.accepted, workers);
}

/** Answers 202 with where to look how it goes on, and whether anybody carries it out. */
export function accepted(reply: FastifyReply, view: AcceptedView, workers: WorkersView): FastifyReply {
  const url = `/api/v1/tenants/${view.tenantId}`;
  return reply
    .code(202)
    .header('location', url)
    .send({ ...view, statusUrl: `${url}/status`, workers: workersAt(reply.request, workers) });
}
