import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DeleteTableCommand, DescribeTableCommand, DynamoDBClient, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { cloudformationStack } from '../../../src/kinds/cloudformation-stack/kind.ts';
import type { StackSpec } from '../../../src/kinds/cloudformation-stack/spec.ts';
import { StepError } from '../../../src/contracts/step-error.ts';
import type { Resolved } from '../../../src/contracts/kinds.ts';
import { makeTable } from '../../sandbox/gateway/sandbox-aws.ts';
import { tableTemplate } from '../../sandbox/gateway/stack-account.ts';
import { contextOf, newTenant, observeUntil, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();
type Settings = ContextSettings<'cloudformation-stack'>;

async function account() {
  const tenant = await newTenant(world);
  const table = `app-prod-account-${tenant.id}`;
  const parameter = `/accounts/${tenant.id}/value`;
  const spec: Resolved<StackSpec> = {
    prefix: 'app-prod-account',
    template: { body: tableTemplate },
    parameters: { Table: table, Parameter: parameter },
    capabilities: [],
    tags: {},
    terminationProtection: false,
    liftsTableProtection: false,
    timeoutMinutes: 15,
  };
  const context = (settings: Settings = {}, changed: Partial<typeof spec> = {}) =>
    contextOf<'cloudformation-stack'>(world, tenant, { ...spec, ...changed }, settings);
  const withParameters = (more: Readonly<Record<string, string>>, settings: Settings = {}) =>
    context(settings, { parameters: { ...spec.parameters, ...more } });
  return { context, withParameters, table, parameter };
}

const tables = () => new DynamoDBClient(world.target);

/** As the executor tries again what passes by itself. */
async function ensured(context: ReturnType<typeof contextOf<'cloudformation-stack'>>) {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await cloudformationStack.ensure(context);
    } catch (error) {
      if (attempts === 20 || !(error instanceof StepError) || error.code !== 'CONFLICT_RETRYABLE') throw error;
      await sleep(100);
    }
  }
}

describe('cloudformation-stack', () => {
  it('tells its outputs once it is ready, and what it waits for before', async () => {
    const { context, table } = await account();
    const made = await cloudformationStack.ensure(context());
    expect(made).toMatchObject({ status: 'pending', outputs: { stackId: expect.stringContaining(table) as unknown } });
    expect(made.detail).toMatch(/^CREATE_IN_PROGRESS/);
    const seen = await observeUntil(cloudformationStack, context(), 'ready');
    const { Table } = await tables().send(new DescribeTableCommand({ TableName: table }));
    expect(seen).toMatchObject({ outputs: { stackId: made.outputs['stackId'], Arn: Table?.TableArn } });
  });

  it('has for itself what it made: the sweep of parameters leaves that out', async () => {
    const { context, parameter } = await account();
    await cloudformationStack.ensure(context());
    await observeUntil(cloudformationStack, context(), 'ready');
    const made = await world.aws.inventory.parameters.find({ name: parameter, physicalId: parameter });
    expect(made?.tags).toMatchObject(context().tags);
    const listed = await world.aws.inventory.parameters.list(() => false);
    expect(listed.filter(({ name }) => name === parameter)).toEqual([]);
  });

  it('fails with what failed when a name is taken, keeps it for diagnosis, and is deleted before it is made again', async () => {
    const { context, table } = await account();
    await makeTable(tables(), table);
    const { outputs } = await cloudformationStack.ensure(context());
    const failed = await observeUntil(cloudformationStack, context(), 'failed');
    expect(failed.detail).toMatch(/^CREATE_FAILED: .*; TheTable: .*already exists/);
    expect(failed.detail.length).toBeLessThanOrEqual(1_000);
    // The same generation makes nothing anew.
    await cloudformationStack.ensure(context({ previous: { stackId: outputs['stackId'] ?? '' } }));
    expect((await cloudformationStack.observe(context())).status).toBe('failed');
    await tables().send(new DeleteTableCommand({ TableName: table }));
    const again = await ensured(context({ generation: 2 }));
    expect(again.outputs['stackId']).not.toBe(outputs['stackId']);
    await observeUntil(cloudformationStack, context({ generation: 2 }), 'ready');
  });

  it('refuses a change that would replace its table, and changes nothing', async () => {
    const { context, withParameters } = await account();
    await cloudformationStack.ensure(context());
    await observeUntil(cloudformationStack, context(), 'ready');
    const other = withParameters({ SortKey: 'other', Value: 'two' }, { operationId: 'second' });
    const refused = await stepErrorOf(ensured(other));
    expect(refused.code).toBe('CHANGE_NOT_POSSIBLE');
    expect(refused.message).toContain('TheTable (AWS::DynamoDB::Table) would be replaced');
    expect((await cloudformationStack.observe(context())).status).toBe('ready');
    const without = 'Resources: { Handle: { Type: AWS::CloudFormation::WaitConditionHandle } }';
    const removed = context({ operationId: 'third' }, { template: { body: without }, parameters: {} });
    expect((await stepErrorOf(ensured(removed))).message).toContain('TheTable (AWS::DynamoDB::Table) would be removed');
  });

  it('tells why a change was rolled back, and tries it again in the next generation only', async () => {
    const { context, withParameters, parameter } = await account();
    await cloudformationStack.ensure(context());
    await observeUntil(cloudformationStack, context(), 'ready');
    const theirs = `${parameter}-theirs`;
    await new SSMClient(world.target).send(new PutParameterCommand({ Name: theirs, Value: 'x', Type: 'String' }));
    const change = { IsProtected: 'true', Parameter: theirs };
    await ensured(withParameters(change, { operationId: 'second' }));
    const failed = await observeUntil(cloudformationStack, withParameters(change, { operationId: 'second' }), 'failed');
    expect(failed.detail).toMatch(/^UPDATE_ROLLBACK_COMPLETE; TheParameter: .*already exists/);
    const before = world.gateway.calls().length;
    await cloudformationStack.ensure(withParameters(change, { operationId: 'second' }));
    const calls = world.gateway.calls().slice(before);
    expect(calls.filter(({ action }) => action === 'ExecuteChangeSet')).toEqual([]);
    // What it goes back to is what it is.
    const back = context({ operationId: 'second', goesBack: true });
    expect((await cloudformationStack.ensure(back)).status).toBe('ready');
    const fixed = { ...change, Parameter: `${theirs}-not` };
    await ensured(withParameters(fixed, { operationId: 'second', generation: 2 }));
    await observeUntil(cloudformationStack, withParameters(fixed, { operationId: 'second', generation: 2 }), 'ready');
  });

  it('ends its removal at a protected table with what is left, and lifts the protection where its spec says so', async () => {
    const { context, table, withParameters } = await account();
    await cloudformationStack.ensure(withParameters({ IsProtected: 'true' }));
    await observeUntil(cloudformationStack, withParameters({ IsProtected: 'true' }), 'ready');
    const removing = (generation: number) => context({ generation, removingAt: new Date() });
    expect((await cloudformationStack.remove(removing(1))).status).toBe('pending');
    const stuck = await stepErrorOf(observeUntil(cloudformationStack, removing(1), 'absent'));
    expect(stuck.code).toBe('STILL_PRESENT');
    expect(stuck.detail).toMatch(/^DELETE_FAILED: .*; TheTable: .*protect/i);
    expect((await stepErrorOf(cloudformationStack.remove(removing(1)))).code).toBe('STILL_PRESENT');
    await expect(tables().send(new DescribeTableCommand({ TableName: table }))).resolves.toBeDefined();

    const other = await account();
    const lifting = (settings: Settings = {}) =>
      other.context(settings, {
        parameters: { ...other.withParameters({}).spec.parameters, IsProtected: 'true' },
        ...{ terminationProtection: true, liftsTableProtection: true },
      });
    await cloudformationStack.ensure(lifting());
    await observeUntil(cloudformationStack, lifting(), 'ready');
    await cloudformationStack.remove(lifting({ removingAt: new Date() }));
    await observeUntil(cloudformationStack, lifting({ removingAt: new Date() }), 'absent');
    await expect(tables().send(new DescribeTableCommand({ TableName: other.table }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('lifts the protection of a table that was not there yet when its deletion began, and deletes again', async () => {
    const { context, withParameters, table } = await account();
    const lifting = (settings: Settings = {}) =>
      context(settings, {
        parameters: { ...withParameters({}).spec.parameters, IsProtected: 'true' },
        ...{ terminationProtection: true, liftsTableProtection: true },
      });
    await cloudformationStack.ensure(lifting());
    await observeUntil(cloudformationStack, lifting(), 'ready');
    const removing = lifting({ removingAt: new Date() });
    const removingBy = (stacks: Partial<typeof removing.aws.stacks>) => {
      const aws = { ...removing.aws, stacks: { ...removing.aws.stacks, ...stacks } };
      return Object.defineProperty(lifting({ removingAt: new Date() }), 'aws', { value: aws });
    };
    await cloudformationStack.remove(removingBy({ listTables: () => Promise.resolve([]) }));
    await observeUntil(cloudformationStack, removing, 'ready');
    // An attempt that was killed right after it lifted the protection.
    const unsent = removingBy({ deleteStack: () => Promise.reject(new Error('killed')) });
    await expect(cloudformationStack.remove(unsent)).rejects.toThrow('killed');
    expect((await cloudformationStack.remove(removing)).status).toBe('pending');
    await observeUntil(cloudformationStack, removing, 'absent');
    await expect(tables().send(new DescribeTableCommand({ TableName: table }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('leaves the protection of a table that only has the name of its own', async () => {
    const { context, table } = await account();
    const asked = context({}, { liftsTableProtection: true });
    await cloudformationStack.ensure(asked);
    await observeUntil(cloudformationStack, asked, 'ready');
    await tables().send(new DeleteTableCommand({ TableName: table }));
    await makeTable(tables(), table);
    await tables().send(new UpdateTableCommand({ TableName: table, DeletionProtectionEnabled: true }));
    const removing = context({ removingAt: new Date() }, { liftsTableProtection: true });
    for (let deletions = 1; deletions < 3; deletions += 1) {
      await cloudformationStack.remove(removing);
      await observeUntil(cloudformationStack, removing, 'ready');
    }
    await cloudformationStack.remove(removing);
    expect((await stepErrorOf(observeUntil(cloudformationStack, removing, 'absent'))).code).toBe('STILL_PRESENT');
    const { Table } = await tables().send(new DescribeTableCommand({ TableName: table }));
    expect(Table?.DeletionProtectionEnabled).toBe(true);
  });

  it('does not take back what somebody did whose deletion failed, of a tenant that may have data in it', async () => {
    const { context, withParameters, table } = await account();
    const made = withParameters({ IsProtected: 'true' });
    await cloudformationStack.ensure(made);
    await observeUntil(cloudformationStack, made, 'ready');
    const client = new CloudFormationClient(world.target);
    await cloudformationStack.remove(context({ operationId: 'by-hand', removingAt: new Date() }));
    await stepErrorOf(
      observeUntil(cloudformationStack, context({ operationId: 'by-hand', removingAt: new Date() }), 'absent'),
    );
    await cloudformationStack.ensure(made);
    expect((await cloudformationStack.observe(made)).status).toBe('failed');
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: table }));
    expect(stack?.StackStatus).toBe('DELETE_FAILED');
  });
});
