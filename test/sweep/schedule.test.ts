import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, ScheduleOverlapPolicy } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTemporalServer } from '../../sandbox/parts/temporal-server.ts';
import { createSweepActivities } from '../../src/activities/sweeping.ts';
import { searchAttributes, TASK_QUEUE } from '../../src/contracts/ids.ts';
import { sweepScheduleId } from '../../src/contracts/sweep.ts';
import { temporalOrchestrator } from '../../src/client/temporal-orchestrator.ts';
import { markName } from '../../src/sweep/ledger-mark.ts';
import { createTemporalRuns } from '../../src/sweep/temporal-runs.ts';
import { createDataConverter } from '../../src/temporal/data-converter.ts';
import { ensureSweepSchedule } from '../../src/worker/sweep-schedule.ts';
import { workflowBundlePath } from '../../src/worker/workflow-bundle.ts';
import { containing } from '../api/matchers.ts';
import { ledgerTenant, namesFor, startSweepWorld, stranger, type SweepWorld } from './sweep-world.ts';
import { testCaller } from '../support/caller.ts';

const stops: (() => Promise<unknown>)[] = [];
const lines: { alert?: string; findings?: string[] }[] = [];
let world: SweepWorld;
let client: Client;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), shutdownSignals: [] });
  world = await startSweepWorld();
  stops.push(() => world.close());
  const keywords = Object.fromEntries(searchAttributes.map((name) => [name, 'Keyword' as const]));
  // A server of its own: worlds of other test files poll the same task queue.
  const server = await startTemporalServer({ log: () => undefined, uiPort: false, searchAttributes: keywords });
  stops.push(() => server.stop());
  const { address, namespace } = server;
  const dataConverter = createDataConverter([randomBytes(32)]);
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  stops.push(() => Promise.all([connection.close(), nativeConnection.close()]));
  client = new Client({ connection, namespace, dataConverter });
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
  const worker = await Worker.create({
    connection: nativeConnection,
    namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: await workflowBundlePath() },
    activities: createSweepActivities({ sweep: world.sweep, database: world.database, log }),
    dataConverter,
  });
  const running = worker.run();
  stops.push(async () => {
    worker.shutdown();
    await running;
  });
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

it('is made once by two workers, changed with its interval, and taken away when it is off', async () => {
  const { installationId } = world;
  const both = await Promise.all([1, 2].map(() => ensureSweepSchedule(client, installationId, 3_600_000)));
  expect(both.sort()).toEqual(['created', 'unchanged']);
  const handle = client.schedule.getHandle(sweepScheduleId(installationId));
  const { policies, spec } = await handle.describe();
  expect(policies.overlap).toBe(ScheduleOverlapPolicy.SKIP);
  expect(spec.intervals).toMatchObject([{ every: 3_600_000 }]);
  expect(await ensureSweepSchedule(client, installationId, 3_600_000)).toBe('unchanged');
  expect(await ensureSweepSchedule(client, installationId, 1_800_000)).toBe('changed');
  expect((await handle.describe()).spec.intervals).toMatchObject([{ every: 1_800_000 }]);
  expect(await ensureSweepSchedule(client, installationId, undefined)).toBe('removed');
  expect(await ensureSweepSchedule(client, installationId, undefined)).toBe('unchanged');
});

it('makes the first mark of the ledger, and moves it on', async () => {
  const name = markName(world.installationId, world.cell.id);
  const marked = async () =>
    JSON.parse((await world.aws.parameters.readParameter(name)) ?? '{}') as { eventId?: number };
  expect(await marked()).toEqual({});
  await ensureSweepSchedule(client, world.installationId, 3_600_000);
  let before = 0;
  for (let run = 0; run < 2; run++) {
    await ledgerTenant(world, 'deleted');
    await sweepOnce();
    expect((await scheduled())[0]?.mark).toMatchObject({ state: 'intact' });
    const { eventId = 0 } = await marked();
    expect(eventId).toBeGreaterThan(before);
    before = eventId;
  }
});

it('makes a report of every cell, takes nothing away, and tells of a new finding once', async () => {
  const { installationId } = world;
  const owner = stranger(world);
  const { logGroup } = namesFor(owner);
  await world.aws.logs.createLogGroup(logGroup, owner.tags);
  await ensureSweepSchedule(client, installationId, 3_600_000);
  await sweepOnce();
  await sweepOnce();
  const [newest] = await scheduled();
  expect(newest).toMatchObject({ by: 'schedule', cell: world.cell.id, approval: null });
  expect(newest?.findings).toMatchObject([{ class: 'leak', name: logGroup }]);
  await until(async () => lines.length > 0);
  expect(lines).toMatchObject([{ alert: 'sweep-findings', findings: [containing(logGroup)] }]);
  expect(await world.aws.logs.findLogGroup(logGroup)).toBeDefined();
});

it('tells of a finding although it cannot record that it did, and then tells of it again', async () => {
  const owner = stranger(world);
  const { logGroup } = namesFor(owner);
  await world.aws.logs.createLogGroup(logGroup, owner.tags);
  const told = () => lines.flatMap(({ findings = [] }) => findings).filter((text) => text.includes(logGroup));
  await world.database
    .query(`create function refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end';
    create trigger refuse before update on sweep_sightings for each row execute function refuse()`);
  const before = (await scheduled()).length;
  const sweeping = sweepOnce();
  await until(() => Promise.resolve(told().length > 0));
  await world.database.query('drop function refuse cascade');
  await sweeping;
  // The cell is swept again by the next attempt, which must be over before another test counts reports.
  await until(async () => (await scheduled()).length === before + 2 && told().length > 1);
});

it('tells later of what it could not list this time', async () => {
  const owner = stranger(world);
  const { logGroup } = namesFor(owner);
  await world.aws.logs.createLogGroup(logGroup, owner.tags);
  const seen = await world.sweep.report(testCaller, { cell: world.cell.id, by: 'a person' });
  expect(seen.findings.some(({ name }) => name === logGroup)).toBe(true);
  const told = () => lines.flatMap(({ findings = [] }) => findings).filter((text) => text.includes(logGroup));
  const denied = world.gateway.addRule({
    match: { action: 'DescribeLogGroups' },
    fault: { type: 'error', when: 'before', code: 'AccessDeniedException' },
    times: null,
  });
  await sweepOnce();
  const [blind] = await scheduled();
  expect(blind?.problems.map(({ what }) => what)).toContain('logs:log-group');
  world.gateway.removeRule(denied);
  await sweepOnce();
  await until(() => Promise.resolve(told().length > 0));
  expect(told()).toHaveLength(1);
});

it('asks Temporal whether it remembers a tenant', async () => {
  const tenantId = randomUUID();
  const orchestrator = temporalOrchestrator(client);
  const retry = () => Promise.reject(new Error('nothing is retried here'));
  const { database, deps } = world;
  const temporalRuns = createTemporalRuns({
    temporal: client,
    orchestrator,
    client: { retry },
    database,
    log: deps.log,
  });
  await orchestrator.start({
    operationId: randomUUID(),
    type: 'provision',
    workflowId: `tenant.moamalat.w-${tenantId.slice(0, 8)}`,
    tenantId,
    product: 'moamalat',
    slug: 'w',
    tier: null,
    tenantStatus: 'pending',
  });
  await until(() => temporalRuns.knowsTenant(tenantId));
  expect(await temporalRuns.knowsTenant(randomUUID())).toBe(false);
  await expect(temporalRuns.knowsTenant('x" or TenantId != "')).rejects.toThrow('no tenant id');
  expect(await temporalRuns.findLost()).toEqual([]);
});

/** Triggers a run, after the one under way if need be, and waits for its report. */
async function sweepOnce(): Promise<void> {
  const before = (await scheduled()).length;
  const handle = client.schedule.getHandle(sweepScheduleId(world.installationId));
  // By its own policy the schedule would skip it while the run before is closing.
  await handle.trigger(ScheduleOverlapPolicy.BUFFER_ALL);
  await until(async () => (await scheduled()).length === before + 1);
}

const scheduled = async () => (await world.sweep.list()).filter(({ by }) => by === 'schedule');

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await holds())) {
    await sleep(100);
    if (Date.now() > end) throw new Error('waited in vain');
  }
}
