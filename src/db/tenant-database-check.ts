import pg from 'pg';

export interface TenantDatabaseSeen {
  readonly role: string;
  readonly database: string;
  readonly version: string;
  readonly isSuperuser: boolean;
  readonly mayCreateRoles: boolean;
  readonly mayCreateSchemas: boolean;
}

/** What the provisioner's login may do, looked at with one short connection. @throws Error of the driver */
export async function inspectTenantDatabase(url: string): Promise<TenantDatabaseSeen> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'tenantry-doctor',
    connectionTimeoutMillis: 5_000,
  });
  await client.connect();
  try {
    const { rows } = await client.query<TenantDatabaseSeen>(
      `select current_user::text as role, current_database()::text as database, current_setting('server_version') as version,
         rolsuper as "isSuperuser", rolsuper or rolcreaterole as "mayCreateRoles",
         has_database_privilege(current_database(), 'CREATE') as "mayCreateSchemas"
       from pg_roles where rolname = current_user`,
    );
    const [seen] = rows;
    if (!seen) throw new Error('PostgreSQL does not list the role that it let in');
    return seen;
  } finally {
    await client.end();
  }
}
