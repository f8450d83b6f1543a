import type pg from 'pg';
import { newClient } from './connections.ts';
import { sessionProblems } from './session-problems.ts';
import { provisionerConnection } from './tenant-sessions.ts';

export interface TenantDatabaseSeen {
  readonly role: string;
  readonly database: string;
  readonly version: string;
  readonly isSuperuser: boolean;
  readonly mayCreateRoles: boolean;
  readonly mayCreateSchemas: boolean;
  /** It owns the database, so it may take CONNECT from PUBLIC and give it to tenants. */
  readonly isOwner: boolean;
  /** How many roles have rights on the database: a tenant each. */
  readonly rolesWithRights: number;
  /** See {@link identifyServer}. */
  readonly server: string;
}

/** What is set up wrongly for the provisioner's sessions; a sentence each. @throws DatabaseUnavailableError */
export function provisionerProblems(url: string): Promise<string[]> {
  return sessionProblems(provisionerConnection(url));
}

/** What the provisioner's login may do, looked at with one short session like those of a worker. @throws Error of the driver */
export async function inspectTenantDatabase(url: string): Promise<TenantDatabaseSeen> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<TenantDatabaseSeen>(
      `select current_user::text as role, current_database()::text as database, current_setting('server_version') as version,
         rolsuper as "isSuperuser", rolsuper or rolcreaterole as "mayCreateRoles",
         has_database_privilege(current_database(), 'CREATE') as "mayCreateSchemas",
         pg_has_role(current_user, datdba, 'usage') as "isOwner", coalesce(cardinality(datacl), 0) as "rolesWithRights",
         ${identity} as server
       from pg_roles, pg_database where rolname = current_user and datname = current_database()`,
    );
    return theOne(rows);
  });
}

/**
 * Tells one PostgreSQL server from another, by whatever name it is reached (aliases, proxies, `localhost`). The same until
 * the server restarts. @throws Error of the driver
 */
export async function identifyServer(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ server: string }>(`select ${identity} as server`);
    return theOne(rows).server;
  });
}

/** In microseconds, and readable by every role; the cluster's own identifier is not, on managed servers. */
const identity = 'extract(epoch from pg_postmaster_start_time())::text';

async function withClient<T>(url: string, look: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = newClient({ ...provisionerConnection(url), application_name: 'tenantry-doctor' });
  try {
    await client.connect();
    return await look(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function theOne<T>([row]: readonly T[]): T {
  if (row === undefined) throw new Error('PostgreSQL does not list the role that it let in');
  return row;
}
