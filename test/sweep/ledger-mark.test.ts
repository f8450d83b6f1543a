import { randomBytes } from 'node:crypto';
import { DeleteParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dropDatabase } from '../../sandbox/parts/postgres-databases.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { markName } from '../../src/sweep/ledger-mark.ts';
import { createSweep } from '../../src/sweep/sweep.ts';
import { createLedgerMarker } from '../../src/worker/ledger-marker.ts';
import { containing } from '../api/matchers.ts';
import {
  findingsOf,
  ledgerTenant,
  namesFor,
  report,
  startGround,
  startSweepWorld,
  stranger,
  type SweepGround,
  type SweepWorld,
} from './sweep-world.ts';
import { testCaller } from '../support/caller.ts';

let ground: SweepGround;
let world: SweepWorld;
beforeAll(async () => {
  ground = await startGround();
  world = await startSweepWorld(ground);
});
const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  await world.close();
  await ground.close();
});

const name = () => markName(world.installationId, world.cell.id);
const mark = async () => JSON.parse((await world.aws.parameters.readParameter(name())) ?? '{}') as { eventId?: number };

/** Lines that the worker would log, of each round. */
function marker(database: Database = world.database) {
  const lines: { alert?: string; level: number; msg: string }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
  return { lines, round: createLedgerMarker({ ...world.deps, database }, log) };
}

/** The control plane's database as it is now, under another name: what a restored backup is. */
async function backUp(): Promise<{ open: () => Promise<Database> }> {
  const url = new URL(world.databases.adminControlUrl);
  const copy = `restored_${randomBytes(4).toString('hex')}`;
  const admin = new pg.Client({ connectionString: new URL('/postgres', url).href });
  await admin.connect();
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
    url.pathname.slice(1),
  ]);
  await admin.query(`create database ${copy} template ${url.pathname.slice(1)} owner tenantry`);
  await admin.query(`grant connect on database ${copy} to tenantry`);
  await admin.end();
  stops.push(() => dropDatabase(new URL('/postgres', url).href, copy));
  return {
    open: async () => {
      const own = new URL(world.databases.controlUrl);
      own.pathname = `/${copy}`;
      const database = createDatabase({ url: own.href });
      stops.push(() => database.close());
      return database;
    },
  };
}

describe('the mark of the ledger outside the database', () => {
  it('is made by the first sweep that knows every owner, not by a worker, not for an empty ledger', async () => {
    expect((await report(world, world.sweep)).mark).toMatchObject({ state: 'missing' });
    const owner = stranger(world);
    await ledgerTenant(world, 'deleted');
    await world.aws.logs.createLogGroup(namesFor(owner).logGroup, owner.tags);
    const { round } = marker();
    await round();
    const refused = await report(world, world.sweep);
    expect(refused.mark).toMatchObject({ state: 'missing', detail: containing('does not know') });
    expect(refused.findings.some((f) => f.removable)).toBe(false);
    await expect(world.sweep.approve(testCaller, { reportId: refused.id, by: 'Ada' })).rejects.toThrow('only reports');
    expect(await mark()).toEqual({});
    await world.aws.logs.deleteLogGroup(namesFor(owner).logGroup);
    expect((await report(world, world.sweep)).mark.state).toBe('intact');
    expect(await mark()).toMatchObject({ version: 1 });
  });

  it('moves on with new events, and stays without', async () => {
    const { round } = marker();
    const before = await mark();
    await round();
    expect(await mark()).toEqual(before);
    await ledgerTenant(world, 'deleted');
    await round();
    expect((await mark()).eventId).toBeGreaterThan(before.eventId ?? 0);
  });

  it('makes a restored ledger report only, loudly, whatever happens after the restore, until it is adopted', async () => {
    const backup = await backUp();
    const customer = await ledgerTenant(world, 'active');
    await world.aws.logs.createLogGroup(namesFor(customer).logGroup, customer.tags);
    await marker().round();
    const marked = await mark();

    const restored = await backup.open();
    const sweep = world.over(restored);
    const { lines, round } = marker(restored);
    await round();
    await round();
    expect(lines.filter((line) => line.alert === 'ledger-older-than-mark')).toHaveLength(1);
    const seen = await report(world, sweep);
    expect(seen.mark).toMatchObject({ state: 'broken', detail: containing('older than its mark') });
    // The customer looks like a leak to this ledger: that is what the mark is for.
    expect(findingsOf(seen, customer.tenantId)).toMatchObject([{ class: 'leak', removable: false }]);
    await expect(sweep.approve(testCaller, { reportId: seen.id, by: 'Ada' })).rejects.toThrow('only reports');

    // New events get the ids of the lost ones: the row counts, not its id.
    for (let i = 0; i < 6; i++) await ledgerTenant({ ...world, database: restored }, 'deleted');
    const { rows } = await restored.query<{ id: string }>('select max(id) as id from events');
    expect(Number(rows[0]?.id)).toBeGreaterThan(marked.eventId ?? 0);
    await round();
    expect(await sweep.checkMark(world.cell.id)).toMatchObject({
      state: 'broken',
      detail: containing('restored'),
    });
    expect(await mark()).toEqual(marked);

    await sweep.adoptLedger(testCaller, { cell: world.cell.id, by: 'Ada', reason: 'the other one is lost' });
    expect(await sweep.checkMark(world.cell.id)).toMatchObject({ state: 'intact' });
    const audit = await restored.query('select adopted_by, reason, mark_before from ledger_adoptions');
    expect(audit.rows).toMatchObject([{ adopted_by: 'Ada', reason: 'the other one is lost' }]);
    expect(await world.sweep.checkMark(world.cell.id)).toMatchObject({ state: 'broken' });
    await world.sweep.adoptLedger(testCaller, { cell: world.cell.id, by: 'Ada', reason: 'back to the true one' });
  });

  it('stops a removal whose report was approved before the restore', async () => {
    const owner = stranger(world);
    await world.aws.logs.createLogGroup(namesFor(owner).logGroup, owner.tags);
    const made = await report(world, world.sweep);
    await world.sweep.approve(testCaller, {
      reportId: made.id,
      by: 'Ada',
      only: findingsOf(made, owner.tenantId).map((f) => f.id),
    });
    const backup = await backUp();
    await ledgerTenant(world, 'deleted');
    await marker().round();
    const restored = world.over(await backup.open());
    await expect(restored.remove(testCaller, { reportId: made.id, by: 'Grace' })).rejects.toThrow(
      'older than its mark',
    );
    expect(await world.aws.logs.findLogGroup(namesFor(owner).logGroup)).toBeDefined();
    expect((await world.sweep.remove(testCaller, { reportId: made.id, by: 'Grace' })).removals).toMatchObject([
      { outcome: 'removed' },
    ]);
  });

  it('raises an alert once when it stands still: its parameter is gone, or cannot be read or written for a minute', async () => {
    const alertsOf = (lines: { alert?: string }[]) => lines.flatMap(({ alert }) => alert ?? []);
    const kept = (await world.aws.parameters.readParameter(name())) ?? '';
    const { lines, round } = marker();
    await round();
    for (const action of ['GetParameter', 'PutParameter']) {
      const denied = world.gateway.addRule({
        match: { action },
        fault: { type: 'error', when: 'before', code: 'AccessDeniedException' },
        times: null,
      });
      // Something new, so that the mark is to be moved.
      await ledgerTenant(world, 'deleted');
      lines.length = 0;
      for (let i = 0; i < 11; i++) await round();
      expect(alertsOf(lines)).toEqual([]);
      for (let i = 0; i < 3; i++) await round();
      expect(alertsOf(lines)).toEqual(['ledger-mark-stands-still']);
      world.gateway.removeRule(denied);
      await round();
      expect(lines.at(-1)?.msg).toContain('no older than its mark');
    }
    lines.length = 0;
    const credentials = { accessKeyId: world.cell.accountId, secretAccessKey: 'test' };
    const ssm = new SSMClient({ endpoint: world.gateway.url, region: world.cell.region, credentials });
    await ssm.send(new DeleteParameterCommand({ Name: name() }));
    ssm.destroy();
    await round();
    await round();
    expect(alertsOf(lines)).toEqual(['ledger-mark-stands-still']);
    await world.aws.parameters.writeParameter(name(), kept);
    await round();
    expect(lines.at(-1)?.msg).toContain('no older than its mark');
  });

  it('lets nothing be taken away when it cannot be read, is lost, or is no mark', async () => {
    const away = {
      readParameter: () => Promise.reject(new Error('SSM is away')),
      findWritten: () => Promise.reject(new Error('SSM is away')),
      writeParameter: () => Promise.reject(new Error('SSM is away')),
    };
    const blind = createSweep({ ...world.deps, aws: () => ({ ...world.aws, parameters: away }) });
    expect((await report(world, blind)).mark).toMatchObject({ state: 'unreachable' });
    await world.aws.parameters.writeParameter(name(), 'nonsense');
    expect((await report(world, world.sweep)).mark).toMatchObject({ state: 'broken' });
    const elsewhere = { ...world.aws.parameters, readParameter: () => Promise.resolve(undefined) };
    const bereft = createSweep({ ...world.deps, aws: () => ({ ...world.aws, parameters: elsewhere }) });
    expect((await report(world, bereft)).mark).toMatchObject({
      state: 'missing',
      detail: containing('was marked before'),
    });
  });
});
