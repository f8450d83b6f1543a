import type { FastifyRequest } from 'fastify';
import type { Authenticator } from './authenticator.ts';
import { localOperator, type Identity } from './identity.ts';
import { unauthenticated } from './refusals.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined on routes that need nobody. */
    identity: Identity | undefined;
  }
}

/** Longer ones are refused unread. */
const LONGEST_TOKEN = 8 * 1024;

/**
 * Whom a request comes from. Without authenticators that is the local operator.
 * @throws RequestError UNAUTHENTICATED
 */
export async function identityOf(request: FastifyRequest, authenticators: readonly Authenticator[]): Promise<Identity> {
  if (authenticators.length === 0) return localOperator;
  const token = tokenOf(request);
  const authenticator = authenticators.find((one) => one.takes(token));
  if (authenticator) return await authenticator.authenticate(token);
  throw unauthenticated('malformed', 'the token is of no kind that this API takes');
}

/** `Authorization: Bearer <token>` alone: what stands in a URL ends up in logs. */
function tokenOf({ headers }: FastifyRequest): string {
  const given = headers.authorization;
  if (given === undefined)
    throw unauthenticated('missing', 'the header Authorization is missing: send Bearer and a token');
  const token = /^Bearer +([\w\-.~+/]+=*)$/i.exec(given)?.[1];
  if (token === undefined) throw unauthenticated('malformed', 'the header Authorization is not Bearer and one token');
  if (token.length > LONGEST_TOKEN)
    throw unauthenticated('malformed', `the token is longer than ${LONGEST_TOKEN} characters`);
  return token;
}
