import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { createDatabase, DatabaseUnavailableError, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { identifyServer } from '../../src/db/tenant-database-check.ts';
import { createTenantDatabases } from '../../src/db/tenant-databases.ts';

const closers: (() => Promise<unknown>)[] = [];
const uncaught: unknown[] = [];
const note = (error: unknown) => void uncaught.push(error);
beforeEach(() => void process.on('uncaughtException', note));
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  process.off('uncaughtException', note);
  expect(uncaught.splice(0)).toEqual([]);
});

const message = (type: string, body: Buffer) => {
  const head = Buffer.alloc(5);
  head.write(type, 0);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const ready = message('Z', Buffer.from('I'));
const letIn = Buffer.concat([message('R', Buffer.alloc(4)), ready]);
const done = Buffer.concat([message('C', Buffer.from('LISTEN\0')), ready]);
const ended = message(
  'E',
  Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
);

/** Lets each session in, answers so many queries, and ends it in the same segment, as a client that reads late sees it. */
async function endingServer({
  afterQueries,
}: {
  afterQueries: number;
}): Promise<{ url: string; sessions: () => number }> {
  let sessions = 0;
  const server = net.createServer((socket) => {
    sessions += 1;
    let left = afterQueries;
    const answer = (what: Buffer) => {
      const last = left === 0;
      left -= 1;
      socket.write(last ? Buffer.concat([what, ended]) : what);
      if (last) setTimeout(() => socket.destroy(), 20);
    };
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.on('data', () => answer(done));
      answer(letIn);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as net.AddressInfo;
  return { url: `postgresql://u:p@127.0.0.1:${port}/x`, sessions: () => sessions };
}

function open(url: string): Database {
  const database = createDatabase({ url });
  closers.unshift(() => database.close());
  return database;
}

const run = {
  ...{ database: 'primary', name: 't_1', set: 'moamalat', password: 'p' },
  ownership: { installationId: 'i', tenantId: 't', product: 'moamalat', operationId: 'o', stepId: 's' },
  guard: () => Promise.resolve(),
};

describe('a session that PostgreSQL ends as it is handed out', () => {
  const ways: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
    'a query': (url) => open(url).query('select 1'),
    'a transaction': (url) => open(url).transaction((tx) => tx.query('select 1')),
    'a snapshot': (url) => open(url).snapshot((at) => at.query('select 1')),
    'a lock': (url) => open(url).withLock('a', () => Promise.resolve()),
    'a LISTEN': (url) => open(url).listen('c', () => undefined),
    'the migrations': (url) => migrate(url),
  };
  it.each(Object.entries(ways))('fails %s as unavailable, not the process', async (_, use) => {
    const { url } = await endingServer({ afterQueries: 0 });
    await expect(use(url)).rejects.toBeInstanceOf(DatabaseUnavailableError);
    await sleep(50);
  });

  it("fails a step in the tenants' databases as unavailable, not the process", async () => {
    const { url } = await endingServer({ afterQueries: 0 });
    const databases = createTenantDatabases({ primary: url }, defaultCatalog.migrations);
    closers.unshift(() => databases.close());
    await expect(databases.closeToPublic()).rejects.toMatchObject({ code: 'TENANT_DATABASE_UNAVAILABLE' });
    await expect(databases.runTenantMigrations(run)).rejects.toMatchObject({ code: 'TENANT_DATABASE_UNAVAILABLE' });
    await sleep(50);
  });

  it("fails the preflight's look, not the process", async () => {
    const { url } = await endingServer({ afterQueries: 0 });
    await expect(identifyServer(url)).rejects.toThrow();
    await sleep(50);
  });
});

describe('a server that ends each session as soon as it is made', () => {
  it('is asked for two sessions by one call for a lock, and no more', async () => {
    const { url, sessions } = await endingServer({ afterQueries: 0 });
    await expect(open(url).withLock('a', () => Promise.resolve())).rejects.toThrow(/ended the session/);
    expect(sessions()).toBe(2);
  });

  it('is asked for the next LISTEN after a pause that grows', async () => {
    const { url, sessions } = await endingServer({ afterQueries: 1 });
    let missed = 0;
    const listening = await open(url).listen('c', () => (missed += 1));
    await expect.poll(() => missed).toBeGreaterThan(1);
    await sleep(1_000);
    // 100, 200, 400, 800, 1,600 ms
    expect(sessions()).toBeLessThan(8);
    await listening.stop();
  });
});
