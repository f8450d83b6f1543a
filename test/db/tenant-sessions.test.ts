import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClosedDatabase, dropDatabase } from '../../sandbox/parts/postgres-databases.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { builtInKinds } from '../../src/kinds/built-in.ts';
import { latenessWindowMs } from '../../src/contracts/verbs.ts';
import { createDatabase } from '../../src/db/database.ts';
import { createTenantDatabases, type TenantDatabases } from '../../src/db/tenant-databases.ts';
import { retryingConcurrentUpdates } from '../../src/db/tenant-schemas.ts';
import { IDLE_IN_TRANSACTION_MS, openProvisionerPool } from '../../src/db/tenant-sessions.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { newKey, openTenantServer, password, refusalOf, unguarded, type TenantServer } from './tenant-server.ts';

let test: TestDatabase;
let server: TenantServer;
beforeAll(async () => {
  test = await createTestDatabase();
  server = openTenantServer(test);
});
afterAll(async () => {
  await server.close();
  await test.drop();
});

const windowsMs = builtInKinds.flatMap(({ limits }) => [
  latenessWindowMs(limits, 'ensure'),
  latenessWindowMs(limits, 'remove'),
]);

async function withDatabases<T>(url: string, fn: (databases: TenantDatabases) => Promise<T>): Promise<T> {
  const databases = createTenantDatabases({ primary: url }, defaultCatalog.migrations);
  try {
    return await fn(databases);
  } finally {
    await databases.close();
  }
}

describe('a worker that is frozen inside a transaction', () => {
  it('for longer than the server waits has changed nothing when it comes back', { timeout: 60_000 }, async () => {
    const [role, schema, migrated] = [newKey(), await server.make(), await server.make()];
    await server.admin.query(`drop schema ${schema.name}`);
    // A guard runs inside the transaction: silent from there on, as a stopped process is.
    const frozen = () => sleep(IDLE_IN_TRANSACTION_MS + 2_000);
    const { databases } = server;
    const late = await Promise.allSettled([
      databases.ensureRole(role, { password, connectionLimit: 5 }, frozen),
      databases.ensureSchema(schema, frozen),
      databases.runTenantMigrations({ ...migrated, password, set: 'moamalat', guard: frozen }),
    ]);
    for (const one of late)
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'TENANT_DATABASE_UNAVAILABLE' } });
    const { rows } = await server.admin.query(
      'select to_regrole($1) is null as role, to_regnamespace($2) is null as schema, to_regclass($3) is null as migration',
      [role.name, schema.name, `${migrated.name}.notes`],
    );
    expect(rows).toEqual([{ role: true, schema: true, migration: true }]);
  });

  it('has less time than any lateness window, in the control database too', async () => {
    const pool = openProvisionerPool(`${test.tenantUrl}?idle_in_transaction_session_timeout=0&lock_timeout=0`);
    const control = createDatabase({ url: test.controlUrl });
    const settings = `select name, setting::int as ms from pg_settings where name in
      ('idle_in_transaction_session_timeout', 'lock_timeout', 'transaction_timeout') order by 1`;
    const client = await pool.connect();
    try {
      let provisioner: { name: string; ms: number }[] = [];
      await retryingConcurrentUpdates(client, async () => {
        provisioner = (await client.query<{ name: string; ms: number }>(settings)).rows;
      });
      const { rows } = await control.query<{ name: string; ms: number }>(settings);
      const limits = [...provisioner, ...rows.filter(({ name }) => name.startsWith('idle'))];
      expect(limits.map(({ name }) => name)).toHaveLength(provisioner.length + 1);
      for (const { ms } of limits) {
        expect(ms).toBeGreaterThan(0);
        expect(ms + 10_000).toBeLessThan(Math.min(...windowsMs));
      }
    } finally {
      client.release();
      await pool.end();
      await control.close();
    }
  });
});

describe('tenant migrations', () => {
  const owners = async (schema: string) =>
    (
      await server.admin.query<{ owner: string }>(
        'select distinct relowner::regrole::text as owner from pg_class where relnamespace = $1::regnamespace',
        [schema],
      )
    ).rows;

  it('run as the tenant in its database, whoever the parameters of the URL name', async () => {
    const key = await server.make();
    const url = new URL(test.tenantUrl);
    for (const [name, value] of Object.entries({ user: url.username, password: url.password, database: 'postgres' }))
      url.searchParams.set(name, value);
    await withDatabases(url.href, (databases) =>
      databases.runTenantMigrations({ ...key, password, set: 'moamalat', guard: unguarded }),
    );
    expect(await owners(key.name)).toEqual([{ owner: key.name }]);
  });

  it('do not run in a session that is not its tenant', async () => {
    const key = await server.make();
    // As a pooler with a fixed user would, from the migration's point of view.
    await server.admin
      .query(`create role powerful_of_${key.name.slice(-8)}; grant powerful_of_${key.name.slice(-8)} to ${key.name};
      alter role ${key.name} set role = 'powerful_of_${key.name.slice(-8)}'`);
    await expect(
      server.databases.runTenantMigrations({ ...key, password, set: 'moamalat', guard: unguarded }),
    ).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringMatching(/no migration was run.*is one of role "powerful_of_/) as unknown,
    });
    expect(await owners(key.name)).toEqual([]);
    await server.admin.query(`alter role ${key.name} reset role; drop role powerful_of_${key.name.slice(-8)}`);
  });
});

describe('a database that the provisioner does not own', () => {
  const name = `unowned_${process.pid}`;
  const inIt = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;

  it('is not taken for closed while PUBLIC has its rights there, and the statements that close it are named', async () => {
    await createClosedDatabase(test.adminUrl, name, 'postgres');
    const admin = new pg.Client({ connectionString: inIt(test.adminUrl) });
    await admin.connect();
    try {
      await admin.query(`grant connect, create on database ${name} to provisioner; grant connect on database ${name} to public;
        grant usage on schema public to public`);
      await withDatabases(inIt(test.tenantUrl), async (databases) => {
        const refused = await refusalOf(databases.closeToPublic());
        expect(refused).toMatchObject({ code: 'ACCESS_DENIED' });
        const statements = /Have the owner run: (.*)$/.exec(refused.message)?.[1];
        expect(statements).toMatch(/revoke connect, temporary on database.*; revoke all on schema public from public/);
        const key = newKey();
        const making = () => databases.ensureRole(key, { password, connectionLimit: 5 }, unguarded);
        await expect(making()).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
        await admin.query(statements!);
        await databases.closeToPublic();
        // Still not the provisioner's to give away.
        await expect(making()).rejects.toMatchObject({
          code: 'ACCESS_DENIED',
          message: expect.stringContaining('may not connect to database') as unknown,
        });
        expect((await admin.query('select from pg_roles where rolname = $1', [key.name])).rowCount).toBe(0);
      });
    } finally {
      await admin.end();
      await dropDatabase(test.adminUrl, name);
    }
  });
});
