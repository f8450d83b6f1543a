import { CloudWatchLogsClient, CreateLogGroupCommand, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ListServicesCommand,
  ListTaskDefinitionFamiliesCommand,
  ListTaskDefinitionsCommand,
} from '@aws-sdk/client-ecs';
import {
  DeleteRuleCommand,
  DeleteTargetGroupCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
} from '@aws-sdk/client-route-53';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
} from '@aws-sdk/client-secrets-manager';
import {
  DescribeParametersCommand,
  GetParameterCommand,
  GetParametersCommand,
  ListTagsForResourceCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { CallMatch } from '../../../sandbox/gateway/gateway.ts';
import {
  cluster,
  errorOf,
  makePlatform,
  makeRule,
  makeService,
  makeTable,
  makeTargetGroup,
  newAccount,
  registerDefinition,
  serviceInput,
  until,
  untilRollout,
} from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();
/** Longer than any test: what is stale stays so until its rule is removed. */
const longMs = 600_000;
afterEach(() => {
  shared.gateway.setFaults({ rules: null, turbulence: null });
});

/** Changes (or reads) of a match are seen late from now on, any number of times. */
function staleRule(match: CallMatch, { times = null, forMs = longMs }: { times?: number | null; forMs?: number } = {}) {
  const id = shared.gateway.addRule({ match, fault: { type: 'stale', forMs }, times });
  return {
    hits: () => shared.gateway.faults().rules.find((rule) => rule.id === id)!.hits,
    end: () => shared.gateway.removeRule(id),
  };
}
const clientOf = (accountId: string) => ({
  endpoint: shared.gateway.url,
  region: 'us-east-1',
  credentials: { accessKeyId: accountId, secretAccessKey: 'test' },
});
const nameOf = (call: Promise<unknown>) =>
  call.then(
    () => 'found',
    (error: unknown) => (error as Error).name,
  );

describe('a thing that was made a moment ago', () => {
  it('is missing to looks by name and by ARN, and in lists: target groups', async () => {
    const account = newAccount(shared.gateway);
    const { elb } = account;
    const byName = () => nameOf(elb.send(new DescribeTargetGroupsCommand({ Names: ['late'] })));
    expect(await byName()).toBe('TargetGroupNotFoundException');
    const rule = staleRule({ action: 'CreateTargetGroup' });
    await makeTargetGroup(account, 'other');
    const arn = await makeTargetGroup(account, 'late');
    expect(rule.hits()).toBe(0);
    expect(await byName()).toBe('TargetGroupNotFoundException');
    expect(rule.hits()).toBe(1);
    const looks = {
      byArn: () => elb.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] })),
      health: () => elb.send(new DescribeTargetHealthCommand({ TargetGroupArn: arn })),
      tags: () => elb.send(new DescribeTagsCommand({ ResourceArns: [arn] })),
    };
    for (const look of Object.values(looks)) expect(await nameOf(look())).toBe('TargetGroupNotFoundException');
    const { TargetGroups } = await elb.send(new DescribeTargetGroupsCommand({}));
    expect(TargetGroups?.map((g) => g.TargetGroupName)).toEqual([]);
    expect(rule.hits()).toBe(5);
    expect(shared.gateway.calls().at(-1)).toMatchObject({ outcome: 'stale', fault: { type: 'stale' } });
    rule.end();
    expect(await byName()).toBe('found');
    for (const look of Object.values(looks)) expect(await nameOf(look())).toBe('found');
  });

  it('is missing to looks by name, to looks at its tags, and in lists: parameters', async () => {
    const { accountId } = newAccount(shared.gateway);
    const ssm = new SSMClient(clientOf(accountId));
    const put = (Name: string, Overwrite: boolean) =>
      ssm.send(new PutParameterCommand({ Name, Value: 'x', Type: 'String', Overwrite }));
    await put('/early', false);
    const rule = staleRule({ action: 'PutParameter' });
    await put('/early', true);
    await put('/late', false);
    const looks = async () => {
      const one = await nameOf(ssm.send(new GetParameterCommand({ Name: '/late' })));
      const several = await ssm.send(new GetParametersCommand({ Names: ['/early', '/late'] }));
      const tags = new ListTagsForResourceCommand({ ResourceType: 'Parameter', ResourceId: '/late' });
      const all = await ssm.send(new DescribeParametersCommand({}));
      return [
        one,
        several.Parameters?.map(({ Name }) => Name),
        several.InvalidParameters,
        await nameOf(ssm.send(tags)),
        all.Parameters?.map(({ Name }) => Name),
      ];
    };
    expect(await looks()).toEqual(['ParameterNotFound', ['/early'], ['/late'], 'InvalidResourceId', ['/early']]);
    rule.end();
    expect(await looks()).toEqual(['found', ['/early', '/late'], [], 'found', ['/early', '/late']]);
  });

  it('is seen by reads of DynamoDB that ask for it', async () => {
    const { accountId } = newAccount(shared.gateway);
    const dynamodb = new DynamoDBClient(clientOf(accountId));
    const TableName = 'late';
    await makeTable(dynamodb, TableName);
    const Item = { PK: { S: 'a' } };
    const isThere = async (ConsistentRead: boolean) =>
      (await dynamodb.send(new GetItemCommand({ TableName, Key: Item, ConsistentRead }))).Item !== undefined;
    expect([await isThere(false), await isThere(true)]).toEqual([false, false]);
    const rule = staleRule({ action: 'PutItem' });
    await dynamodb.send(new PutItemCommand({ TableName, Item }));
    expect([await isThere(false), await isThere(true)]).toEqual([false, true]);
    rule.end();
    expect(await isThere(false)).toBe(true);
  });

  it('is missing in lists: rules of a listener', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const targetGroupArn = await makeTargetGroup(account, 'tg');
    const list = async () => {
      const { Rules = [] } = await account.elb.send(new DescribeRulesCommand({ ListenerArn: listenerArn }));
      return Rules.map((r) => r.Priority);
    };
    const first = staleRule({ action: 'CreateRule' });
    await makeRule(account, { listenerArn, priority: 7, host: 'a.example.com', targetGroupArn });
    expect(await list()).toEqual(['default']);
    first.end();
    const second = staleRule({ action: 'CreateRule' });
    await makeRule(account, { listenerArn, priority: 8, host: 'b.example.com', targetGroupArn });
    expect(await list()).toEqual(['default', '7']);
    second.end();
    expect(await list()).toEqual(expect.arrayContaining(['default', '7', '8']));
  });

  it('is missing: services, revisions and families', async () => {
    const account = newAccount(shared.gateway);
    const { ecs } = account;
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'early' });
    const rule = staleRule({ service: 'ecs', kind: 'change' });
    const definition = await registerDefinition(account, 'fam');
    expect(await nameOf(ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: definition })))).toBe(
      'ClientException',
    );
    const revisions = async () =>
      (await ecs.send(new ListTaskDefinitionsCommand({ familyPrefix: 'fam' }))).taskDefinitionArns;
    const families = async () => (await ecs.send(new ListTaskDefinitionFamiliesCommand({}))).families;
    expect(await revisions()).toEqual([]);
    expect(await families()).toEqual(['early']);
    await ecs.send(new CreateServiceCommand(serviceInput('late', definition)));
    const look = async (...names: string[]) => {
      const answer = await ecs.send(new DescribeServicesCommand({ cluster, services: names }));
      return { found: answer.services?.map((s) => s.serviceName), failures: answer.failures?.map((f) => f.reason) };
    };
    expect(await look('late')).toEqual({ found: [], failures: ['MISSING'] });
    expect(await look('early', 'late')).toEqual({ found: ['early'], failures: ['MISSING'] });
    const { serviceArns } = await ecs.send(new ListServicesCommand({ cluster }));
    expect(serviceArns?.some((arn) => arn.endsWith('/late'))).toBe(false);
    rule.end();
    expect(await revisions()).toEqual([definition]);
    expect(await look('early', 'late')).toEqual({ found: ['early', 'late'], failures: [] });
  });

  it('is missing: secrets, log groups and records', async () => {
    const account = newAccount(shared.gateway);
    const logs = new CloudWatchLogsClient({
      endpoint: shared.gateway.url,
      region: 'us-east-1',
      credentials: { accessKeyId: account.accountId, secretAccessKey: 'test' },
    });
    const zone = await account.route53.send(
      new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: account.accountId }),
    );
    const HostedZoneId = zone.HostedZone!.Id!.replace('/hostedzone/', '');
    const rule = staleRule({ kind: 'change' });
    const made = await account.secrets.send(new CreateSecretCommand({ Name: 'db', SecretString: 'x' }));
    await logs.send(new CreateLogGroupCommand({ logGroupName: '/late' }));
    const ResourceRecordSet = {
      Name: 'a.example.com',
      Type: 'A' as const,
      TTL: 60,
      ResourceRecords: [{ Value: '1.2.3.4' }],
    };
    const Changes = [{ Action: 'CREATE' as const, ResourceRecordSet }];
    await account.route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
    const look = async () => ({
      described: await nameOf(account.secrets.send(new DescribeSecretCommand({ SecretId: made.ARN! }))),
      read: await nameOf(account.secrets.send(new GetSecretValueCommand({ SecretId: 'db' }))),
      listed: (await account.secrets.send(new ListSecretsCommand({}))).SecretList?.length,
      logGroups: (await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/late' }))).logGroups?.length,
      records: (
        await account.route53.send(new ListResourceRecordSetsCommand({ HostedZoneId }))
      ).ResourceRecordSets?.some((r) => r.Name === 'a.example.com.'),
    });
    const missing = 'ResourceNotFoundException';
    expect(await look()).toEqual({ described: missing, read: missing, listed: 0, logGroups: 0, records: false });
    rule.end();
    expect(await look()).toEqual({ described: 'found', read: 'found', listed: 1, logGroups: 1, records: true });
  });
});

describe('a thing that was removed a moment ago', () => {
  it('still shows to reads that were asked before', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { targetGroupArn } = await makeService(account, listenerArn, { name: 'gone' });
    await untilRollout(account, 'gone', 'COMPLETED');
    const { ecs, elb } = account;
    const services = async () => {
      const answer = await ecs.send(new DescribeServicesCommand({ cluster, services: ['gone'] }));
      return answer.services?.[0]?.status;
    };
    const rules = async () => (await elb.send(new DescribeRulesCommand({ ListenerArn: listenerArn }))).Rules!;
    const group = () => nameOf(elb.send(new DescribeTargetGroupsCommand({ Names: ['gone'] })));
    expect([await services(), (await rules()).length, await group()]).toEqual(['ACTIVE', 2, 'found']);
    const RuleArn = (await rules()).find((r) => !r.IsDefault)!.RuleArn!;
    const rule = staleRule({ kind: 'change' });
    await ecs.send(new DeleteServiceCommand({ cluster, service: 'gone', force: true }));
    await elb.send(new DeleteRuleCommand({ RuleArn }));
    await elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: targetGroupArn }));
    expect([await services(), (await rules()).length, await group()]).toEqual(['ACTIVE', 2, 'found']);
    rule.end();
    expect([(await rules()).length, await group()]).toEqual([1, 'TargetGroupNotFoundException']);
    // It drains for a moment first.
    await until('the end of the service', async () => (await services()) === 'INACTIVE');
  });
});

describe('a stale rule', () => {
  it('that names reads makes those stale after any change of their service', async () => {
    const account = newAccount(shared.gateway);
    const rule = staleRule({ action: 'DescribeTargetGroups', contains: 'late' });
    await makeTargetGroup(account, 'late');
    expect(await nameOf(account.elb.send(new DescribeTargetGroupsCommand({ Names: ['late'] })))).toMatch('NotFound');
    const { TargetGroups } = await account.elb.send(new DescribeTargetGroupsCommand({}));
    expect(TargetGroups).toHaveLength(1);
    expect(rule.hits()).toBe(1);
  });

  it('ends with its hits, and leaves other accounts and failed changes alone', async () => {
    const account = newAccount(shared.gateway);
    const other = newAccount(shared.gateway);
    const find = ({ elb }: typeof account) => nameOf(elb.send(new DescribeTargetGroupsCommand({ Names: ['late'] })));
    await makeTargetGroup(other, 'late');
    const rule = staleRule({ action: 'CreateTargetGroup', contains: 'late' }, { times: 1 });
    await makeTargetGroup(account, 'late');
    expect(await find(other)).toBe('found');
    expect(await find(account)).toMatch('NotFound');
    expect(await find(account)).toBe('found');
    expect(rule.hits()).toBe(1);
    const again = staleRule({ action: 'CreateTargetGroup' });
    expect((await errorOf(makeTargetGroup(account, 'late', { Port: 9 }))).name).toMatch('Duplicate');
    expect(await find(account)).toBe('found');
    expect(again.hits()).toBe(0);
  });

  it('shows changes in the order in which they were made, each after its time', async () => {
    const account = newAccount(shared.gateway);
    const seen: (string | undefined)[][] = [];
    const list = async () => {
      const { TargetGroups = [] } = await account.elb.send(new DescribeTargetGroupsCommand({}));
      const names = TargetGroups.map((g) => g.TargetGroupName).sort();
      if (JSON.stringify(seen.at(-1)) !== JSON.stringify(names)) seen.push(names);
      return names.length;
    };
    await list();
    // Unseen for so long that a busy machine makes both before the first is seen.
    staleRule({ action: 'CreateTargetGroup' }, { forMs: 3_000 });
    const madeAt = Date.now();
    await makeTargetGroup(account, 'one');
    await sleep(500);
    await makeTargetGroup(account, 'two');
    await until('both', async () => (await list()) === 2);
    expect(Date.now() - madeAt).toBeGreaterThanOrEqual(3_500);
    expect(seen).toEqual([[], ['one'], ['one', 'two']]);
  });
});
