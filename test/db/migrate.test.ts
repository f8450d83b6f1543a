import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, type Database, type Queryable, type TransactionOptions } from '../../src/db/database.ts';
import { appendEvent } from '../../src/db/events.ts';
import {
  migrate,
  MigrationError,
  pendingMigrations,
  readMigrations,
  type MigrationResult,
} from '../../src/db/migrate.ts';
import { testCaller } from '../support/caller.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { seedTenant, type Seeded } from './fixtures.ts';

const migrations = fileURLToPath(new URL('../../migrations', import.meta.url));

describe('migrate', () => {
  let test: TestDatabase;
  let db: Database;
  let folder: string;
  beforeEach(async () => {
    test = await createTestDatabase();
    db = createDatabase({ url: test.controlUrl });
    folder = mkdtempSync(join(tmpdir(), 'tenantry-migrations-'));
    cpSync(migrations, folder, { recursive: true });
  });
  afterEach(async () => {
    await db.close();
    await test.drop();
    rmSync(folder, { recursive: true });
  });

  it('applies every file once when several processes do it at once', async () => {
    const results = await Promise.all([1, 2, 3].map(() => migrate(test.controlUrl)));
    const applied = results.flatMap((r) => r.applied);
    expect(applied.toSorted()).toEqual(readMigrations(migrations).map((f) => f.name));
    expect(await pendingMigrations(db)).toEqual([]);
    expect((await db.query('select id from installation')).rowCount).toBe(1);
    expect((await migrate(db)).applied).toEqual([]);
  });

  it('has the events of before the projection projected, and keeps what came meanwhile', async () => {
    const later = readMigrations(folder).filter(({ name }) => name > '0031');
    for (const { name } of later) rmSync(join(folder, name));
    await migrate(test.controlUrl, folder);
    const [before, meanwhile] = [await insertOlderTenant(db), await insertOlderTenant(db)];
    await db.query('delete from tenant_projections where tenant_id = $1', [before]);
    await db.query('update tenant_projections set newest_event_id = 1000 where tenant_id = $1', [meanwhile]);
    await migrate(test.controlUrl);
    const { rows } = await db.query<{ newest: string; pending: boolean }>(
      `select newest_event_id as newest, pending_since is not null as pending from tenant_projections order by newest_event_id`,
    );
    const events = await db.query<{ id: string }>('select max(id) as id from events where tenant_id = $1', [before]);
    expect(rows).toEqual([
      { newest: events.rows[0]?.id, pending: true },
      { newest: '1000', pending: true },
    ]);
  });

  it('fills what tenants are searched by without keeping anybody from changing them, and has what was changed meanwhile', async () => {
    const fill = readMigrations(folder).find(({ name }) => name === '0044_tenant_texts.sql');
    for (const { name } of readMigrations(folder).filter((file) => file.name > '0044')) rmSync(join(folder, name));
    await migrate(test.controlUrl, folder);
    const [renamed] = [await insertOlderTenant(db), await insertOlderTenant(db)];
    const locks = await db.transaction(async (tx) => {
      await tx.query(fill?.sql ?? '');
      const { rows } = await tx.query<{ mode: string }>(
        `select distinct mode from pg_locks where pid = pg_backend_pid() and relation = 'tenants'::regclass`,
      );
      await tx.query('drop table tenant_texts; drop function text_grams, searched_text');
      return rows;
    });
    expect(locks).toEqual([{ mode: 'AccessShareLock' }]);
    cpSync(join(migrations, '0044_tenant_texts.sql'), join(folder, '0044_tenant_texts.sql'));
    await migrate(test.controlUrl, folder);
    await db.query(`update tenants set display_name = 'Renamed Meanwhile' where id = $1`, [renamed]);
    await insertOlderTenant(db);
    await migrate(test.controlUrl);
    const { rows } = await db.query<{ n: number; same: boolean }>(
      `select count(*)::int as n, bool_and(x.text = searched_text(slug || E'\\n' || display_name || E'\\n' || contact_email)) as same
       from tenants t join tenant_texts x on x.tenant_id = t.id`,
    );
    expect(rows).toEqual([{ n: 3, same: true }]);
  });

  it('has every three letters in a row of a text that is searched', async () => {
    await migrate(test.controlUrl);
    const texts = ['', 'ab', 'abc', 'äöü€', 'aaaaa', "a\\b'"];
    const { rows } = await db.query<{ grams: string[] }>(
      'select text_grams(text) as grams from unnest($1::text[]) with ordinality as u (text, n) order by n',
      [texts],
    );
    expect(rows.map(({ grams }) => grams)).toEqual([
      ...[[], [], ['abc'], ['äöü', 'öü€'], ['aaa', 'aaa', 'aaa'], ['a\\b', "\\b'"]],
    ]);
  });

  it('refuses a file that was changed after it had been applied', async () => {
    await migrate(test.controlUrl, folder);
    writeFileSync(join(folder, '0001_init.sql'), 'select 1;');
    await expect(migrate(test.controlUrl, folder)).rejects.toThrow('0001_init.sql was changed');
  });

  it('refuses a database that is newer than the code', async () => {
    writeFileSync(join(folder, '9999_later.sql'), 'create table later ();');
    await migrate(test.controlUrl, folder);
    await expect(migrate(test.controlUrl)).rejects.toThrow('9999_later.sql, which this code does not know');
  });

  it('runs no file of a folder in which one begins or ends a transaction', async () => {
    writeFileSync(join(folder, '9998_fine.sql'), 'create table fine ();');
    writeFileSync(join(folder, '9999_own.sql'), 'create table half ();\ncommit;\nselect 1 / 0;');
    const refused = 'migration 9999_own.sql has its own COMMIT in line 2: each file runs in one transaction';
    await expect(migrate(test.controlUrl, folder)).rejects.toThrow(refused);
    await expect(pendingMigrations(db, folder)).rejects.toThrow(refused);
    expect(await tablesOf(db, 'fine', 'half', 'schema_migrations')).toEqual([]);
  });

  it('reads strings as it read the file, whatever the database was set to', async () => {
    await migrate(test.controlUrl, folder);
    const admin = new pg.Client({ connectionString: test.adminUrl });
    await admin.connect();
    await admin.query(
      `alter database ${new URL(test.controlUrl).pathname.slice(1)} set standard_conforming_strings = off`,
    );
    await admin.end();
    // With the setting off, the string ends before the COMMIT.
    const sql = `create table half (); select 'a\\''; commit; select ' as x --'\n; select 1 / 0;`;
    writeFileSync(join(folder, '9999_later.sql'), sql);
    await expect(migrate(test.controlUrl, folder)).rejects.toThrow('division by zero');
    expect(await tablesOf(db, 'half')).toEqual([]);
  });

  it('leaves nothing of a file that fails, and applies it once it is fixed', async () => {
    await migrate(test.controlUrl, folder);
    writeFileSync(join(folder, '9999_later.sql'), 'create table half (); select 1 / 0;');
    await expect(migrate(test.controlUrl, folder)).rejects.toBeInstanceOf(MigrationError);
    expect((await db.query(`select to_regclass('half') as half`)).rows).toEqual([{ half: null }]);
    writeFileSync(join(folder, '9999_later.sql'), 'create table half ();');
    expect((await migrate(test.controlUrl, folder)).applied).toEqual(['9999_later.sql']);
  });
});

/** What the product does meanwhile, in sessions of its own. */
describe('a migration of tables that are in use', () => {
  let test: TestDatabase;
  let db: Database;
  let tenant: Seeded;
  let folder: string;
  const later = '9999_later.sql';
  beforeEach(async () => {
    test = await createTestDatabase();
    await migrate(test.controlUrl);
    db = createDatabase({ url: test.controlUrl, applicationName: 'a-product' });
    tenant = await seedTenant(db);
    folder = mkdtempSync(join(tmpdir(), 'tenantry-migrations-'));
    cpSync(migrations, folder, { recursive: true });
  });
  afterEach(async () => {
    await db.close();
    await test.drop();
    rmSync(folder, { recursive: true });
  });
  const event = { type: 'tenant.status', data: {}, caller: testCaller } as const;
  const writeEvent = (tx: Queryable) =>
    appendEvent(tx, { ...event, tenantId: tenant.tenantId, operationId: tenant.operationId, cell: 'default' });
  const writeOperation = (tx: Queryable) =>
    tx.query('update operations set updated_at = now() where id = $1', [tenant.operationId]);
  const untilMigrationWaits = async () => {
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      and application_name = 'tenantry-migrate'`;
    while ((await db.query(waiting)).rowCount === 0) await sleep(10);
  };
  const addTo = (table: string) => `alter table ${table} add column later text;`;

  it.each([
    ['in the same order', addTo('events') + addTo('operations'), [writeEvent, writeOperation]],
    ['in the other order', addTo('events') + addTo('operations'), [writeOperation, writeEvent]],
    ['in its own order', addTo('operations') + addTo('events'), [writeEvent, writeOperation]],
  ] as const)('ends no transaction that takes them %s, and is applied after it', async (_, sql, [first, second]) => {
    writeFileSync(join(folder, later), sql);
    let runs = 0;
    let migrating: Promise<MigrationResult> | undefined;
    await db.transaction(async (tx) => {
      runs += 1;
      await first(tx);
      migrating ??= migrate(test.controlUrl, folder, { pauseMs: 100 });
      await untilMigrationWaits();
      await second(tx);
    });
    expect(await migrating).toEqual({ applied: [later] });
    expect(runs).toBe(1);
  });

  it('lets others by while somebody reads for long, and names who is in its way when that does not end', async () => {
    writeFileSync(join(folder, later), addTo('events'));
    const reader = new pg.Client({ connectionString: test.controlUrl, application_name: 'pg_dump' });
    await reader.connect();
    await reader.query('begin; lock table events in access share mode');
    const waits: string[] = [];
    const options = { forMs: 2_500, pauseMs: 200, onWait: (reason: string) => void waits.push(reason) };
    const migrating = migrate(test.controlUrl, folder, options).catch((error: unknown) => error);
    const durationsMs: number[] = [];
    const others = (async () => {
      for (let i = 0; i < 10; i += 1) {
        const at = performance.now();
        await writeEvent(db);
        durationsMs.push(performance.now() - at);
        await sleep(100);
      }
    })();
    const refused = await migrating;
    expect(refused).toBeInstanceOf(MigrationError);
    expect(String(refused)).toMatch(
      /9999_later.sql failed: .*lock timeout; tried for 2.5 s; in its way: pid \d+ \(pg_dump/,
    );
    expect(waits[0]).toMatch(/in its way: pid \d+ \(pg_dump, idle in transaction\).*lock table events/);
    await others;
    expect(Math.max(...durationsMs)).toBeLessThan(2_000);
    await reader.end();
    expect((await migrate(test.controlUrl, folder, { pauseMs: 100 })).applied).toEqual([later]);
  });
});

describe('a transaction that PostgreSQL ends because of another one', () => {
  let test: TestDatabase;
  let db: Database;
  beforeAll(async () => {
    test = await createTestDatabase();
    db = createDatabase({ url: test.controlUrl });
    await db.query('create table things (id int primary key, n int not null)');
    await db.query('insert into things values (1, 0), (2, 0)');
  });
  afterAll(async () => {
    await db.close();
    await test.drop();
  });
  /** Two transactions that take two rows in opposite order, each the first time only after the other has its first. */
  const cross = (options?: TransactionOptions) => {
    const arrived = new Set<number>();
    let runs = 0;
    const one = (mine: number, other: number) =>
      db.transaction(async (tx) => {
        runs += 1;
        await tx.query('update things set n = n + 1 where id = $1', [mine + 1]);
        arrived.add(mine);
        while (!arrived.has(other)) await sleep(5);
        await tx.query('update things set n = n + 1 where id = $1', [other + 1]);
      }, options);
    return { both: () => Promise.allSettled([one(0, 1), one(1, 0)]), runs: () => runs };
  };

  it('runs again and takes effect once, after a deadlock', async () => {
    const { both, runs } = cross();
    expect((await both()).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(runs()).toBe(3);
    expect((await db.query('select n from things order by id')).rows).toEqual([{ n: 2 }, { n: 2 }]);
  });

  it('does not run again where it does more than SQL', async () => {
    const { both, runs } = cross({ once: true });
    const reasons = (await both()).flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    expect(reasons).toEqual([expect.objectContaining({ name: 'DatabaseUnavailableError' })]);
    expect(runs()).toBe(2);
  });
});

/** As a release before wrote it: the tables may lack what today's queries name. */
async function insertOlderTenant(db: Database): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `with slug as (select 't' || substr(gen_random_uuid()::text, 1, 8) as slug), tenant as (
       insert into tenants (id, product, slug, display_name, contact_email, cell, host_name, tenant_url)
       select gen_random_uuid(), 'moamalat', slug, 'A tenant', 'somebody@tenants.test', 'main', slug || '.tenants.test',
         'https://' || slug || '.tenants.test' from slug returning *
     )
     insert into events (cell, tenant_id, type, data, caller) select cell, id, 'tenant.accepted', '{}', $1 from tenant
     returning tenant_id as id`,
    [JSON.stringify(testCaller)],
  );
  if (!rows[0]) throw new Error('the tenant was not inserted');
  return rows[0].id;
}

async function tablesOf(db: Database, ...names: string[]): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>('select relname as name from pg_class where relname = any ($1)', [
    names,
  ]);
  return rows.map(({ name }) => name);
}

describe('a database that is not there', () => {
  let db: Database;
  beforeAll(() => {
    db = createDatabase({ url: 'postgresql://nobody@127.0.0.1:1/none' });
  });
  afterAll(() => db.close());

  it('is reported as unavailable, by queries and transactions', async () => {
    await expect(db.query('select 1')).rejects.toMatchObject({ name: 'DatabaseUnavailableError' });
    await expect(db.transaction((tx) => tx.query('select 1'))).rejects.toMatchObject({
      name: 'DatabaseUnavailableError',
    });
  });
});
