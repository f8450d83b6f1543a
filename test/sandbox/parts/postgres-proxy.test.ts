import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startPostgresProxy, type PostgresProxy, type StatementFault } from '../../../sandbox/parts/postgres-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let databases: TestDatabase;
let proxy: PostgresProxy;
let direct: pg.Pool;
const rules: string[] = [];

beforeAll(async () => {
  databases = await createTestDatabase();
  const { hostname, port } = new URL(databases.controlUrl);
  proxy = await startPostgresProxy({ host: hostname, port: Number(port) });
  direct = new pg.Pool({ connectionString: databases.controlUrl });
  await direct.query('create table seen (word text)');
});
afterAll(async () => {
  await direct.end();
  await proxy.close();
  await databases.drop();
});
afterEach(async () => {
  for (const rule of rules.splice(0)) proxy.removeRule(rule);
  await direct.query('truncate seen');
});

const insert = 'insert into seen (word)\n  values ($1)';

function strike(fault: StatementFault, startsWith = 'insert into seen', word = 'x'): string {
  const id = proxy.addRule({ match: { application: 'proxied', startsWith, contains: [word] }, fault });
  rules.push(id);
  return id;
}

async function connected<T>(act: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: proxy.through(databases.controlUrl),
    application_name: 'proxied',
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

const words = async () => (await direct.query<{ word: string }>('select word from seen')).rows.map((row) => row.word);

describe('the proxy before PostgreSQL', () => {
  it('lets everything through and writes down what it was', async () => {
    await connected(async (client) => {
      await client.query('begin');
      await client.query(insert, ['x']);
      await client.query('commit');
    });
    expect(await words()).toEqual(['x']);
    const [begin, inserted, commit] = proxy.statements().slice(-3);
    expect(inserted).toMatchObject({
      application: 'proxied',
      text: 'insert into seen (word) values ($1)',
      values: ['x'],
    });
    expect([begin?.text, commit?.text]).toEqual(['begin', 'commit']);
    expect(new Set([begin, inserted, commit].map((statement) => statement?.transaction)).size).toBe(1);
  });

  it.each<[string, StatementFault, string[]]>([
    ['cut before it arrives', { type: 'cut', when: 'before' }, []],
    ['cut before its answer', { type: 'cut', when: 'after' }, ['x']],
    ['refused', { type: 'error', when: 'before', code: '53300' }, []],
    ['refused after its effect', { type: 'error', when: 'after', code: '57P01' }, ['x']],
  ])('fails a statement that is %s', async (_how, fault, expected) => {
    const rule = strike(fault);
    await expect(connected((client) => client.query(insert, ['x']))).rejects.toThrow();
    expect(await words()).toEqual(expected);
    expect(proxy.hits(rule)).toBe(1);
    // Once, and nothing but what was meant.
    await connected((client) => client.query(insert, ['y']));
    await connected((client) => client.query(insert, ['x']));
    expect(await words()).toEqual([...expected, 'y', 'x']);
  });

  it('loses a commit after its effect, told by what is in its transaction', async () => {
    const rule = strike({ type: 'cut', when: 'after' }, 'commit');
    await expect(
      connected(async (client) => {
        await client.query('begin');
        await client.query(insert, ['x']);
        await client.query('commit');
      }),
    ).rejects.toThrow();
    expect(await words()).toEqual(['x']);
    expect(proxy.hits(rule)).toBe(1);
  });

  it('leaves a connection usable after an error that is not fatal', async () => {
    strike({ type: 'error', when: 'before', code: '40001' });
    await connected(async (client) => {
      await client.query('begin');
      await expect(client.query(insert, ['x'])).rejects.toMatchObject({ code: '40001' });
      await client.query('rollback');
      await client.query(insert, ['x']);
    });
    expect(await words()).toEqual(['x']);
  });

  it('makes a late effect when the client has gone', async () => {
    strike({ type: 'late', effectAfterMs: 300 });
    await expect(connected((client) => client.query(insert, ['x']))).rejects.toThrow();
    expect(await words()).toEqual([]);
    await proxy.whenQuiet();
    expect(await words()).toEqual(['x']);
  });

  it('holds a parked statement until it is released', async () => {
    strike({ type: 'park' });
    const held = connected((client) => client.query(insert, ['x']));
    await sleep(100);
    expect(await words()).toEqual([]);
    proxy.release();
    await held;
    expect(await words()).toEqual(['x']);
  });
});
