import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type Postgres } from '../../sandbox/parts/postgres.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openTenantServer, password, refusalOf, unguarded, type TenantServer } from './tenant-server.ts';

let postgres: Postgres;
let test: TestDatabase;
let server: TenantServer;
beforeAll(async () => {
  // A lock table as small as PostgreSQL lets it be.
  const settings = { max_locks_per_transaction: 10, max_connections: 20, max_prepared_transactions: 2 };
  postgres = await startPostgres({ log: () => undefined, settings });
  test = await createTestDatabase(postgres);
  server = openTenantServer(test);
});
afterAll(async () => {
  await server.close();
  await test.drop();
  await postgres.stop();
});

describe('on a server with a small lock table', () => {
  it('removes a schema of more tables than one transaction can lock', { timeout: 180_000 }, async () => {
    const { admin } = server;
    const key = await server.make();
    for (let i = 0; i < 2_000; i += 20) {
      const tables = Array.from(
        { length: 20 },
        (_, n) => `create table ${key.name}.t${i + n} (id serial primary key, b text)`,
      );
      await admin.query(`begin; set local role ${key.name}; ${tables.join('; ')}; commit`);
    }
    await admin.query(`set role ${key.name}; create view ${key.name}.v as select * from ${key.name}.t1; reset role`);
    await expect(inOneTransaction(admin, `drop schema ${key.name} cascade`)).rejects.toMatchObject({ code: '53200' });
    await server.remove(key);
    const { rows } = await admin.query(
      'select to_regnamespace($1) is null and to_regrole($1) is null as gone, (select count(*)::int from pg_class where relname ~ $2) as left',
      [key.name, '^t[0-9]+$'],
    );
    expect(rows).toEqual([{ gone: true, left: 0 }]);
  });

  it('tries again when the lock table is full of the locks of others', async () => {
    const key = await server.make('create table t (id int)');
    const { admin } = server;
    const hog = await admin.connect();
    try {
      await hog.query('begin');
      await hog.query(lockUntilFull);
      await expect(server.remove(key)).rejects.toMatchObject({
        code: 'CONFLICT_RETRYABLE',
        message: expect.stringContaining('max_locks_per_transaction') as unknown,
        detail: expect.stringMatching(/^53200: .*max_locks_per_transaction/) as unknown,
      });
    } finally {
      await hog.query('rollback');
      hog.release();
    }
    await server.remove(key);
  });
});

/** Ends only when its locks are given back: PostgreSQL sends an error before it lets go of them. */
async function inOneTransaction(pool: pg.Pool, statement: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(statement).finally(() => client.query('rollback'));
  } finally {
    client.release();
  }
}

/** Each lock in a subtransaction, so that the one that fails leaves the others. */
const lockUntilFull = `do $$ begin
  for i in 1..100000 loop
    begin perform pg_advisory_xact_lock(i);
    exception when out_of_memory then exit; end;
  end loop;
end $$`;

describe('a prepared transaction', () => {
  it.each([
    { whose: 'of the tenant', who: (name: string) => name },
    { whose: 'of somebody else that holds a lock in the schema', who: () => 'postgres' },
  ])('$whose keeps it, is named, and can be ended by the statement that is named', async ({ who }) => {
    const { admin } = server;
    const key = await server.make('create table t (id int)');
    const role = who(key.name);
    await admin.query(
      `begin; set local session authorization ${role}; insert into ${key.name}.t values (1); prepare transaction 'half ''way'`,
    );
    const { message } = await refusalOf(server.remove(key));
    expect(message).toContain(
      `nothing was touched. What keeps it: prepared transaction 'half ''way' of role ${role} in database`,
    );
    const statement = /free it with: (ROLLBACK PREPARED .*?) in database/.exec(message)?.[1];
    await admin.query(statement!);
    await server.remove(key);
  });
});

describe('in a database of 6,000 tenants', () => {
  it('the next one is made, connects, and is removed like the first', { timeout: 180_000 }, async () => {
    const provisioner = new pg.Client({ connectionString: test.tenantUrl });
    await provisioner.connect();
    const roles = Array.from({ length: 6_000 }, (_, i) => `crowd_${i}`);
    try {
      for (let i = 0; i < roles.length; i += 100) {
        const some = roles.slice(i, i + 100);
        await provisioner.query(`begin; ${some.map((role) => `create role ${role}`).join('; ')};
          grant connect on database ${provisioner.escapeIdentifier(provisioner.database ?? '')} to ${some.join(', ')}; commit`);
      }
    } finally {
      await provisioner.end();
    }
    const key = await server.make();
    const run = { ...key, password, set: 'moamalat', guard: unguarded };
    expect(await server.databases.runTenantMigrations(run)).toEqual({
      applied: ['0001_notes.sql', '0002_settings.sql'],
    });
    await server.remove(key);
    expect(await server.databases.inspect(key)).toEqual({ role: 'absent', schema: 'absent', renamed: [] });
  });
});

describe('what a role owns beside the schema', () => {
  it('is named with the statement that frees it: a database, and objects in another one', async () => {
    const { admin } = server;
    const key = await server.make();
    await admin.query(`create database his owner ${key.name}`);
    await expect(server.remove(key)).rejects.toMatchObject({
      code: 'STILL_PRESENT',
      message: expect.stringContaining('(free it with: ALTER DATABASE his OWNER TO CURRENT_USER)') as unknown,
    });
    await admin.query('alter database his owner to current_user');
    await server.remove(key);
    await admin.query('drop database his');
  });
});
