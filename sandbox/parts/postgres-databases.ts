import pg from 'pg';

/** Passwords, by what they open. */
export type PostgresCredentials = {
  /** Superuser `postgres`. */
  admin: string;
  /** Role `tenantry`. */
  control: string;
  /** Role `provisioner`. */
  tenant: string;
};

/**
 * Makes the roles `tenantry` and `provisioner` with a database each, unless they are there, and takes CONNECT away from
 * PUBLIC everywhere: a tenant's role gets into the database of tenants only, and only when it is granted.
 */
export async function setUpDatabases(adminUrl: string, credentials: PostgresCredentials): Promise<void> {
  await withAdmin(adminUrl, async (client) => {
    await ensureRole(client, 'tenantry', 'NOCREATEROLE', credentials.control);
    await ensureRole(client, 'provisioner', 'CREATEROLE', credentials.tenant);
    await ensureDatabase(client, 'tenantry', 'tenantry');
    await ensureDatabase(client, 'tenants', 'provisioner');
    await client.query('REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template0, template1 FROM PUBLIC');
  });
}

/** Makes a database that only its owner (and the superuser) gets into. */
export async function createClosedDatabase(adminUrl: string, name: string, owner: string): Promise<void> {
  await withAdmin(adminUrl, (client) => createClosed(client, name, owner));
}

/** Drops it, whoever is connected. */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await withAdmin(adminUrl, (client) =>
    client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`),
  );
}

async function withAdmin<T>(adminUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl });
  // A session that the server ends fails the query, too.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function ensureRole(client: pg.Client, name: string, attributes: string, password: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
  if (rowCount) return;
  await client.query(
    `CREATE ROLE ${client.escapeIdentifier(name)} LOGIN NOSUPERUSER NOCREATEDB ${attributes} PASSWORD ${client.escapeLiteral(password)}`,
  );
}

async function ensureDatabase(client: pg.Client, name: string, owner: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (!rowCount) await createClosed(client, name, owner);
}

async function createClosed(client: pg.Client, name: string, owner: string): Promise<void> {
  const database = client.escapeIdentifier(name);
  await client.query(`CREATE DATABASE ${database} OWNER ${client.escapeIdentifier(owner)} STRATEGY file_copy`);
  await client.query(`REVOKE CONNECT, TEMPORARY ON DATABASE ${database} FROM PUBLIC`);
}
