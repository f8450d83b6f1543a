import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moveParameterName } from '../../src/accounts-router/fence.ts';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { isMarked } from '../../src/aws/partition-rows.ts';
import { findInstallationId } from '../../src/db/installation.ts';
import { listNotRemoved } from '../../src/db/ledger.ts';
import { findTenant } from '../../src/db/tenants.ts';
import { sidesOf } from '../../src/kinds/account-copy/sides.ts';
import { caller } from '../../testing/caller.ts';
import { shapeDifference } from '../../testing/oracle.ts';
import type { Fault } from '../../testing/sagas/faults.ts';
import { shapeNow } from '../../testing/sagas/shape.ts';
import { accounts } from '../../src/products/accounts/product.ts';
import { freshSlug, startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';
import { startTraffic } from '../support/account-traffic.ts';

let world: SagaWorld;
let installationId: string;
let aws: CellAws;
let dynamodb: DynamoDBClient;
let ssm: SSMClient;
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url, archive: 'tenantry-archive-of-moves' });
  const { credentials, endpointUrl: endpoint, region } = world.target;
  installationId = await findInstallationId(world.database);
  aws = createCellAws(world.platform.cells[0]!, { endpointUrl: endpoint, credentials, pacing: { factor: Infinity } });
  [dynamodb, ssm] = [
    new DynamoDBClient({ endpoint, region, credentials }),
    new SSMClient({ endpoint, region, credentials }),
  ];
});
afterAll(async () => {
  aws.destroy();
  dynamodb.destroy();
  ssm.destroy();
  await world.close();
});

const sharedTable = () => world.platform.cells[0]!.sharedTables?.[0] ?? '';
const ownTable = ({ tenantId }: Run) => `app-prod-account-${tenantId}`;

async function account(): Promise<Run> {
  const run = await world.provision('accounts', 'rollback', freshSlug(accounts), 'public');
  expect(await world.outcome(run)).toBe('active');
  return run;
}

const move = (run: Run) => world.client.migrateTenant(caller, run.tenantId, { tier: 'private', onFailure: 'rollback' });

/** Rows of services, by sort key. */
async function rowsIn(run: Run, side: 'from' | 'to'): Promise<Map<string, number>> {
  const partition = sidesOf(run.tenantId, { table: sharedTable(), toTable: ownTable(run) })[side];
  const owner = { installationId, tenantId: run.tenantId };
  const rows = new Map<string, number>();
  for await (const page of aws.partitions.pages(partition))
    for (const row of page) if (!isMarked(row, owner)) rows.set(row['SK']?.S ?? '', Number(row['n']?.N ?? 0));
  return rows;
}

async function parametersOf({ tenantId }: Run): Promise<Record<string, string | undefined>> {
  const at = `/accounts/${tenantId}`;
  const Names = [
    `${at}/cloud-type`,
    `${at}/dynamodb/table-name`,
    `${at}/provisioning-status`,
    moveParameterName(tenantId),
  ];
  const { Parameters = [] } = await ssm.send(new GetParametersCommand({ Names }));
  return Object.fromEntries(Parameters.map(({ Name = '', Value }) => [Name.replace(`${at}/`, ''), Value]));
}

/** Of the control plane: services write rows all the while. */
const shapeOf = async (run: Run) => (await shapeNow(world, run)).filter((line) => !/^dynamodb:item +n=/.test(line));

const fenceOf = ({ tenantId: accountId }: Run) => aws.fences.find({ table: sharedTable(), accountId });

async function expectMoved(run: Run): Promise<void> {
  expect(await findTenant(world.database, run.tenantId)).toMatchObject({ tier: 'private', cameFromTier: 'public' });
  expect(await parametersOf(run)).toEqual({
    ...{ 'cloud-type': 'private', 'dynamodb/table-name': ownTable(run), 'provisioning-status': 'active' },
  });
  expect(await fenceOf(run)).toBeUndefined();
}

async function expectAsBefore(run: Run, before: readonly string[]): Promise<void> {
  expect(await findTenant(world.database, run.tenantId)).toMatchObject({
    status: 'active',
    tier: 'public',
    cameFromTier: null,
  });
  expect(await parametersOf(run)).toEqual({
    ...{ 'cloud-type': 'public', 'dynamodb/table-name': sharedTable(), 'provisioning-status': 'active' },
  });
  expect(await fenceOf(run)).toBeUndefined();
  expect(shapeDifference(before, await shapeOf(run))).toEqual([]);
  expect((await listNotRemoved(world.database, run.tenantId)).map(({ stepId }) => stepId)).not.toContain(
    'create_stack',
  );
}

function meeting(run: Run, ...faults: readonly Omit<Fault, 'slug'>[]): void {
  world.injection.faults = [...world.injection.faults, ...faults.map((fault) => ({ ...fault, slug: run.slug }))];
}

function calmDown({ slug }: Run): void {
  world.injection.faults = world.injection.faults.filter((fault) => fault.slug !== slug);
}

describe.concurrent('the move of an account', () => {
  it('loses no write that was acknowledged, and answers no read with an older row, while services go on', async () => {
    const run = await account();
    const traffic = startTraffic(world.target, run.tenantId);
    await sleep(1_000);
    await move(run);
    expect(await world.outcome(run)).toBe('active');
    await sleep(1_000);
    const { longestWaitMs, reads, writes } = await traffic.end();
    traffic.expectRows(await rowsIn(run, 'to'));
    await expectMoved(run);
    expect(await rowsIn(run, 'from')).toEqual(new Map());
    expect([writes > 30, reads > 30]).toEqual([true, true]);
    expect(longestWaitMs).toBeLessThan(20_000);
  });

  it('comes to the same when every step is executed twice, and every removal', async () => {
    const run = await account();
    const traffic = startTraffic(world.target, run.tenantId);
    const twice = (['ensure', 'remove'] as const).map((verb) => ({ slug: run.slug, verb }));
    world.injection.twice = [...world.injection.twice, ...twice];
    await move(run);
    expect(await world.outcome(run)).toBe('active');
    await traffic.end();
    traffic.expectRows(await rowsIn(run, 'to'));
    await expectMoved(run);
  });

  it.each([
    ...['create_stack', 'fence', 'announce_move', 'copy_rows', 'put_discovery', 'mark'].map(
      (id) => [id, 'after'] as const,
    ),
    ['close_fence', 'before'] as const,
    ['close_fence', 'after'] as const,
  ])('that fails at %s, %s its effect, leaves the account as it was, and lets services write', async (stepId, when) => {
    const run = await account();
    const before = await shapeOf(run);
    const traffic = startTraffic(world.target, run.tenantId);
    meeting(run, { stepId, verb: 'ensure', when });
    await move(run);
    expect(await world.outcome(run)).toBe('INVALID_REQUEST');
    await sleep(500);
    await traffic.end();
    await expectAsBefore(run, before);
    traffic.expectRows(await rowsIn(run, 'from'));
  });

  it('that is cancelled leaves the account as it was, and may be asked for again', async ({ expect }) => {
    const run = await account();
    const before = await shapeOf(run);
    const traffic = startTraffic(world.target, run.tenantId);
    await move(run);
    await expect.poll(async () => (await fenceOf(run))?.state, { timeout: 60_000 }).toBe('open');
    await world.client.cancel(caller, run.tenantId);
    await world.outcome(run);
    await expectAsBefore(run, before);
    await move(run);
    expect(await world.outcome(run)).toBe('active');
    await traffic.end();
    traffic.expectRows(await rowsIn(run, 'to'));
    await expectMoved(run);
  });

  it.each(['close_fence', 'announce_move', 'fence'])(
    'that gets stuck past its commit at %s is finished by a retry, with no stale read',
    async (stepId) => {
      const run = await account();
      const traffic = startTraffic(world.target, run.tenantId);
      meeting(run, { stepId, verb: 'remove', when: 'before' });
      await move(run);
      await world.until(run, 'stuck', 120_000);
      calmDown(run);
      await world.client.retry(caller, run.tenantId);
      expect(await world.outcome(run)).toBe('active');
      await traffic.end();
      traffic.expectRows(await rowsIn(run, 'to'));
      await expectMoved(run);
    },
  );

  it('keeps the old rows, and says so, where somebody without the router wrote among them after the switch', async ({
    expect,
  }) => {
    const run = await account();
    const traffic = startTraffic(world.target, run.tenantId);
    await sleep(500);
    meeting(run, { stepId: 'release_routers', verb: 'remove', when: 'before' });
    await move(run);
    await world.until(run, 'stuck', 120_000);
    const straggler = { PK: { S: `ACCOUNT#${run.tenantId}` }, SK: { S: 'STRAGGLER' } };
    await dynamodb.send(new PutItemCommand({ TableName: sharedTable(), Item: straggler }));
    calmDown(run);
    await world.client.retry(caller, run.tenantId);
    const leftovers = async () => JSON.stringify((await world.client.status(caller, run.tenantId)).leftovers);
    await expect.poll(leftovers, { timeout: 60_000 }).toContain('"stepId":"rows"');
    expect((await rowsIn(run, 'from')).has('STRAGGLER')).toBe(true);
    await dynamodb.send(new DeleteItemCommand({ TableName: sharedTable(), Key: straggler }));
    await world.until(run, 'stuck', 60_000);
    await world.client.retry(caller, run.tenantId);
    expect(await world.outcome(run)).toBe('active');
    await traffic.end();
    await expectMoved(run);
    expect(await rowsIn(run, 'from')).toEqual(new Map());
  });

  it('is followed by a deletion that looks at the old rows once more, keeps what landed late in a dump, and certifies that', async () => {
    const run = await account();
    const row = (SK: string) => ({ PK: { S: `ACCOUNT#${run.tenantId}` }, SK: { S: SK } });
    const write = (SK: string) => dynamodb.send(new PutItemCommand({ TableName: sharedTable(), Item: row(SK) }));
    await write('MOVED');
    await move(run);
    expect(await world.outcome(run)).toBe('active');
    await write('LATE');
    const movedAt = new Date().toISOString();
    const { finalDump, steps } = await world.client.previewDeletion(caller, run.tenantId);
    expect(finalDump?.detail).toContain('rows (dynamodb-rows)');
    expect(steps.map(({ stepId }) => stepId)).toContain('rows');

    // It cannot be looked at: it is told, and nothing is certified.
    meeting(run, { stepId: 'rows', verb: 'remove', when: 'before' });
    await world.client.deleteTenant(caller, run.tenantId, { confirm: run.slug });
    const stuck = await world.until(run, 'stuck');
    expect(stuck.leftovers?.map(({ stepId }) => stepId)).toContain('rows');
    expect(stuck.stepsTotal).toBe(steps.filter(({ becomes }) => becomes === 'drop').length);
    calmDown(run);
    await world.client.retry(caller, run.tenantId);
    expect(await world.outcome(run)).toBe('deleted');
    expect(await rowsIn(run, 'from')).toEqual(new Map());
    const { certificate } = await world.client.certificate(caller, run.tenantId);
    const [gone] = certificate.deletedRows ?? [];
    expect(gone).toMatchObject({ stepId: 'rows', table: sharedTable(), rows: 2, isExact: true });
    expect((gone?.absentAt ?? '') > movedAt).toBe(true);
    const dump = certificate.finalDumps?.find(({ stepId }) => stepId === 'rows');
    expect(dump).toMatchObject({ kept: true, rows: 1 });
    const archived = certificate.residues.filter(({ type }) => type === 's3:archive').map(({ stepId }) => stepId);
    expect(archived.sort()).toEqual(['create_stack', 'rows']);
    expect(certificate.operation.closedAt >= (gone?.absentAt ?? '')).toBe(true);
  });
});
