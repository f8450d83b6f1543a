import type pg from 'pg';
import { parse, toClientConfig } from 'pg-connection-string';
import { newClient, newPool } from './connections.ts';

/**
 * How long the server keeps a transaction whose client is silent. Well below `latenessWindowMs`: a worker that is frozen
 * between a change and its COMMIT must not commit after its step was judged (design rule 7).
 */
export const IDLE_IN_TRANSACTION_MS = 10_000;

/** How long one of the provisioner's transactions may take in all, where the server knows such a limit (17 and later). */
export const TRANSACTION_MS = 25_000;

const lockTimeoutMs = 5_000;
const statementTimeoutMs = 5 * 60_000;

const common = {
  connectionTimeoutMillis: 5_000,
  keepAlive: true,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
};

export function openProvisionerPool(url: string): pg.Pool {
  return newPool({ ...provisionerConnection(url), max: 4, idleTimeoutMillis: 30_000 });
}

/** Sessions of the provisioner; the preflight's, too. The settings here win over parameters of the URL. */
export function provisionerConnection(url: string): pg.ClientConfig {
  return {
    ...partsOf(url),
    ...common,
    application_name: 'tenantry-provisioner',
    lock_timeout: lockTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 5_000,
  };
}

/** How long the server keeps a dump's transaction, which changes nothing, while a file of it is being stored. */
const DUMP_IDLE_MS = 5 * 60_000;

/** A provisioner's session, not connected yet, whose statements may take as long as they take: for a dump. */
export function newDumpClient(url: string): pg.Client {
  return newClient({
    ...partsOf(url),
    ...common,
    application_name: 'tenantry-dump',
    lock_timeout: lockTimeoutMs,
    statement_timeout: 0,
    idle_in_transaction_session_timeout: DUMP_IDLE_MS,
  });
}

/** A session, not connected yet, as whoever the URL names: for loading a dump. */
export function newLoadClient(url: string): pg.Client {
  return newClient({
    ...partsOf(url),
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    application_name: 'tenantry-load',
  });
}

/** Who a session is to be, and where. */
export interface TenantLogin {
  readonly role: string;
  readonly password: string;
  /** The database that the provisioner's sessions are in. */
  readonly database: string;
}

/** A session, not connected yet, on the provisioner's server with its TLS settings: as the tenant, whatever the URL names. */
export function newTenantClient(provisionerUrl: string, { role, password, database }: TenantLogin): pg.Client {
  return newClient({
    ...partsOf(provisionerUrl),
    ...common,
    user: role,
    password,
    database,
    application_name: 'tenantry-migrations',
    lock_timeout: 10_000,
  });
}

/** As `pg` reads a connection string itself; there its parameters (`?user=`, `?lock_timeout=`) win over every setting. */
function partsOf(url: string): pg.ClientConfig {
  const parts = parse(url);
  const { ssl } = parts;
  if (typeof ssl !== 'string') return toClientConfig(parts);
  // `ssl=no-verify` and the like; a word that means nothing is TLS all the same, never a connection without it.
  return { ...toClientConfig(parts), ssl: ssl === 'no-verify' ? { rejectUnauthorized: false } : true };
}
