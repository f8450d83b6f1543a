import type { FastifyBaseLogger } from 'fastify';
import { makingRoles, type CallerScope } from '../../contracts/caller.ts';
import { hashOfKey, isKey, isWholeKey } from '../../service-key.ts';
import type { Queryable } from '../../db/database.ts';
import { findServiceKey, markServiceKeyUsed, type ServiceKeyRow } from '../../db/service-keys.ts';
import type { Authenticator } from './authenticator.ts';
import type { Identity } from './identity.ts';
import { unauthenticated } from './refusals.ts';

/** Between two marks of a key's use by this process, in ms. */
const MARK_EVERY_MS = 60_000;

export interface ServiceKeyDeps {
  readonly database: Queryable;
  readonly log: Pick<FastifyBaseLogger, 'warn'>;
}

/** Takes service keys. Each request looks its key up, so that one that is revoked ends with the next request. */
export function serviceKeyAuthenticator({ database, log }: ServiceKeyDeps): Authenticator {
  const markUsed = usageMarks({ database, log });
  const identityOf = (found: ServiceKeyRow | undefined): Identity => {
    const key = inForce(found);
    markUsed(key.id);
    const { name, role, expiresAt } = key;
    const scope = scopeOf(key);
    return { principal: `key:${name}`, role, expiresAt, ...(scope && { scope }) };
  };
  return {
    takes: isKey,
    authenticate: async (token) => {
      if (!isWholeKey(token)) throw unauthenticated('malformed', 'the service key is not whole');
      return identityOf(await findServiceKey(database, hashOfKey(token)));
    },
    traces: {
      kind: 'service-key',
      of: (token) => ({ kind: 'service-key', hash: hashOfKey(token).toString('hex') }),
      again: async (trace) => {
        if (trace.kind !== 'service-key') throw unauthenticated('unknown', 'that is no service key');
        return identityOf(await findServiceKey(database, Buffer.from(trace.hash, 'hex')));
      },
    },
  };
}

function inForce(key: ServiceKeyRow | undefined): ServiceKeyRow {
  if (!key) throw unauthenticated('unknown', 'there is no such service key');
  if (key.revokedAt) throw unauthenticated('revoked', `the service key ${key.name} was revoked`);
  if (key.expired) throw unauthenticated('expired', `the service key ${key.name} has expired`);
  return key;
}

function scopeOf({ role, tenants }: ServiceKeyRow): CallerScope | undefined {
  if (makingRoles.includes(role)) return { kind: 'own' };
  return role === 'tenant-admin' ? { kind: 'tenants', ids: tenants } : undefined;
}

/** Keeps in the background that a key is used: no request waits for it, or fails with it. */
function usageMarks({ database, log }: ServiceKeyDeps): (id: string) => void {
  const markedAtMs = new Map<string, number>();
  return (id) => {
    const nowMs = performance.now();
    if (nowMs - (markedAtMs.get(id) ?? -Infinity) < MARK_EVERY_MS) return;
    markedAtMs.set(id, nowMs);
    markServiceKeyUsed(database, id).catch((error: unknown) => {
      log.warn({ err: error, key: id }, 'the last use of a service key could not be kept');
    });
  };
}
