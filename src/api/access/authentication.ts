import type { FastifyRequest } from 'fastify';
import type { CredentialTrace } from '../../contracts/credential.ts';
import type { Authenticator } from './authenticator.ts';
import { localOperator, type Identity } from './identity.ts';
import { unauthenticated } from './refusals.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined on routes that need nobody. */
    identity: Identity | undefined;
    /** How, of a request that lasts; undefined where `identity` is. */
    identified: Identified | undefined;
  }
}

/** Longer ones are refused unread. */
const LONGEST_TOKEN = 8 * 1024;

/** Somebody, and by what their credential can be asked for again. */
export interface Identified {
  readonly identity: Identity;
  /** Undefined: nobody was asked. */
  readonly trace: () => CredentialTrace | undefined;
  /** Asks for the same credential anew. @throws as the first time */
  readonly again: () => Promise<Identity>;
}

/**
 * Whom a request comes from. Without authenticators that is the local operator.
 * @throws RequestError UNAUTHENTICATED
 */
export async function identify(request: FastifyRequest, authenticators: readonly Authenticator[]): Promise<Identified> {
  if (authenticators.length === 0)
    return { identity: localOperator, trace: () => undefined, again: () => Promise.resolve(localOperator) };
  const token = tokenOf(request);
  const authenticator = authenticators.find((one) => one.takes(token));
  if (!authenticator) throw unauthenticated('malformed', 'the token is of no kind that this API takes');
  const again = () => authenticator.authenticate(token);
  return { identity: await again(), trace: () => authenticator.traces?.of(token), again };
}

/**
 * Somebody who was identified before, maybe by another process, if they still are whom they were.
 * @throws RequestError UNAUTHENTICATED
 */
export async function identifyAgain(
  before: Identity,
  credential: CredentialTrace | undefined,
  authenticators: readonly Authenticator[],
): Promise<Identified> {
  const again = async () => {
    if (!credential && authenticators.length === 0) return before;
    const traces = authenticators.find((one) => one.traces?.kind === credential?.kind)?.traces;
    if (credential && traces) return await traces.again(credential, before);
    throw unauthenticated('unknown', 'the credential is of no kind that this API takes');
  };
  return { identity: await again(), trace: () => credential, again };
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
