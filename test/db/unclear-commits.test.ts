import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startPostgresProxy, type PostgresProxy } from '../../sandbox/parts/postgres-proxy.ts';
import { CommitUnclearError, createDatabase, DatabaseUnavailableError, type Database } from '../../src/db/database.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let test: TestDatabase;
let proxy: PostgresProxy;
let direct: Database;
let db: Database;
beforeAll(async () => {
  test = await createTestDatabase();
  const { hostname: host, port } = new URL(test.controlUrl);
  proxy = await startPostgresProxy({ host, port: Number(port) });
  direct = createDatabase({ url: test.controlUrl });
  db = createDatabase({ url: proxy.through(test.controlUrl), applicationName: 'unclear' });
  await direct.query('create table notes (word text primary key)');
});
beforeEach(() => direct.query('delete from notes'));
afterAll(async () => {
  await db.close();
  await direct.close();
  await proxy.close();
  await test.drop();
});

const write = (word: string) =>
  db.transaction(async (tx) => {
    await tx.query('insert into notes values ($1)', [word]);
    return word;
  });
const words = async () => (await direct.query('select word from notes')).rows.map((row) => row.word);
const atCommit = (fault: Parameters<PostgresProxy['addRule']>[0]['fault']) =>
  proxy.addRule({ match: { application: 'unclear', startsWith: 'commit' }, fault });

describe('a transaction whose commit was not answered', () => {
  it.each([
    { type: 'cut', when: 'after' },
    { type: 'error', when: 'after', code: '57P01' },
    { type: 'garbage' },
  ] as const)('answers as any other when PostgreSQL committed it: $type $code', async (fault) => {
    const rule = atCommit(fault);
    expect(await write('kept')).toBe('kept');
    expect(proxy.hits(rule)).toBe(1);
    expect(await words()).toEqual(['kept']);
  });

  it.each([
    { type: 'cut', when: 'before' },
    { type: 'error', when: 'before', code: '57P01' },
  ] as const)('rejects, and took no effect, when PostgreSQL never got it: $type $code', async (fault) => {
    atCommit(fault);
    const failed = await write('lost').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(DatabaseUnavailableError);
    expect(failed).not.toBeInstanceOf(CommitUnclearError);
    expect(await words()).toEqual([]);
  });

  it('never takes effect after it was told that it took none: a commit on the way is stopped', async () => {
    atCommit({ type: 'late', effectAfterMs: 1_500 });
    const failed = await write('late').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(DatabaseUnavailableError);
    expect(failed).not.toBeInstanceOf(CommitUnclearError);
    await proxy.whenQuiet();
    await sleep(200);
    expect(await words()).toEqual([]);
  });

  it('says that it is unclear when PostgreSQL stays unavailable, whether it took effect or not', async () => {
    atCommit({ type: 'cut', when: 'after' });
    const away = proxy.addRule({
      match: { application: 'unclear', startsWith: 'select pg_xact_status' },
      fault: { type: 'cut', when: 'before' },
      times: null,
    });
    await expect(write('kept')).rejects.toThrow(CommitUnclearError);
    proxy.removeRule(away);
    expect(await words()).toEqual(['kept']);
  });
});

describe('a transaction in which a failed statement was ignored', () => {
  it('rejects: PostgreSQL answers its commit with a rollback', async () => {
    const ignored = db.transaction(async (tx) => {
      await tx.query('insert into notes values ($1)', ['half']);
      await tx.query('select 1/0').catch(() => undefined);
    });
    await expect(ignored).rejects.toThrow(/answered ROLLBACK/);
    expect(await words()).toEqual([]);
  });
});
