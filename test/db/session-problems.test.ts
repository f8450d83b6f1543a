import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { sessionProblems } from '../../src/db/session-problems.ts';
import { provisionerProblems } from '../../src/db/tenant-database-check.ts';
import { createTenantDatabases } from '../../src/db/tenant-databases.ts';
import { createDatabaseWatch } from '../../src/worker/database-watch.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let test: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  test = await createTestDatabase();
  admin = new pg.Client({ connectionString: test.adminControlUrl });
  await admin.connect();
});
const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(async () => {
  await admin.end();
  await test.drop();
});

function open(url: string): Database {
  const database = createDatabase({ url });
  closers.unshift(() => database.close());
  return database;
}

/** A setting of the role in this file's databases alone. */
async function give(role: string, url: string, setting: string, value: string): Promise<void> {
  const of = `alter role ${role} in database ${new URL(url).pathname.slice(1)}`;
  await admin.query(`${of} set ${setting} = '${value}'`);
  closers.push(() => admin.query(`${of} reset ${setting}`));
}

const changed = (url: string, change: (of: URL) => void): string => {
  const other = new URL(url);
  change(other);
  return other.href;
};

describe('sessions', () => {
  it('have no problem where PostgreSQL takes what they ask for, whatever time-outs the role has', async () => {
    await give('tenantry', test.controlUrl, 'statement_timeout', '1');
    expect(await open(test.controlUrl).sessionProblems()).toEqual([]);
    expect(await provisionerProblems(test.tenantUrl)).toEqual([]);
  });

  it('that only read are named, with what to reset', async () => {
    await give('tenantry', test.controlUrl, 'default_transaction_read_only', 'on');
    await give('provisioner', test.tenantUrl, 'default_transaction_read_only', 'on');
    const said = /sessions of role (tenantry|provisioner) .*only read: reset default_transaction_read_only/;
    expect(await open(test.controlUrl).sessionProblems()).toEqual([expect.stringMatching(said)]);
    expect(await provisionerProblems(test.tenantUrl)).toEqual([expect.stringMatching(said)]);
    const write = open(test.controlUrl).query('create table t (id int)');
    await expect(write).rejects.toMatchObject({
      remedy: expect.stringContaining('reset default_transaction_read_only') as string,
    });
  });

  it.each([
    ['ahead of', 2_400_000],
    ['behind', -60_000],
  ])('of a machine whose clock is %s that of PostgreSQL are named', async (where, offsetMs) => {
    const config = { connectionString: test.controlUrl };
    expect(await sessionProblems(config, () => Date.now() + 1_000)).toEqual([]);
    expect(await sessionProblems(config, () => Date.now() + offsetMs)).toEqual([
      expect.stringMatching(new RegExp(`^the clock of this machine is \\d+ s ${where} PostgreSQL's: correct it`)),
    ]);
  });

  it.each([
    ['a wrong password', (of: URL) => void (of.password = 'wrong'), /refuses \(28P01\).*correct user and password/],
    [
      'a database that is not there',
      (of: URL) => void (of.pathname = '/nowhere'),
      /refuses \(3D000\).*name of the database/,
    ],
  ])('refused for %s are retried, and named with what to do', async (_, change, said) => {
    const database = open(changed(test.controlUrl, change));
    await expect(database.query('select 1')).rejects.toMatchObject({
      name: 'DatabaseUnavailableError',
      message: expect.stringMatching(said) as string,
    });
    await expect(database.sessionProblems()).rejects.toThrow(said);
  });

  it('that a pooler refuses or shares are named', async () => {
    const said = /refuses \(08P01\): unsupported startup parameter.*without the pooler/;
    const refusing = await refusingPooler();
    await expect(open(refusing).query('select 1')).rejects.toThrow(said);
    const tenants = createTenantDatabases({ primary: refusing });
    closers.unshift(() => tenants.close());
    await expect(tenants.closeToPublic()).rejects.toThrow(/could not close .*without the pooler/);

    const problems = await open(await sharingPooler(test.controlUrl)).sessionProblems();
    expect(problems).toContainEqual(expect.stringContaining('two sessions share one process of PostgreSQL'));
    expect(problems).toContainEqual(
      expect.stringMatching(/^statement_timeout is 0 ms instead of 15000 ms: a pooler drops/),
    );
  });
});

it('a migration takes longer than the time-out of its role', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-migrations-'));
  closers.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, '0001_slow.sql'), 'select pg_sleep(1)');
  await give('tenantry', test.controlUrl, 'statement_timeout', '500');
  expect(await migrate(test.controlUrl, folder)).toEqual({ applied: ['0001_slow.sql'] });
});

it('a worker alerts once of a database that refuses it, and not of one that does not answer', async () => {
  const told: object[] = [];
  const log = { error: (at: object) => void told.push(at), info: () => undefined };
  const rounds = async (url: string) => {
    const round = createDatabaseWatch({ database: open(url), log });
    for (let i = 0; i < 4; i += 1) await round();
  };
  await rounds('postgresql://nobody@127.0.0.1:9/nothing');
  await rounds(test.controlUrl);
  expect(told).toEqual([]);
  await rounds(changed(test.controlUrl, (of) => (of.password = 'wrong')));
  expect(told).toEqual([
    expect.objectContaining({ alert: 'database-unusable', problems: [expect.stringContaining('28P01')] }),
  ]);
});

const message = (type: string, body: string | Buffer) => {
  const head = Buffer.alloc(5);
  head.write(type, 0);
  head.writeInt32BE(Buffer.byteLength(body) + 4, 1);
  return Buffer.concat([head, Buffer.from(body)]);
};

async function listen(answer: (socket: net.Socket) => void): Promise<string> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return `postgresql://u:p@127.0.0.1:${(server.address() as net.AddressInfo).port}/x`;
}

/** PgBouncer's words for what it cannot pass on. */
function refusingPooler(): Promise<string> {
  const error = message('E', 'SFATAL\0C08P01\0Munsupported startup parameter: statement_timeout\0\0');
  return listen((socket) => void socket.once('data', () => socket.end(error)));
}

/** Lets every client in and sends its queries through one session, in turn, as a pooler in transaction mode may. */
async function sharingPooler(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { stream } = (client as unknown as { connection: { stream: net.Socket } }).connection;
  closers.push(() => void stream.destroy());
  client.on('error', () => undefined);
  stream.removeAllListeners('data');
  let asking: net.Socket | undefined;
  stream.on('data', (data: Buffer) => void asking?.write(data));
  return listen((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.concat([message('R', Buffer.alloc(4)), message('Z', 'I')]));
      socket.on('data', (data: Buffer) => {
        if (data.toString('latin1', 0, 1) === 'X') return void socket.end();
        asking = socket;
        stream.write(data);
      });
    });
  });
}
