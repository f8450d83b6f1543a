import { randomUUID } from 'node:crypto';
import {
  CloudFormationClient,
  DeleteStackCommand,
  DescribeStackResourcesCommand,
  UpdateTerminationProtectionCommand,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { GetParametersCommand } from '@aws-sdk/client-ssm';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { timePresets, type TimeSettings } from '../../sandbox/gateway/time.ts';
import { createClients, destroyClients, type SeedClients } from '../../sandbox/landing-zone/clients.ts';
import { sharedTable } from '../../sandbox/landing-zone/names.ts';
import type { AccountSettings, License } from '../../src/products/accounts/settings.ts';
import { caller } from '../../testing/caller.ts';
import type { Fault } from '../../testing/sagas/faults.ts';
import { expectNothingLeft } from '../../testing/sagas/nothing-left.ts';
import { startSagaWorld, type Run, type SagaWorld } from '../../testing/sagas/world.ts';
import { part } from '../support/parts.ts';

let world: SagaWorld;
let clients: SeedClients;
let cloudformation: CloudFormationClient;
let rows: DynamoDBDocumentClient;
beforeAll(async () => {
  world = await startSagaWorld({ ministackUrl: (await part('ministack')).url });
  const { credentials, endpointUrl: endpoint, region } = world.target;
  clients = createClients(world.target);
  cloudformation = new CloudFormationClient({ endpoint, region, credentials: credentials! });
  rows = DynamoDBDocumentClient.from(clients.dynamodb);
});
afterAll(async () => {
  destroyClients(clients);
  cloudformation.destroy();
  await world.close();
});

const waiting = { timeout: 8_000, interval: 100 };
const license = (serviceId: string): License => ({
  ...{ enterpriseId: 'ent-1', productId: 'crm', serviceId, startDate: '2026-01-01', endDate: '2026-12-31' },
  ...{ contactFullName: 'Ada L.', contactEmail: 'ada@acme.example' },
});
const acme: AccountSettings = {
  name: 'ACME Corporation',
  technicalUser: { name: 'Ada', email: 'ada@acme.example' },
  licenses: [license('sales'), license('support')],
};

describe.concurrent('an account', () => {
  it('whose copies of metadata are edited by hand drifts, field by field, and is as it was once repaired', async () => {
    const before = await world.inventory();
    const account = await make('private', acme);
    const [shared, dedicated] = [rowOf(account, sharedTable), rowOf(account, tableOf(account))];
    await edit(shared, 'METADATA', 'name', 'Evil Corporation');
    await edit(shared, 'METADATA', 'technicalUser', acme.technicalUser);
    await edit(shared, 'LICENSE#ent-1#crm#support', 'contactFullName', 'Ada L.');
    await edit(dedicated, 'METADATA', 'technicalUser', { name: 'Eve', email: 'eve@evil.example' });
    await rows.send(
      new DeleteCommand({ TableName: dedicated.table, Key: { PK: dedicated.PK, SK: 'LICENSE#ent-1#crm#sales' } }),
    );
    expect(await findingsOf(account)).toEqual([
      expect.stringMatching(/^put_dedicated_license:\w{8} missing /),
      'put_dedicated_metadata changed attributes.technicalUser',
      expect.stringMatching(/^put_shared_license:\w{8} extra attributes.contactFullName$/),
      'put_shared_metadata changed attributes.name',
      'put_shared_metadata extra attributes.technicalUser',
    ]);
    await world.client.repairTenant(caller, account.tenantId, {});
    expect(await world.outcome(account)).toBe('active');
    expect(await findingsOf(account)).toEqual([]);
    expect(await read(shared, 'METADATA')).toMatchObject({ name: 'ACME Corporation' });
    expect(await read(shared, 'METADATA')).not.toHaveProperty('technicalUser');
    expect(await read(shared, 'LICENSE#ent-1#crm#support')).not.toHaveProperty('contactFullName');
    expect(await read(dedicated, 'METADATA')).toMatchObject({ technicalUser: acme.technicalUser });

    // The one that stays is not touched: what a service added to its row is there.
    await edit(dedicated, 'LICENSE#ent-1#crm#support', 'seats', 7);
    await world.client.changeTenant(caller, account.tenantId, {
      settings: { licenses: [license('support'), license('billing')] },
    });
    expect(await world.outcome(account)).toBe('active');
    for (const row of [shared, dedicated]) {
      expect(await read(row, 'LICENSE#ent-1#crm#sales')).toBeUndefined();
      expect(await read(row, 'LICENSE#ent-1#crm#billing')).toBeDefined();
    }
    expect(await read(dedicated, 'LICENSE#ent-1#crm#support')).toMatchObject({ seats: 7, contactFullName: 'Ada L.' });
    expect(await read(shared, 'LICENSE#ent-1#crm#support')).not.toHaveProperty('contactFullName');

    for (const ask of [world.client.changeMode, world.client.previewMode])
      await expect(ask(caller, account.tenantId, 'suspend', {})).rejects.toMatchObject({
        code: 'CHANGE_NOT_POSSIBLE',
        message: expect.stringContaining('tenants of accounts cannot be suspended') as string,
      });
    await world.deprovision(account);
    expect(await world.outcome(account)).toBe('deleted');
    await expectNothingLeft(world, account, before);
  });

  it('that goes says so in SSM before a row of its services is gone, and takes no row of others', async () => {
    const [account, other] = await Promise.all([make('public'), make('public')]);
    const note = { SK: 'NOTE#1', text: 'of a service' };
    const [own, others] = [rowOf(account, sharedTable), rowOf(other, sharedTable)];
    for (const { PK, table } of [own, others])
      await rows.send(new PutCommand({ TableName: table, Item: { PK, ...note } }));
    await rows.send(new PutCommand({ TableName: own.table, Item: { PK: own.PK, SK: 'NOTE#2' } }));
    expect(await statusOf(account)).toMatchObject({ 'provisioning-status': 'active', 'provisioning-error': 'none' });
    failRemovals(account, 'announce', 'after');
    await world.deprovision(account);
    await world.until(account, 'stuck');
    expect(await statusOf(account)).toMatchObject({ 'provisioning-status': 'deleting' });
    expect(await read(own, 'NOTE#1')).toMatchObject(note);
    world.injection.faults = world.injection.faults.filter(({ slug }) => slug !== account.slug);
    await world.client.retry(caller, account.tenantId);
    expect(await world.outcome(account)).toBe('deleted');
    expect(await read(own, 'NOTE#1')).toBeUndefined();
    expect(await statusOf(account)).toEqual({});
    expect(await certifiedRows(account)).toEqual([{ table: own.table, partition: own.PK, rows: 2, isExact: true }]);
    expect(await read(others, 'NOTE#1')).toMatchObject(note);
    await world.deprovision(other);
    expect(await world.outcome(other)).toBe('deleted');
    expect(await certifiedRows(other)).toEqual([{ table: own.table, partition: others.PK, rows: 1, isExact: true }]);
  });

  it("whose table's name is taken has failed, with the events of its stack, and the table of others stays", async () => {
    const before = await world.inventory();
    const tenantId = randomUUID();
    const TableName = `app-prod-account-${tenantId}`;
    await clients.dynamodb.send(
      new CreateTableCommand({
        ...{ TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] },
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    );
    failRemovals({ slug: tenantId }, 'mark', 'before');
    const account = await start('private', acme, tenantId);
    await world.until(account, 'stuck');
    expect(await statusOf(account)).toMatchObject({
      'provisioning-status': 'failed',
      'provisioning-error': expect.stringMatching(
        new RegExp(`create_stack: .*Table.*${TableName}.* already exists`),
      ) as string,
    });
    world.injection.faults = world.injection.faults.filter(({ slug }) => slug !== tenantId);
    await world.client.retry(caller, tenantId);
    await world.until(account, 'rolled-back');
    expect(await world.client.status(caller, tenantId)).toMatchObject({
      status: 'failed',
      error: {
        code: 'SERVICE_FAILED',
        stepId: 'create_stack',
        detail: expect.stringContaining(`'${TableName}' already exists`) as string,
      },
    });
    expect((await clients.dynamodb.send(new DescribeTableCommand({ TableName }))).Table?.KeySchema).toHaveLength(1);
    await clients.dynamodb.send(new DeleteTableCommand({ TableName }));
    await expectNothingLeft(world, account, before);
  });

  it('whose stack is deleted by hand has lost its data: it is told, not made anew, and can be deleted', async () => {
    const before = await world.inventory();
    const account = await make('private');
    await deleteStackByHand(tableOf(account));
    expect(await findingsOf(account)).toContainEqual(expect.stringMatching(/^create_stack missing /));
    await world.client.changeTenant(caller, account.tenantId, { settings: { name: 'Another' } });
    expect(await world.until(account, 'stuck')).toMatchObject({
      error: { code: 'DATA_LOST', stepId: 'create_stack' },
    });
    await world.deprovision(account);
    expect(await world.outcome(account)).toBe('deleted');
    await expectNothingLeft(world, account, before);
  });
});

describe('a private account whose stack hangs', () => {
  afterEach(() => world.gateway.setTime(timePresets.fast));

  it('says so in its status, and leaves nothing once it is canceled', async () => {
    const before = await world.inventory();
    const account = await startHanging({ stackTimeoutScale: 1 });
    await vi.waitFor(async () => expect(await waitedFor(account)).toMatch(/^CREATE_IN_PROGRESS/), waiting);
    expect(await statusOf(account)).toMatchObject({ 'provisioning-status': 'creating' });
    await world.client.cancel(caller, account.tenantId);
    expect(await world.outcome(account)).toBe('cancelled');
    await expectNothingLeft(world, account, before);
  });

  it('has failed when the time of its stack is over, and leaves nothing', async () => {
    const before = await world.inventory();
    // The 15 minutes of the stack are 1.5 seconds.
    const account = await startHanging({ stackTimeoutScale: 1 / 600 });
    await world.until(account, 'rolled-back');
    expect(await world.client.status(caller, account.tenantId)).toMatchObject({
      status: 'failed',
      error: { stepId: 'create_stack', detail: expect.stringContaining('Stack creation time exceeded') as string },
    });
    await expectNothingLeft(world, account, before);
  });
});

/** A private account whose stack has begun its first resource, which does not get ready. */
async function startHanging(time: Pick<TimeSettings, 'stackTimeoutScale'>): Promise<Run> {
  world.gateway.setTime({ stackResourceMs: 600_000, ...time });
  const account = await start('private');
  await vi.waitFor(
    async () =>
      expect(await resourcesOf(tableOf(account))).toContainEqual(
        expect.objectContaining({ ResourceStatusReason: 'Resource creation Initiated' }),
      ),
    waiting,
  );
  // What hangs goes on hanging; what takes it away is as quick as ever.
  world.gateway.setTime(timePresets.fast);
  return account;
}

async function resourcesOf(StackName: string) {
  return (await cloudformation.send(new DescribeStackResourcesCommand({ StackName }))).StackResources ?? [];
}

/** What its status says of the stack that is waited for. */
async function waitedFor({ tenantId }: Run) {
  const { awaited = [] } = await world.client.status(caller, tenantId);
  return awaited.find(({ stepId }) => stepId === 'create_stack')?.detail;
}

async function start(tier: string, settings: AccountSettings = {}, tenantId: string = randomUUID()): Promise<Run> {
  await world.client.createTenant(caller, {
    ...{ product: 'accounts', tier, tenantId, settings, onFailure: 'rollback' },
    displayName: settings.name ?? 'ACME',
    contactEmail: settings.technicalUser?.email ?? 'ops@acme.example',
  });
  return { tenantId, slug: tenantId, workflowId: `tenant.accounts.${tenantId}` };
}

async function make(tier: string, settings?: AccountSettings): Promise<Run> {
  const account = await start(tier, settings);
  expect(await world.outcome(account)).toBe('active');
  return account;
}

function failRemovals({ slug }: Pick<Run, 'slug'>, stepId: string, when: Fault['when']): void {
  world.injection.faults = [...world.injection.faults, { slug, stepId, verb: 'remove', when }];
}

function tableOf({ tenantId }: Run): string {
  return `app-prod-account-${tenantId}`;
}

interface Partition {
  readonly table: string;
  readonly PK: string;
}

function rowOf({ tenantId }: Run, table: string): Partition {
  return { table, PK: `ACCOUNT#${tenantId}` };
}

async function read({ PK, table: TableName }: Partition, SK: string) {
  return (await rows.send(new GetCommand({ TableName, Key: { PK, SK }, ConsistentRead: true }))).Item;
}

async function edit({ PK, table: TableName }: Partition, SK: string, name: string, value: unknown): Promise<void> {
  await rows.send(
    new UpdateCommand({
      ...{ TableName, Key: { PK, SK }, UpdateExpression: 'set #name = :value' },
      ...{ ExpressionAttributeNames: { '#name': name }, ExpressionAttributeValues: { ':value': value } },
    }),
  );
}

async function findingsOf({ tenantId }: Run): Promise<string[]> {
  const seen = await world.drift.lookAtTenant(caller, tenantId, AbortSignal.timeout(60_000));
  expect(seen?.unseen).toEqual([]);
  return (seen?.findings ?? []).map(({ stepId, is, field }) => `${stepId} ${is} ${field}`).sort();
}

/** Parameters of the account that are there, by the ends of their names. */
async function statusOf({ tenantId }: Run): Promise<Record<string, string>> {
  const path = `/accounts/${tenantId}/`;
  const Names = ['cloud-type', 'provisioning-status', 'provisioning-error'].map((name) => `${path}${name}`);
  const { Parameters = [] } = await clients.ssm.send(new GetParametersCommand({ Names }));
  return Object.fromEntries(Parameters.map(({ Name = '', Value = '' }) => [Name.replace(path, ''), Value]));
}

/** What the certificate of its deletion says of its services' rows. */
async function certifiedRows({ tenantId }: Run): Promise<object[]> {
  const { certificate } = await world.client.certificate(caller, tenantId);
  return (certificate.deletedRows ?? []).map(({ isExact, partition, rows: count, table }) => ({
    ...{ table, partition, rows: count, isExact },
  }));
}

async function deleteStackByHand(StackName: string): Promise<void> {
  const unprotected = { StackName, EnableTerminationProtection: false };
  await cloudformation.send(new UpdateTerminationProtectionCommand(unprotected));
  await clients.dynamodb.send(new UpdateTableCommand({ TableName: StackName, DeletionProtectionEnabled: false }));
  await cloudformation.send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete(
    { client: cloudformation, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
    { StackName },
  );
}
