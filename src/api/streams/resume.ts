import type { FastifyRequest } from 'fastify';
import { RequestError } from '../../client/request-error.ts';

/** Where a stream goes on. */
export interface Resume {
  /** Id of the last event that the client has; 0: none. */
  readonly after: number;
  /** Where the request says so. */
  readonly said: { readonly header: string } | { readonly parameter: string };
}

/**
 * The header `Last-Event-ID` counts before the parameter `after`: a browser that comes again sends the header, with the URL of the first time.
 * @throws RequestError INVALID_INPUT
 */
export function resumeOf({ headers }: FastifyRequest, after: number): Resume {
  const given = headers['last-event-id'];
  if (given === undefined || given === '') return { after, said: { parameter: 'after' } };
  if (typeof given === 'string' && /^\d{1,15}$/.test(given))
    return { after: Number(given), said: { header: 'last-event-id' } };
  throw new RequestError('INVALID_INPUT', 'the header Last-Event-ID must be the id of an event', {
    details: { header: 'last-event-id' },
  });
}

/**
 * Nobody can have been sent an event that there is not: it would be waited for in silence, and those before it would be missed.
 * @throws RequestError INVALID_INPUT
 */
export function refuseFuture({ after, said }: Resume, newest: number): void {
  if (after <= newest) return;
  throw new RequestError(
    'INVALID_INPUT',
    `the tenant's newest event is ${newest}, and ${after} is none that was sent of it: the id is of another tenant, or the database was ` +
      'restored since; read the events anew',
    { details: { ...said, newest } },
  );
}
