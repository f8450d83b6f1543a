import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate, MigrationError, pendingMigrations, readMigrations } from '../../src/db/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

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
