import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  CreateChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  ListStackResourcesCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  ListTagsOfResourceCommand,
} from '@aws-sdk/client-dynamodb';
import { GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { describe, expect, it } from 'vitest';
import { createStacks } from '../../../src/aws/cloudformation.ts';
import { makeTable, newAccount } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';
import { createStack, eventsOf, settled, tableTemplate, values } from './stack-account.ts';

const shared = useGateway();
const fresh = () => {
  const at = newAccount(shared.gateway);
  const name = `s-${randomUUID()}`;
  const names = { Table: name, Parameter: `/stacks/${name}` };
  const input = { StackName: name, TemplateBody: tableTemplate, Parameters: values(names) };
  const update = (more: Readonly<Record<string, string>>) => ({ ...input, Parameters: values({ ...names, ...more }) });
  return { at, name, names, input, update };
};

describe('a stack', () => {
  it('is made in its time, and once for a token', async () => {
    const { at, input, name } = fresh();
    const asked = { ...input, ClientRequestToken: 'first', Tags: [{ Key: 'team', Value: 'a' }] };
    const id = await createStack(at, asked);
    const { Stacks: [begun] = [] } = await at.stacks.send(new DescribeStacksCommand({ StackName: id }));
    expect(begun).toMatchObject({ StackStatus: 'CREATE_IN_PROGRESS', Tags: [{ Key: 'team', Value: 'a' }] });
    expect(await createStack(at, asked)).toBe(id);
    await expect(createStack(at, { ...asked, ClientRequestToken: 'other' })).rejects.toMatchObject({
      name: 'AlreadyExistsException',
    });
    const made = await settled(at, name);
    expect(made.StackStatus).toBe('CREATE_COMPLETE');
    const arn = made.Outputs?.[0]?.OutputValue;
    const { Table } = await at.tables.send(new DescribeTableCommand({ TableName: name }));
    expect(arn).toBe(Table?.TableArn);
    const { Parameter } = await at.parameters.send(new GetParameterCommand({ Name: `/stacks/${name}` }));
    expect(Parameter?.Value).toBe(`one of ${arn}`);
    const { Tags } = await at.tables.send(new ListTagsOfResourceCommand({ ResourceArn: arn }));
    expect(Tags).toEqual(
      expect.arrayContaining([
        { Key: 'team', Value: 'a' },
        { Key: 'aws:cloudformation:stack-id', Value: id },
      ]),
    );
    const events = await eventsOf(at, id);
    expect(events[0]).toMatchObject({ ResourceStatus: 'CREATE_COMPLETE', ClientRequestToken: 'first' });
  });

  it('never takes what has the name already, and does not delete it with itself', async () => {
    const { at, input, name } = fresh();
    await makeTable(at.tables, name);
    await createStack(at, { ...input, OnFailure: 'DO_NOTHING' });
    const failed = await settled(at, name);
    expect(failed).toMatchObject({
      StackStatus: 'CREATE_FAILED',
      StackStatusReason: 'The following resource(s) failed to create: [TheTable]. ',
    });
    const reasons = (await eventsOf(at, name)).map(({ ResourceStatusReason }) => ResourceStatusReason ?? '');
    expect(reasons.join('\n')).toContain(`'AWS::DynamoDB::Table' with identifier '${name}' already exists`);
    await expect(createStack(at, input)).rejects.toMatchObject({ name: 'AlreadyExistsException' });
    await expect(at.stacks.send(new UpdateStackCommand(input))).rejects.toThrow('is in CREATE_FAILED state');
    await at.stacks.send(new DeleteStackCommand({ StackName: name }));
    expect((await settled(at, String(failed.StackId))).StackStatus).toBe('DELETE_COMPLETE');
    await expect(at.tables.send(new DescribeTableCommand({ TableName: name }))).resolves.toBeDefined();
  });

  it('is rolled back when a resource of it fails, and takes back what it made', async () => {
    const { at, input, name, names } = fresh();
    const taken = new PutParameterCommand({ Name: names.Parameter, Value: 'theirs', Type: 'String' });
    await at.parameters.send(taken);
    await createStack(at, input);
    expect((await settled(at, name)).StackStatus).toBe('ROLLBACK_COMPLETE');
    await expect(at.tables.send(new DescribeTableCommand({ TableName: name }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    const { Parameter } = await at.parameters.send(new GetParameterCommand({ Name: names.Parameter }));
    expect(Parameter?.Value).toBe('theirs');
    await expect(createStack(at, input)).rejects.toMatchObject({ name: 'AlreadyExistsException' });
  });

  it('stays while a table of it is protected, or itself is', async () => {
    const { at, input, name, update } = fresh();
    const id = await createStack(at, { ...update({ IsProtected: 'true' }), EnableTerminationProtection: true });
    await settled(at, name);
    await expect(at.stacks.send(new DeleteStackCommand({ StackName: name }))).rejects.toThrow('TerminationProtection');
    const lifted = { StackName: name, EnableTerminationProtection: false };
    await at.stacks.send(new UpdateTerminationProtectionCommand(lifted));
    await at.stacks.send(new DeleteStackCommand({ StackName: name, ClientRequestToken: 'away' }));
    expect(await settled(at, name)).toMatchObject({
      StackStatus: 'DELETE_FAILED',
      StackStatusReason: 'The following resource(s) failed to delete: [TheTable]. ',
    });
    const [last, resource] = await eventsOf(at, name);
    expect(last?.ClientRequestToken).toBe('away');
    expect(resource?.ResourceStatusReason ?? '').toMatch(/protect/i);
    await expect(at.stacks.send(new UpdateStackCommand(input))).rejects.toThrow('is in DELETE_FAILED state');
    await at.stacks.send(new DeleteStackCommand({ StackName: name, RetainResources: ['TheTable'] }));
    expect((await settled(at, id)).StackStatus).toBe('DELETE_COMPLETE');
  });

  it('is changed by a change set that tells what would be replaced', async () => {
    const { at, input, name, update } = fresh();
    await createStack(at, input);
    await settled(at, name);
    const changes = async (ChangeSetName: string, more: Readonly<Record<string, string>>) => {
      await at.stacks.send(new CreateChangeSetCommand({ ...update(more), ChangeSetName }));
      const set = await at.stacks.send(new DescribeChangeSetCommand({ StackName: name, ChangeSetName }));
      const told = set.Changes?.map(
        ({ ResourceChange: c }) => `${c?.LogicalResourceId} ${c?.Action} ${c?.Replacement}`,
      );
      return { told, status: set.Status, reason: set.StatusReason };
    };
    expect((await changes('keys', { SortKey: 'other' })).told).toEqual([
      'TheTable Modify True',
      'TheParameter Modify False',
    ]);
    const same = await changes('same', {});
    expect(same.status).toBe('FAILED');
    expect(same.reason).toContain("didn't contain changes");
    expect((await changes('value', { Value: 'two' })).told).toEqual(['TheParameter Modify False']);
    const executed = { StackName: name, ChangeSetName: 'value', ClientRequestToken: 'change' };
    await at.stacks.send(new ExecuteChangeSetCommand(executed));
    expect((await settled(at, name)).StackStatus).toBe('UPDATE_COMPLETE');
    const { Parameter } = await at.parameters.send(new GetParameterCommand({ Name: `/stacks/${name}` }));
    expect(Parameter?.Value).toMatch(/^two of/);
    await expect(
      at.stacks.send(new DescribeChangeSetCommand({ StackName: name, ChangeSetName: 'keys' })),
    ).rejects.toMatchObject({ name: 'ChangeSetNotFoundException' });
  });

  it('goes back to what it was when an update fails', async () => {
    const { at, input, name, names, update } = fresh();
    const theirs = `${names.Parameter}-theirs`;
    await at.parameters.send(new PutParameterCommand({ Name: theirs, Value: 'theirs', Type: 'String' }));
    await createStack(at, input);
    await settled(at, name);
    // The table is changed first, then the parameter's new name is taken.
    await at.stacks.send(new UpdateStackCommand(update({ IsProtected: 'true', Parameter: theirs })));
    expect((await settled(at, name)).StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    const { Table } = await at.tables.send(new DescribeTableCommand({ TableName: name }));
    expect(Table?.DeletionProtectionEnabled).toBe(false);
    const { Parameter } = await at.parameters.send(new GetParameterCommand({ Name: names.Parameter }));
    expect(Parameter?.Value).toMatch(/^one of/);
    await expect(at.stacks.send(new UpdateStackCommand(input))).rejects.toThrow('No updates are to be performed.');
  });

  it('is in progress for as long as it takes, ends when that is too long, and can be deleted meanwhile', async () => {
    const { at, input, name } = fresh();
    shared.gateway.setTime({ stackResourceMs: 60_000, stackTimeoutScale: 1 / 600 });
    const slow = await createStack(at, { ...input, TimeoutInMinutes: 1, OnFailure: 'DO_NOTHING' });
    expect(await settled(at, slow)).toMatchObject({
      StackStatus: 'CREATE_FAILED',
      StackStatusReason: 'Stack creation time exceeded the specified timeout. ',
    });
    const other = fresh();
    const id = await createStack(other.at, other.input);
    await expect.poll(async () => (await eventsOf(other.at, id))[0]?.ResourceStatusReason).toMatch(/Initiated$/);
    await other.at.stacks.send(new DeleteStackCommand({ StackName: id }));
    shared.gateway.setTime('fast');
    expect((await settled(other.at, id)).StackStatus).toBe('DELETE_COMPLETE');
    await expect(at.tables.send(new DescribeTableCommand({ TableName: name }))).resolves.toBeDefined();
    await expect(other.at.tables.send(new DescribeTableCommand({ TableName: other.name }))).rejects.toThrow();
  });

  it('tells its events in pages, also after it is gone', async () => {
    const { at, name } = fresh();
    const handle = { Type: 'AWS::CloudFormation::WaitConditionHandle' };
    const handles = Array.from({ length: 40 }, (_, i) => [`Handle${i}`, handle] as const);
    shared.gateway.setTime({ stackResourceMs: 0 });
    const id = await createStack(at, {
      StackName: name,
      TemplateBody: JSON.stringify({ Resources: Object.fromEntries(handles) }),
    });
    await settled(at, name);
    await at.stacks.send(new DeleteStackCommand({ StackName: name }));
    await settled(at, id);
    shared.gateway.setTime('fast');
    const first = await at.stacks.send(new DescribeStackEventsCommand({ StackName: id }));
    expect(first.NextToken).toBeDefined();
    const all = await eventsOf(at, id);
    expect(new Set(all.map(({ EventId }) => EventId)).size).toBe(all.length);
    expect(all.length).toBe(4 + 5 * 40);
    expect(all.at(-1)).toMatchObject({ ResourceStatus: 'CREATE_IN_PROGRESS', LogicalResourceId: name });
    await expect(at.stacks.send(new DescribeStacksCommand({ StackName: name }))).rejects.toThrow('does not exist');
  });

  it('is refused where AWS refuses it', async () => {
    const { at, input, names } = fresh();
    const refused = (more: Partial<typeof input>) => expect(createStack(at, { ...input, ...more })).rejects;
    await refused({ Parameters: values({ Table: names.Table }) }).toThrow('Parameters: [Parameter] must have values');
    await refused({ Parameters: values({ ...names, Other: 'x' }) }).toThrow('[Other] do not exist in the template');
    await refused({ TemplateBody: 'Resources: { A: { Type: AWS::Made::Up } }', Parameters: [] }).toThrow(
      'Unrecognized resource types: [AWS::Made::Up]',
    );
    await refused({ TemplateBody: 'Resources: { A: { Type: AWS::IAM::Role } }', Parameters: [] }).toThrow(
      'CAPABILITY_IAM',
    );
    await refused({ StackName: '1-begins-with-a-digit' }).toThrow('failed to satisfy constraint');
    const unused = tableTemplate.replace(
      'AttributeDefinitions:',
      'AttributeDefinitions:\n        - { AttributeName: x, AttributeType: S }',
    );
    await createStack(at, { ...input, TemplateBody: unused });
    expect((await settled(at, input.StackName)).StackStatus).toBe('ROLLBACK_COMPLETE');
  });
});

describe('a stack of more than 100 resources', () => {
  it('is listed on pages, and described without what comes after the first 100', async () => {
    const { at, name } = fresh();
    const one = { Type: 'AWS::CloudFormation::WaitConditionHandle' };
    const handles = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`Handle${n}`, one] as const));
    const Properties = {
      ...{ TableName: name, BillingMode: 'PAY_PER_REQUEST' },
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    };
    const Resources = { ...handles, Table: { Type: 'AWS::DynamoDB::Table', Properties } };
    const id = await createStack(at, { StackName: name, TemplateBody: JSON.stringify({ Resources }) });
    await settled(at, name);
    const described = await at.stacks.send(new DescribeStackResourcesCommand({ StackName: id }));
    expect(described.StackResources).toHaveLength(100);
    const first = await at.stacks.send(new ListStackResourcesCommand({ StackName: id }));
    expect(first.StackResourceSummaries).toHaveLength(100);
    const { NextToken } = first;
    const rest = await at.stacks.send(new ListStackResourcesCommand({ StackName: id, NextToken }));
    expect(rest.NextToken).toBeUndefined();
    expect(rest.StackResourceSummaries).toMatchObject([{ LogicalResourceId: 'Table', PhysicalResourceId: name }]);
    expect(await createStacks(at.stacks, at.tables, 'us-east-1').listTables(id)).toEqual([name]);
  });
});

describe('the template of a private account', () => {
  it('makes a table with its indexes, encryption, stream, recovery and parameters', async () => {
    const at = newAccount(shared.gateway);
    const AccountId = randomUUID();
    const StackName = `app-prod-account-${AccountId}`;
    const TemplateBody = await readFile('templates/private-account-dynamodb.yaml', 'utf8');
    const Parameters = values({ AccountId, AccountName: 'Acme and Co', Gsi1PartitionKeyName: 'entity' });
    await createStack(at, { StackName, TemplateBody, Parameters });
    const stack = await settled(at, StackName);
    expect(stack.StackStatus).toBe('CREATE_COMPLETE');
    const outputs = new Map((stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
    const { Table } = await at.tables.send(new DescribeTableCommand({ TableName: StackName }));
    expect(Table).toMatchObject({
      DeletionProtectionEnabled: true,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      SSEDescription: { Status: 'ENABLED', SSEType: 'KMS' },
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    });
    expect(
      Table?.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema }) => [IndexName, KeySchema?.[0]?.AttributeName]),
    ).toEqual([
      ['GSI1', 'entity'],
      ['GSI2', 'GSI2PK'],
      ['GSI3', 'GSI3PK'],
    ]);
    expect(Object.fromEntries(outputs)).toEqual({
      ...{ TableName: StackName, TableArn: Table?.TableArn, StreamArn: Table?.LatestStreamArn },
    });
    const backups = await at.tables.send(new DescribeContinuousBackupsCommand({ TableName: StackName }));
    expect(backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus).toBe(
      'ENABLED',
    );
    const parameter = { Name: `/accounts/${AccountId}/dynamodb/stream-arn` };
    const { Parameter } = await at.parameters.send(new GetParameterCommand(parameter));
    expect(Parameter?.Value).toBe(outputs.get('StreamArn'));
  });
});
