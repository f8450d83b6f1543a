import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RequestError } from '../../client/request-error.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import { isWholeTicket } from '../../stream-ticket.ts';
import { identifyAgain, type Identified } from './authentication.ts';
import type { Authenticator } from './authenticator.ts';
import { unauthenticated } from './refusals.ts';

/** What a request has for a ticket; undefined: nothing. A HEAD opens no stream, and uses none up. */
export function ticketOf({ method, query }: FastifyRequest): unknown {
  return method === 'GET' ? z.object({ ticket: z.unknown() }).safeParse(query).data?.ticket : undefined;
}

interface Given {
  readonly ticket: unknown;
  /** Undefined: the path names none. */
  readonly tenantId: string | undefined;
  readonly authorization: string | undefined;
}

/**
 * Whom a ticket for a stream stands for. It is used up, also where the stream is refused afterwards; what is wrong with one is not told.
 * @throws RequestError UNAUTHENTICATED; INVALID_INPUT beside another credential
 */
export async function identifyByTicket(
  { ticket, tenantId, authorization }: Given,
  authenticators: readonly Authenticator[],
  client: Pick<TenantryClient, 'useStreamTicket'>,
): Promise<Identified> {
  if (authorization !== undefined)
    throw new RequestError('INVALID_INPUT', 'a ticket or the header Authorization, not both', {
      details: { fields: [{ field: 'querystring.ticket', problem: 'the header Authorization is there too' }] },
    });
  if (typeof ticket !== 'string' || !isWholeTicket(ticket) || tenantId === undefined) throw unusable();
  const holder = await client.useStreamTicket(ticket, tenantId);
  if (!holder) throw unusable();
  try {
    const { credential, ...before } = holder;
    return await identifyAgain(before, credential, authenticators);
  } catch (error) {
    throw error instanceof RequestError && error.code === 'UNAUTHENTICATED' ? unusable(error) : error;
  }
}

function unusable(cause?: unknown): RequestError {
  return unauthenticated('ticket', 'the ticket opens no stream of this tenant: ask for another one', cause);
}
