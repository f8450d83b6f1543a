import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { keepRecent } from '../../recent-keys.ts';

const MOST_KNOWN = 10_000;

/** Whose credential was taken before, by its hash; the one that was unseen longest is forgotten first. It lets nobody in. */
export interface KnownCallers {
  /** @returns the principal */
  find(hash: string | undefined): string | undefined;
  remember(hash: string | undefined, principal: string): void;
  forget(hash: string | undefined): void;
}

export function knownCallers(): KnownCallers {
  const principals = new Map<string, string>();
  const remember = (hash: string | undefined, principal: string) => {
    if (hash !== undefined) keepRecent(principals, hash, principal, MOST_KNOWN);
  };
  return {
    remember,
    find: (hash) => {
      const principal = hash === undefined ? undefined : principals.get(hash);
      if (principal !== undefined) remember(hash, principal);
      return principal;
    },
    forget: (hash) => {
      if (hash !== undefined) principals.delete(hash);
    },
  };
}

/** Of what a request shows of its caller. @returns undefined where that is nothing, or a ticket, which nobody shows twice */
export function hashOfCredential({ headers: { authorization } }: Pick<FastifyRequest, 'headers'>): string | undefined {
  if (authorization === undefined) return undefined;
  return createHash('sha256').update(authorization).digest('base64url');
}
