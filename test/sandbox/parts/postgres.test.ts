import { mkdtempSync, rmSync, statSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type Postgres } from '../../../sandbox/parts/postgres.ts';

const log = () => undefined;

async function query(connectionString: string, sql: string, limitMs = 20_000): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: limitMs, query_timeout: limitMs });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

const inDatabase = (url: string, name: string) => url.replace(/\/[^/]*$/, `/${name}`);

describe('startPostgres', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres({ log });
  });
  afterAll(() => postgres.stop());

  it('gives the control plane and the provisioner a database each, neither of them a superuser', async () => {
    const attributes =
      'SELECT rolsuper, rolcreaterole, rolcreatedb, current_database() AS db FROM pg_roles WHERE rolname = current_user';
    expect(await query(postgres.controlUrl, attributes)).toEqual([
      { rolsuper: false, rolcreaterole: false, rolcreatedb: false, db: 'tenantry' },
    ]);
    expect(await query(postgres.tenantUrl, attributes)).toEqual([
      { rolsuper: false, rolcreaterole: true, rolcreatedb: false, db: 'tenants' },
    ]);
    await query(postgres.tenantUrl, 'CREATE SCHEMA mine');
  });

  it('lets a role into no database without a grant', async () => {
    await query(postgres.tenantUrl, `CREATE ROLE tenant_a LOGIN PASSWORD 'a'`);
    const url = (database: string) => `postgresql://tenant_a:a@127.0.0.1:${postgres.port}/${database}`;
    for (const database of ['postgres', 'template1', 'tenantry', 'tenants']) {
      await expect(query(url(database), 'SELECT 1'), database).rejects.toThrow(/permission denied for database/);
    }
    await expect(query(inDatabase(postgres.tenantUrl, 'tenantry'), 'SELECT 1')).rejects.toThrow(/permission denied/);
  });

  it('refuses a wrong password', async () => {
    const wrong = `postgresql://postgres:wrong@127.0.0.1:${postgres.port}/postgres`;
    await expect(query(wrong, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });

  it('keeps its data over a restart and over a crash', async () => {
    await query(postgres.controlUrl, 'CREATE TABLE kept AS SELECT 1 AS n');
    for (const kill of [false, true]) {
      const before = postgres.pid;
      await postgres.restart({ kill });
      expect(postgres.pid).not.toBe(before);
      expect(await query(postgres.controlUrl, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
    }
  });

  it('answers nothing while paused, open sessions included, and goes on when resumed', async () => {
    const session = new pg.Client({ connectionString: postgres.controlUrl });
    await session.connect();
    await postgres.pause();
    let answered = false;
    const pending = session.query('SELECT 1').then(() => (answered = true));
    await expect(query(postgres.controlUrl, 'SELECT 1', 1_000)).rejects.toThrow(/timeout/);
    expect(answered).toBe(false);
    await postgres.resume();
    await pending;
    await session.end();
  });
});

describe('startPostgres with a data directory', () => {
  it('finds its data again, with the credentials in a file that only we can read', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'postgres-test-'));
    chmodSync(scratch, 0o755);
    try {
      const dataDir = join(scratch, 'data');
      const first = await startPostgres({ log, dataDir });
      await query(first.controlUrl, 'CREATE TABLE kept AS SELECT 1 AS n');
      await first.stop();
      const second = await startPostgres({ log, dataDir });
      try {
        expect(await query(second.controlUrl, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
        expect(new URL(second.controlUrl).password).toBe(new URL(first.controlUrl).password);
        expect(await query(second.adminUrl, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
      } finally {
        await second.stop();
      }
      expect(statSync(`${dataDir}.credentials.json`).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});
