import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordMigration } from '../../src/db/tenant-migrations.ts';
import { beginIdentified } from '../../src/db/unclear-commits.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let test: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  test = await createTestDatabase();
  client = new pg.Client({ connectionString: test.controlUrl });
  await client.connect();
  await client.query('create table schema_migrations (name text primary key, checksum text not null)');
});
afterAll(async () => {
  await client.end();
  await test.drop();
});

const file = { name: '0001_own.sql', checksum: 'abc' };

describe('a migration that left its transaction', () => {
  it.each(['commit', 'rollback', 'commit; begin', 'rollback and chain'])('by "%s" is not recorded', async (sql) => {
    const transaction = await beginIdentified(client);
    await client.query(sql);
    await expect(recordMigration(client, transaction, file)).rejects.toThrow('the file ended the transaction');
    await client.query('rollback');
    expect((await client.query('select from schema_migrations')).rowCount).toBe(0);
  });

  it('is told from one that only used savepoints', async () => {
    const transaction = await beginIdentified(client);
    await client.query('savepoint one; create table t (); rollback to one; savepoint two; create table u ()');
    await recordMigration(client, transaction, file);
    await client.query('commit');
    expect((await client.query('select from schema_migrations')).rowCount).toBe(1);
  });
});
