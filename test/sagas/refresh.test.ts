import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteServiceCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
} from '@aws-sdk/client-ecs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setTemplateImage } from '../../sandbox/landing-zone/seed.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { listSteps } from '../../src/db/steps.ts';
import { caller } from '../../testing/caller.ts';
import { shapeDifference } from '../../testing/oracle.ts';
import { shapeNow } from '../../testing/sagas/shape.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';

const migrations = mkdtempSync(join(tmpdir(), 'tenantry-refresh-'));
let world: SagaWorld;
let run: Run;
beforeAll(async () => {
  cpSync(defaultCatalog.migrations['moamalat'] ?? '', migrations, { recursive: true });
  const catalog = { ...defaultCatalog, migrations: { ...defaultCatalog.migrations, moamalat: migrations } };
  world = await startSagaWorld({ catalog, ministackUrl: (await part('ministack')).url });
  run = await world.provision('moamalat');
  expect(await world.outcome(run)).toBe('active');
});
afterAll(async () => {
  rmSync(migrations, { recursive: true, force: true });
  await world.close();
});

// One template serves all tenants: one after the other.
describe('an update with refresh', () => {
  it('leaves alone what comes out as it was', async () => {
    const before = await shapeNow(world, run);
    const running = await runningOf(run);
    expect(await refresh()).toBe('active');
    expect(shapeDifference(before, await shapeNow(world, run))).toEqual([]);
    expect(await runningOf(run)).toEqual(running);
  });

  it('is what brings a new release, and neither other sizes nor a rotation is', async () => {
    await setTemplate('healthy-1');
    const before = await runningOf(run);
    const settings = { services: { backend: { cpu: 512, memory: 2_048 } } };
    const { done } = await world.client.changeTenant(caller, run.tenantId, { settings });
    expect([done, await world.outcome(run)]).toEqual([false, 'active']);
    const resized = await runningOf(run);
    expect(resized).toMatchObject({ image: before.image, cpu: '512' });
    await world.client.rotateTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    const rotated = await runningOf(run);
    expect(rotated).toMatchObject({ image: before.image, cpu: '512' });
    expect(rotated.taskDefinition).not.toBe(resized.taskDefinition);
    // What it was cloned from is known still: it is behind its template.
    const seen = await world.drift.lookAtTenant(caller, run.tenantId, new AbortController().signal);
    expect(seen?.findings).toMatchObject([{ field: 'template', remedy: 'refresh' }]);
  });

  it('clones the template as it is now, and brings tenant migrations up to date', async () => {
    await setTemplate('healthy-2');
    writeFileSync(join(migrations, '0003_extra.sql'), 'create table extra (id integer primary key);\n');
    const preview = await world.client.previewChange(caller, run.tenantId, { refresh: true });
    expect(preview.operation).toBe('update');
    expect(preview.steps).toContainEqual(
      expect.objectContaining({ stepId: 'create_task_definition:backend', becomes: 'change' }),
    );
    const before = await runningOf(run);
    expect(await refresh()).toBe('active');
    const after = await runningOf(run);
    expect(after.image).toMatch(/:healthy-2$/);
    expect(after.taskDefinition).not.toBe(before.taskDefinition);
    expect(await tablesOf(run)).toContain('extra');
    // The one before stays for the way back, until the next update.
    expect(await statusOf(before.taskDefinition)).toBe('ACTIVE');
    await setTemplate('healthy-3');
    expect(await refresh()).toBe('active');
    expect(await statusOf(before.taskDefinition)).toBe('INACTIVE');
  });

  it('whose template does not get healthy goes back to what was applied by itself', async () => {
    await setTemplate('unhealthy');
    const [shape, running] = [await shapeNow(world, run), await runningOf(run)];
    expect(await refresh()).toBe('BackendFailed');
    expect(await statusNow()).toEqual(['active', false, 'rolled-back']);
    // A revision that was retired before stays so.
    const gone = shapeDifference(shape, await shapeNow(world, run)).filter(
      (line) => !line.startsWith('- ecs:task-def'),
    );
    expect(gone).toEqual([]);
    expect(await runningOf(run)).toEqual(running);
  });

  it('whose migration fails goes back, with the migrations that were applied before', async () => {
    await setTemplate('healthy-4');
    writeFileSync(join(migrations, '0004_broken.sql'), 'create table extra (id integer primary key);\n');
    const shape = await shapeNow(world, run);
    expect(await refresh()).toBe('MIGRATION_FAILED');
    expect(await statusNow()).toEqual(['active', false, 'rolled-back']);
    rmSync(join(migrations, '0004_broken.sql'));
    expect(shapeDifference(shape, await shapeNow(world, run))).toEqual([]);
  });

  it('whose template is gone fails by its name and leaves the tenant as it was; nothing else needs a template', async () => {
    const service = world.platform.cells[0]?.templateServices['moamalat']?.['backend'] ?? '';
    await ecs((client) => client.send(new DeleteServiceCommand({ cluster: cluster(), service, force: true })));
    const shape = await shapeNow(world, run);
    expect(await refresh()).toBe('TEMPLATE_NOT_FOUND');
    expect(await statusNow()).toEqual(['active', false, 'rolled-back']);
    expect(shapeDifference(shape, await shapeNow(world, run))).toEqual([]);
    await world.client.repairTenant(caller, run.tenantId, {});
    expect(await world.outcome(run)).toBe('active');
    expect(shapeDifference(shape, await shapeNow(world, run))).toEqual([]);
    const before = await runningOf(run);
    await world.client.rotateTenant(caller, run.tenantId, { reason: 'a password leaked' });
    expect(await world.outcome(run)).toBe('active');
    expect(await runningOf(run)).toMatchObject({ image: before.image, cpu: before.cpu });
  });
});

async function refresh(): Promise<string> {
  const { done } = await world.client.changeTenant(caller, run.tenantId, { refresh: true });
  expect(done).toBe(false);
  return world.outcome(run);
}

async function statusNow() {
  const { status, cleanupPending, operation } = await world.client.status(caller, run.tenantId);
  return [status, cleanupPending, operation.state];
}

const cluster = () => world.platform.cells[0]?.cluster ?? '';

function target() {
  const { accountId: accessKeyId = '', region = '' } = world.platform.cells[0] ?? {};
  return { region, credentials: { accessKeyId, secretAccessKey: 'test' } };
}

async function ecs<T>(ask: (client: ECSClient) => Promise<T>): Promise<T> {
  const client = new ECSClient({ ...target(), endpoint: world.gateway.url });
  try {
    return await ask(client);
  } finally {
    client.destroy();
  }
}

function setTemplate(tag: string): Promise<string> {
  return setTemplateImage({ ...target(), endpointUrl: world.gateway.url, component: 'backend', tag });
}

/** What the tenant's backend runs. */
async function runningOf({ tenantId }: Run) {
  const steps = await listSteps(world.database, tenantId);
  const service = String(steps.find(({ stepId }) => stepId === 'deploy_backend')?.outputs?.['name']);
  return ecs(async (client) => {
    const { services = [] } = await client.send(
      new DescribeServicesCommand({ cluster: cluster(), services: [service] }),
    );
    const taskDefinition = services[0]?.taskDefinition ?? '';
    const described = await client.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
    const { containerDefinitions: [app] = [], cpu } = described.taskDefinition ?? {};
    return { taskDefinition, image: app?.image, cpu };
  });
}

function statusOf(taskDefinition: string) {
  return ecs(
    async (client) => (await client.send(new DescribeTaskDefinitionCommand({ taskDefinition }))).taskDefinition?.status,
  );
}

async function tablesOf({ tenantId }: Run): Promise<string[]> {
  const steps = await listSteps(world.database, tenantId);
  const schema = String(steps.find(({ stepId }) => stepId === 'create_schema')?.outputs?.['schema']);
  const database = new pg.Client({ connectionString: world.sources.databaseUrl });
  await database.connect();
  try {
    const { rows } = await database.query<{ name: string }>(
      'select tablename as name from pg_tables where schemaname = $1',
      [schema],
    );
    return rows.map(({ name }) => name);
  } finally {
    await database.end();
  }
}
