import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { registerProjection } from '../../src/cli/projection.ts';
import { createProjections } from '../../src/projection/open-projection.ts';
import { appendEvent } from '../../src/db/events.ts';
import { listFailingProjections, measureLag, recordProjected } from '../../src/db/projections.ts';
import { changeTenantStatus } from '../../src/db/tenants.ts';
import { checkProjection } from '../../src/doctor/projection-checks.ts';
import { projectTenant } from '../../src/projection/project-tenant.ts';
import { rebuild } from '../../src/projection/rebuild.ts';
import { cell, seedTenant, type Seeded } from '../db/fixtures.ts';
import { useProjectionWorld, type ProjectionWorld } from './projection-fixture.ts';

const shared = useProjectionWorld();

const changeStatus = ({ db }: ProjectionWorld, tenant: Seeded, ...to: Parameters<typeof changeTenantStatus>[2][]) =>
  to.reduce<Promise<unknown>>(
    (before, status) => before.then(() => db.transaction((tx) => changeTenantStatus(tx, tenant.tenantId, status))),
    Promise.resolve(),
  );
const meta = async (world: ProjectionWorld, { tenantId }: Seeded) =>
  (await world.items(tenantId)).find(({ SK }) => SK === 'META');
const eventIds = async (world: ProjectionWorld, { tenantId }: Seeded) =>
  (await world.items(tenantId)).flatMap(({ eventId }) => eventId ?? []);
const idsInDatabase = async ({ db }: ProjectionWorld, { tenantId }: Seeded) =>
  (await db.query<{ id: string }>('select id from events where tenant_id = $1 order by id', [tenantId])).rows.map(
    ({ id }) => Number(id),
  );
const lag = async ({ db }: ProjectionWorld) => (await measureLag(db, [cell.id]))[0]!;
/** `expect.stringContaining` answers `any`. */
const containing = (text: string): unknown => expect.stringContaining(text);
/** Writes of the table that the gateway let through. */
const writesTo = ({ gateway }: ProjectionWorld, afterSeq: number, action: string) =>
  gateway.calls(afterSeq).filter((call) => call.action === action && call.outcome === 'ok');
const lastSeq = ({ gateway }: ProjectionWorld) => gateway.calls().at(-1)?.seq ?? 0;

describe('a round', () => {
  it('writes what is new of a tenant: every event in its order, and the tenant as it is after them', async () => {
    const world = shared.current;
    const { round } = world.worker();
    const tenant = await seedTenant(world.db);
    await round();
    expect(await meta(world, tenant)).toMatchObject({
      PK: `TENANT#${tenant.tenantId}`,
      GSI1PK: 'PRODUCT#moamalat',
      GSI1SK: `STATUS#pending#TENANT#${tenant.tenantId}`,
      GSI2PK: 'OWNER#somebody@tenants.test',
      tenantId: tenant.tenantId,
      slug: tenant.slug,
      status: 'pending',
      operation: { operationId: tenant.operationId, state: 'accepted' },
    });
    await changeStatus(world, tenant, 'validating', 'creating', 'active');
    await round();
    const ids = await idsInDatabase(world, tenant);
    expect(ids).toHaveLength(5);
    expect(await eventIds(world, tenant)).toEqual(ids);
    expect(await meta(world, tenant)).toMatchObject({ status: 'active', version: ids.at(-1), deletedAt: null });
    expect(await lag(world)).toMatchObject({ pending: 0, lagMs: 0 });
  });

  it('keeps a deleted tenant as deleted', async () => {
    const world = shared.current;
    const tenant = await seedTenant(world.db);
    await changeStatus(world, tenant, 'validating', 'creating', 'active', 'deleting', 'deleted');
    await world.worker().round();
    const item = await meta(world, tenant);
    expect(item).toMatchObject({ status: 'deleted', GSI1SK: `STATUS#deleted#TENANT#${tenant.tenantId}` });
    expect(item?.deletedAt).toEqual(expect.any(String));
  });

  it('misses no event of a transaction that commits after later ones', async () => {
    const world = shared.current;
    const { round } = world.worker();
    const [slow, quick] = [await seedTenant(world.db), await seedTenant(world.db)];
    await round();
    await world.db.transaction(async (tx) => {
      await appendEvent(tx, { ...slow, cell: cell.id, type: 'operation.slow' });
      await changeStatus(world, quick, 'validating');
      await round();
      expect(await meta(world, quick)).toMatchObject({ status: 'validating' });
    });
    await round();
    expect(await eventIds(world, slow)).toEqual(await idsInDatabase(world, slow));
  });

  it('of two workers at once writes each version once', async () => {
    const world = shared.current;
    const tenants = await Promise.all(Array.from({ length: 6 }, () => seedTenant(world.db)));
    const before = lastSeq(world);
    const workers = Array.from({ length: 2 }, () => world.worker());
    await Promise.all(workers.map(({ round }) => round()));
    for (const tenant of tenants) expect(await meta(world, tenant)).toMatchObject({ status: 'pending' });
    expect(writesTo(world, before, 'PutItem')).toHaveLength(tenants.length);
    expect(workers.flatMap(({ lines }) => lines)).toEqual([]);
  });

  it('whose lock was lost writes each version once beside the next one', async () => {
    const world = shared.current;
    const tenant = await seedTenant(world.db);
    const before = lastSeq(world);
    const pending = { tenantId: tenant.tenantId, projectedEventId: 0 };
    await Promise.all(Array.from({ length: 5 }, () => projectTenant(world.db, world.target, pending)));
    expect(writesTo(world, before, 'PutItem')).toHaveLength(1);
    expect(await meta(world, tenant)).toMatchObject({ status: 'pending' });
  });

  it('never puts an older version over a newer one', async () => {
    const world = shared.current;
    const tenant = await seedTenant(world.db);
    await world.worker().round();
    const older = (await meta(world, tenant))!;
    await changeStatus(world, tenant, 'validating');
    await world.worker().round();
    const newer = await meta(world, tenant);
    const { tables, table } = world.target;
    const late = older as Parameters<typeof tables.putNewer>[1];
    expect(await tables.putNewer(table, late)).toBe(false);
    expect(await tables.putNewer(table, newer as typeof late)).toBe(false);
    expect(await meta(world, tenant)).toEqual(newer);
  });
});

it('an event that comes while its tenant is projected is pending after it', async () => {
  const world = shared.current;
  const tenant = await seedTenant(world.db);
  const before = (await idsInDatabase(world, tenant)).at(-1)!;
  await changeStatus(world, tenant, 'validating');
  await recordProjected(world.db, tenant.tenantId, before);
  expect(await lag(world)).toMatchObject({ pending: 1 });
  await world.worker().round();
  expect(await meta(world, tenant)).toMatchObject({ status: 'validating' });
});

describe('an outage', () => {
  it.each(['PutItem', 'BatchWriteItem'])('that loses the answer of %s leads to no second version', async (action) => {
    const world = shared.current;
    let time = 0;
    const { round, lines } = world.worker(() => time);
    const tenant = await seedTenant(world.db);
    world.gateway.addRule({ match: { service: 'dynamodb', action }, fault: { type: 'cut', when: 'after' } });
    await round();
    expect(await lag(world)).toMatchObject({ pending: 1 });
    const written = await world.items(tenant.tenantId);
    time += 1_000;
    await round();
    expect(await lag(world)).toMatchObject({ pending: 0 });
    const items = await world.items(tenant.tenantId);
    expect(items).toEqual(expect.arrayContaining(written));
    expect(items).toHaveLength(3);
    expect(lines.map(({ msg }) => msg)).toEqual(['tenants are not projected for now']);
  });

  it('throttled, a cell is left alone for longer each time, and then goes on', async () => {
    const world = shared.current;
    let time = 0;
    const { round, lines } = world.worker(() => time);
    await seedTenant(world.db);
    const code = 'ProvisionedThroughputExceededException';
    world.gateway.addRule({
      match: { service: 'dynamodb', kind: 'change' },
      fault: { type: 'error', when: 'before', code, status: 400 },
      times: null,
    });
    for (const waitMs of [1_000, 2_000, 4_000]) {
      await round();
      expect(lines.at(-1)).toMatchObject({ waitMs, err: { code: 'THROTTLED' } });
      time += waitMs - 1;
      await round();
      time += 1;
    }
    expect(lines).toHaveLength(3);
    world.gateway.setFaults({ rules: null });
    await round();
    expect(await lag(world)).toMatchObject({ pending: 0 });
  });

  it('of the table is told of once when it lasts, and is caught up with in order after it', async () => {
    const world = shared.current;
    let time = 0;
    const { round, lines } = world.worker(() => time);
    const tenant = await seedTenant(world.db);
    await round();
    await world.dynamodb.send(new DeleteTableCommand({ TableName: world.target.table }));
    await changeStatus(world, tenant, 'validating', 'creating');
    for (const _ of [1, 2]) await round().then(() => (time += 60_000));
    expect(lines.filter(({ alert }) => alert)).toEqual([]);
    await world.db.query(
      `update tenant_projections set pending_since = now() - interval '6 minutes' where tenant_id = $1`,
      [tenant.tenantId],
    );
    for (const _ of [1, 2]) await round().then(() => (time += 60_000));
    const alert = { alert: 'projection-behind', cell: cell.id, pending: 1 };
    expect(lines.filter((line) => line.alert)).toMatchObject([alert]);
    const failing = await listFailingProjections(world.db, cell.id, 10);
    expect(failing).toMatchObject([{ tenantId: tenant.tenantId, error: containing('ResourceNotFound') }]);
    await changeStatus(world, tenant, 'active');
    await world.makeTable();
    await round();
    expect(await meta(world, tenant)).toMatchObject({ status: 'active' });
    expect(await eventIds(world, tenant)).toEqual((await idsInDatabase(world, tenant)).slice(2));
    expect(lines.at(-1)).toMatchObject({ msg: 'the projection of tenants has caught up' });
  });

  it('of one tenant does not keep the others back', async () => {
    const world = shared.current;
    const [poisoned, other] = [await seedTenant(world.db), await seedTenant(world.db)];
    world.gateway.addRule({
      match: { service: 'dynamodb', action: 'PutItem', contains: poisoned.tenantId },
      fault: { type: 'error', when: 'before', code: 'ValidationException', status: 400 },
      times: null,
    });
    const { round } = world.worker();
    await round();
    expect(await meta(world, other)).toMatchObject({ status: 'pending' });
    const before = lastSeq(world);
    await round();
    expect(world.gateway.calls(before)).toEqual([]);
    expect(await listFailingProjections(world.db, cell.id, 10)).toMatchObject([{ tenantId: poisoned.tenantId }]);
  });
});

describe('a rebuild', () => {
  it('writes every tenant anew, removes what has no tenant, and leaves what others wrote', async () => {
    const world = shared.current;
    const [spoiled, lost] = [await seedTenant(world.db), await seedTenant(world.db)];
    await world.worker().round();
    const right = await world.all();
    const { installationId } = world.target;
    const item = (await meta(world, spoiled))!;
    await world.plant({ ...item, status: 'active', version: 1_000_000 });
    for (const gone of await world.items(lost.tenantId)) await world.take(gone as { PK: string; SK: string });
    const strange = { PK: `TENANT#${randomUUID()}`, SK: 'META' };
    await world.plant({ ...strange, installationId, version: 1 });
    await world.plant({
      PK: item.PK!,
      SK: 'EVENT#2026-01-01T00:00:00.000000Z#lost#7',
      item: 'event',
      eventId: 7,
      installationId,
    });
    const foreign = { PK: `TENANT#${randomUUID()}`, SK: 'META', version: 1, installationId: randomUUID() };
    const unmarked = { PK: 'ACCOUNT#1', SK: 'METADATA' };
    for (const others of [foreign, unmarked]) await world.plant(others);
    const done = await rebuild(world.db, world.target, cell.id);
    expect(done).toMatchObject({ removed: 2, foreign: 2 });
    const ours = (await world.all()).filter((i) => i.PK !== foreign.PK && i.PK !== unmarked.PK);
    const those = ours.filter(({ PK }) => right.some((r) => r.PK === PK));
    expect(those).toEqual(right);
    expect(await world.all()).toEqual(expect.arrayContaining([foreign, unmarked]));
    expect(await world.items(strange.PK.slice(7))).toEqual([]);
  });

  it('beside a worker leaves the newest version of each tenant', async () => {
    const world = shared.current;
    const { round } = world.worker();
    const tenants = await Promise.all(Array.from({ length: 4 }, () => seedTenant(world.db)));
    await round();
    const changes = async () => {
      for (const to of ['validating', 'creating', 'active'] as const)
        for (const tenant of tenants) {
          await changeStatus(world, tenant, to);
          await round();
        }
    };
    await Promise.all([changes(), rebuild(world.db, world.target, cell.id), rebuild(world.db, world.target, cell.id)]);
    await round();
    for (const tenant of tenants) {
      const ids = await idsInDatabase(world, tenant);
      expect(await meta(world, tenant)).toMatchObject({ status: 'active', version: ids.at(-1) });
      expect(await eventIds(world, tenant)).toEqual(ids);
    }
  });

  it('puts nothing over what a worker wrote between its look at the table and its write', async () => {
    const world = shared.current;
    const { round } = world.worker();
    const tenant = await seedTenant(world.db);
    await round();
    const changes = (['validating', 'creating', 'active'] as const).values();
    const change = async () => {
      const { value } = changes.next();
      if (value) await changeStatus(world, tenant, value).then(() => round());
    };
    const { tables } = world.target;
    const interrupted: typeof tables = {
      ...tables,
      readVersion: (...of) => change().then(() => tables.readVersion(...of)),
      putInPlaceOf: (...of) => change().then(() => tables.putInPlaceOf(...of)),
    };
    await rebuild(world.db, { ...world.target, tables: interrupted }, cell.id);
    const newest = (await idsInDatabase(world, tenant)).at(-1);
    expect(await meta(world, tenant)).toMatchObject({ status: 'active', version: newest });
  });

  it('is what a table asks for that is ahead of the database', async () => {
    const world = shared.current;
    const tenant = await seedTenant(world.db);
    const { round, lines } = world.worker();
    await round();
    await world.plant({ ...(await meta(world, tenant))!, version: 1_000_000 });
    await changeStatus(world, tenant, 'validating');
    await round();
    expect(lines.at(-1)).toMatchObject({ err: { message: containing('tenantry projection rebuild') } });
    await rebuild(world.db, world.target, cell.id);
    expect(await meta(world, tenant)).toMatchObject({ status: 'validating' });
    expect(await lag(world)).toMatchObject({ pending: 0 });
  });
});

describe('the table', () => {
  it('is found as it was made, and rights on it that are missing are named', async () => {
    const world = shared.current;
    const { tables, table } = world.target;
    const lag = await measureLag(world.db, [cell.id]).then(([first]) => first);
    const check = () => checkProjection({ cell: world.platform.cells[0]!, tables, lag });
    expect(await check()).toMatchObject([{ verdict: 'ok' }]);
    expect(await world.all()).toEqual([]);
    for (const action of ['PutItem', 'BatchWriteItem', 'Scan'])
      world.gateway.addRule({
        match: { service: 'dynamodb', action },
        fault: { type: 'error', when: 'before', code: 'AccessDeniedException', status: 400 },
      });
    const denied = 'dynamodb:Scan, dynamodb:PutItem, dynamodb:BatchWriteItem';
    expect(await check()).toMatchObject([{ verdict: 'problem', detail: containing(`may not ${denied} on it`) }]);
    await world.dynamodb.send(new DeleteTableCommand({ TableName: table }));
    expect(await check()).toMatchObject([{ verdict: 'problem', detail: containing('does not exist') }]);
  });
});

describe('the command', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  async function tenantry({ db, platform, aws }: ProjectionWorld, ...args: string[]) {
    const printed: string[] = [];
    for (const stream of ['log', 'error'] as const)
      vi.spyOn(console, stream).mockImplementation((text: string) => void printed.push(text));
    const deps = { database: db, platform, aws: () => aws };
    const source = () => Promise.resolve({ ...createProjections(deps), close: () => Promise.resolve() });
    const program = buildProgram({ registrars: [(to) => registerProjection(to, source)] });
    await program.parseAsync(['projection', ...args], { from: 'user' });
    return { text: printed.join('\n'), code: process.exitCode };
  }

  it('says how far a cell is behind and who fails, writes it anew, and then says that nothing is pending', async () => {
    const world = shared.current;
    const { table } = world.target;
    const tenant = await seedTenant(world.db);
    expect(await tenantry(world, 'status')).toMatchObject({
      code: 0,
      text: containing('1 tenant is pending, for 0 s'),
    });
    world.gateway.addRule({
      match: { service: 'dynamodb', action: 'PutItem' },
      fault: { type: 'error', when: 'before', code: 'ValidationException', status: 400 },
    });
    await world.worker().round();
    const failed = `tenant ${tenant.tenantId} failed 1 times: dynamodb:PutItem failed: ValidationException`;
    expect(await tenantry(world, 'status')).toMatchObject({ code: 1, text: containing(failed) });
    const rebuilt = `cell default, table ${table}: 1 tenant with 2 events written, 0 items removed, 0 of others left`;
    expect(await tenantry(world, 'rebuild', '--cell', cell.id)).toEqual({ code: 0, text: rebuilt });
    const well = { code: 0, text: `cell default, table ${table}: nothing is pending` };
    expect(await tenantry(world, 'status')).toEqual(well);
    expect(await meta(world, tenant)).toMatchObject({ status: 'pending' });
    const { text } = await tenantry(world, 'status', '--json');
    expect(JSON.parse(text)).toEqual({ projections: [{ cell: cell.id, table, pending: 0, lagMs: 0, failing: [] }] });
  });

  it('says which cell has no table, and that AWS refused', async () => {
    const world = shared.current;
    await seedTenant(world.db);
    expect(await tenantry(world, 'status', '--cell', 'eu')).toMatchObject({ code: 3, text: containing('no cell eu') });
    await world.dynamodb.send(new DeleteTableCommand({ TableName: world.target.table }));
    expect(await tenantry(world, 'rebuild')).toMatchObject({ code: 1, text: containing('ResourceNotFound') });
  });
});
