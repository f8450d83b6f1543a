import type { FastifyReply } from 'fastify';
import type { AcceptedView, WorkersView } from '../client/views.ts';

/** Error codes of every request that changes something. */
export const mutationCodes = [
  'NOT_SUPPORTED',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'OUTCOME_UNKNOWN',
] as const;

/** Answers 202 with where to look how it goes on, and whether anybody carries it out. */
export function accepted(reply: FastifyReply, view: AcceptedView, workers: WorkersView): FastifyReply {
  const url = `/api/v1/tenants/${view.tenantId}`;
  return reply
    .code(202)
    .header('location', url)
    .send({ ...view, statusUrl: `${url}/status`, workers });
}
