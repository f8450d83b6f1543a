import { randomUUID } from 'node:crypto';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  PutRetentionPolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { DeregisterTaskDefinitionCommand, DeleteServiceCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import {
  DeleteTargetGroupCommand,
  DeleteRuleCommand,
  DeregisterTargetsCommand,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  DeleteHostedZoneCommand,
} from '@aws-sdk/client-route-53';
import { CreateSecretCommand, DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  difference,
  ofTenant,
  renderDifference,
  takeInventory,
  withoutResidues,
  type InventoryItem,
} from '../../../sandbox/inventory/inventory.ts';
import {
  makePlatform,
  makeRule,
  makeService,
  makeTargetGroup,
  newAccount,
  registerDefinition,
  until,
  untilRollout,
  cluster,
  type Account,
} from '../gateway/sandbox-aws.ts';
import { useGateway } from '../gateway/shared-gateway.ts';
import { awsOf, type Aws } from './aws-things.ts';

const shared = useGateway();
const region = 'us-east-1';
let account: Account;
let aws: Aws;
let listenerArn: string;
beforeAll(async () => {
  account = newAccount(shared.gateway);
  aws = awsOf(shared.gateway.url, { accountId: account.accountId, region });
  listenerArn = (await makePlatform(account)).listenerArn;
});

const take = (): Promise<InventoryItem[]> =>
  takeInventory({
    gatewayUrl: shared.gateway.url,
    accounts: [{ accountId: account.accountId, region }],
    scope: 'tenants',
  });

/** What came and went between two moments, one line each. */
async function lines(before: readonly InventoryItem[]): Promise<string[]> {
  return renderDifference(difference(before, await take()))
    .split('\n')
    .filter((line) => line !== '');
}

const clientOptions = () => ({
  endpoint: shared.gateway.url,
  region,
  credentials: { accessKeyId: account.accountId, secretAccessKey: 'test' },
});

describe('things that carry no tags', () => {
  it('show a target group, its attributes and its targets', async () => {
    const before = await take();
    const arn = await makeTargetGroup(account, 'bare-group');
    expect(await lines(before)).toEqual(['+ elbv2:target-group bare-group (port 8080, health /health)']);
    const made = await take();
    const Targets = [{ Id: '10.1.2.3', Port: 8080 }];
    const seconds = { Key: 'deregistration_delay.timeout_seconds', Value: '0' };
    await account.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: arn, Attributes: [seconds] }));
    await account.elb.send(new RegisterTargetsCommand({ TargetGroupArn: arn, Targets }));
    expect(await lines(made)).toEqual([
      '~ elbv2:target-group bare-group: deregistration_delay.timeout_seconds 300 -> 0',
      expect.stringMatching(/^\+ elbv2:target 10\.1\.2\.3:8080 in bare-group \(state \w+\)$/),
    ]);
    await account.elb.send(new DeregisterTargetsCommand({ TargetGroupArn: arn, Targets }));
    await account.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: arn }));
    expect(await lines(before)).toEqual([]);
  });

  it('show a rule with its priority, host and target group', async () => {
    const targetGroupArn = await makeTargetGroup(account, 'ruled');
    const before = await take();
    const RuleArn = await makeRule(account, {
      listenerArn,
      priority: 77,
      host: 'a.x.com',
      path: '/api/*',
      targetGroupArn,
    });
    expect(await lines(before)).toEqual([
      '+ elbv2:rule test-alb:443 priority 77 (when host-header=a.x.com path-pattern=/api/*, then forward ruled)',
    ]);
    await account.elb.send(new DeleteRuleCommand({ RuleArn }));
    expect(await lines(before)).toEqual([]);
  });

  it('show a zone and more records than fit a page', async () => {
    const before = await take();
    const { HostedZone } = await account.route53.send(
      new CreateHostedZoneCommand({ Name: 'oracle.com', CallerReference: randomUUID() }),
    );
    const records = Array.from({ length: 310 }, (_, i) => ({
      Name: `r${i}.oracle.com`,
      Type: 'A' as const,
      TTL: 60,
      ResourceRecords: [{ Value: '10.0.0.1' }],
    }));
    const change = (Action: 'CREATE' | 'DELETE') =>
      account.route53.send(
        new ChangeResourceRecordSetsCommand({
          HostedZoneId: HostedZone!.Id,
          ChangeBatch: { Changes: records.map((ResourceRecordSet) => ({ Action, ResourceRecordSet })) },
        }),
      );
    await change('CREATE');
    const made = await lines(before);
    expect(made).toHaveLength(311);
    expect(made).toContain('+ route53:record r309.oracle.com. A (value 10.0.0.1, ttl 60)');
    await change('DELETE');
    await account.route53.send(new DeleteHostedZoneCommand({ Id: HostedZone!.Id }));
    expect(await lines(before)).toEqual([]);
  });

  it('show a secret, in its recovery window as a residue', async () => {
    const before = await take();
    await account.secrets.send(new CreateSecretCommand({ Name: 'bare-secret', SecretString: 'x' }));
    expect(await lines(before)).toEqual(['+ secretsmanager:secret bare-secret (state in use)']);
    await account.secrets.send(new DeleteSecretCommand({ SecretId: 'bare-secret' }));
    const left = difference(before, await take());
    expect(left.added).toMatchObject([{ name: 'bare-secret', detail: { state: 'scheduled for deletion' } }]);
    expect(withoutResidues(left).added).toEqual([]);
    await account.secrets.send(new DeleteSecretCommand({ SecretId: 'bare-secret', ForceDeleteWithoutRecovery: true }));
    expect(await lines(before)).toEqual([]);
  });

  it('show a log group and its retention', async () => {
    const before = await take();
    const logs = new CloudWatchLogsClient(clientOptions());
    const logGroupName = '/ecs/bare';
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    expect(await lines(before)).toEqual(['+ logs:log-group /ecs/bare (retentionDays never expires)']);
    const made = await take();
    await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 30 }));
    expect(await lines(made)).toEqual(['~ logs:log-group /ecs/bare: retentionDays never expires -> 30']);
    await logs.send(new DeleteLogGroupCommand({ logGroupName }));
    logs.destroy();
    expect(await lines(before)).toEqual([]);
  });

  it('show a parameter and each new value of it', async () => {
    const before = await take();
    const put = (Value: string) =>
      aws.json('ssm', 'AmazonSSM.PutParameter', { Name: '/tenantry/mark', Type: 'String', Value, Overwrite: true });
    await put('1');
    const made = await take();
    expect(await lines(before)).toEqual(['+ ssm:parameter /tenantry/mark (type String)']);
    await put('2');
    expect(await lines(made)).toEqual(['~ ssm:parameter /tenantry/mark: value 1 -> 2']);
    await aws.json('ssm', 'AmazonSSM.DeleteParameter', { Name: '/tenantry/mark' });
    expect(await lines(before)).toEqual([]);
  });

  it('show a new version of a parameter that is a secret, and not its value', async () => {
    const before = await take();
    const put = (Value: string) =>
      aws.json('ssm', 'AmazonSSM.PutParameter', { Name: '/secret', Type: 'SecureString', Value, Overwrite: true });
    await put('hidden-1');
    const made = await take();
    expect(await lines(before)).toEqual([
      '+ ssm:parameter /secret (type SecureString, version 1, keyId alias/aws/ssm)',
    ]);
    await put('hidden-2');
    expect(await lines(made)).toEqual(['~ ssm:parameter /secret: version 1 -> 2']);
    await aws.json('ssm', 'AmazonSSM.DeleteParameter', { Name: '/secret' });
  });

  it('show an item of a table, whoever wrote it, and whose it is by its mark', async () => {
    const dynamodb = (action: string, input: object) => aws.json('dynamodb', `DynamoDB_20120810.${action}`, input);
    const TableName = 'things';
    await dynamodb('CreateTable', {
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['PK', 'SK'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'PK', KeyType: 'HASH' },
        { AttributeName: 'SK', KeyType: 'RANGE' },
      ],
    });
    const before = await take();
    const tags = { 'tenantry:installation': randomUUID(), 'tenantry:tenant-id': randomUUID() };
    const M = Object.fromEntries(Object.entries(tags).map(([key, S]) => [key, { S }]));
    const Key = { PK: { S: 'ACCOUNT#1' }, SK: { S: 'META/DATA' } };
    const write = (n: string, more = {}) => dynamodb('PutItem', { TableName, Item: { ...Key, n: { N: n }, ...more } });
    await write('1');
    expect(await lines(before)).toEqual(['+ dynamodb:item things/ACCOUNT#1/META%2FDATA']);
    const made = await take();
    await write('2');
    expect(await lines(made)).toEqual(['~ dynamodb:item things/ACCOUNT#1/META%2FDATA: n 1 -> 2']);
    await write('2', { tenantry: { M } });
    const [item] = (await take()).filter(({ kind }) => kind === 'dynamodb:item');
    expect(item?.owner?.tenantId).toBe(tags['tenantry:tenant-id']);
    await dynamodb('DeleteTable', { TableName });
    expect(await lines(before)).toEqual([
      '- dynamodb:table things (status ACTIVE, billing PAY_PER_REQUEST, protected false, recovery DISABLED)',
    ]);
  });

  it('show a revision, inactive as a residue', async () => {
    const before = await take();
    const taskDefinition = await registerDefinition(account, 'bare-family');
    expect(await lines(before)).toEqual(['+ ecs:task-definition bare-family:1 (status ACTIVE)']);
    await account.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));
    const left = difference(before, await take());
    expect(left.added).toMatchObject([{ name: 'bare-family:1', detail: { status: 'INACTIVE' } }]);
    expect(withoutResidues(left).added).toEqual([]);
  });

  it('show a service that is scaled, drains and is inactive', async () => {
    await makeService(account, listenerArn, { name: 'scaled' });
    await untilRollout(account, 'scaled', 'COMPLETED');
    const before = await take();
    const service = { cluster, service: 'scaled' };
    await account.ecs.send(new UpdateServiceCommand({ ...service, desiredCount: 0 }));
    const after = await until('no task', async () => {
      const items = await take();
      return !items.some((i) => i.kind === 'ecs:task' && i.detail?.service === 'test-cluster/scaled') && items;
    });
    const text = renderDifference(difference(before, after));
    expect(text).toContain('~ ecs:service test-cluster/scaled: desiredCount 1 -> 0, runningCount 1 -> 0');
    expect(text).toMatch(/- ecs:task \w+ \(service test-cluster\/scaled, status RUNNING, taskDefinition scaled:1\)/);
    await account.ecs.send(new DeleteServiceCommand(service));
    const gone = await until('INACTIVE', async () => {
      const found = (await take()).find((i) => i.name === 'test-cluster/scaled');
      return found?.detail?.status === 'INACTIVE' && found;
    });
    expect(gone.residue).toMatch(/INACTIVE/);
  });
});

describe('things that carry marks', () => {
  it('tell whose they are, so that tenants side by side are told apart', async () => {
    const before = await take();
    const tenantId = randomUUID();
    const [installation, operationId] = [randomUUID(), randomUUID()];
    const Tags = [
      { Key: 'tenantry:installation', Value: installation },
      { Key: 'tenantry:tenant-id', Value: tenantId },
      { Key: 'tenantry:operation-id', Value: operationId },
      { Key: 'tenantry:step', Value: 'create_schema' },
    ];
    await makeTargetGroup(account, 'marked', { Tags });
    await account.secrets.send(new CreateSecretCommand({ Name: 'marked-secret', SecretString: 'x', Tags }));
    await makeTargetGroup(account, 'acme-be');
    const { HostedZone } = await account.route53.send(
      new CreateHostedZoneCommand({ Name: 'marked.com', CallerReference: randomUUID() }),
    );
    const marker = `"tenantry:${installation}:${tenantId}:moamalat:${operationId}:create_dns"`;
    const records = [
      { Name: 'acme.marked.com', Type: 'A' as const, TTL: 1, ResourceRecords: [{ Value: '10.0.0.1' }] },
      { Name: '_tenantry.acme.marked.com', Type: 'TXT' as const, TTL: 1, ResourceRecords: [{ Value: marker }] },
    ];
    await account.route53.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: HostedZone!.Id,
        ChangeBatch: { Changes: records.map((ResourceRecordSet) => ({ Action: 'CREATE', ResourceRecordSet })) },
      }),
    );
    const diff = difference(before, await take());
    const owner = { installation, tenantId, operationId };
    expect(diff.added).toMatchObject([
      { name: 'acme-be' },
      { name: 'marked', owner: { ...owner, step: 'create_schema' } },
      { name: '_tenantry.acme.marked.com. TXT', owner: { ...owner, product: 'moamalat', step: 'create_dns' } },
      { name: 'acme.marked.com. A', owner: { ...owner, step: 'create_dns' } },
      { kind: 'route53:zone' },
      { name: 'marked-secret', owner },
    ]);
    expect(diff.added[0]).not.toHaveProperty('owner');
    expect(ofTenant(diff, { tenantId }).added).toHaveLength(4);
    expect(ofTenant(diff, { tenantId, slug: 'acme' }).added).toHaveLength(5);
    expect(ofTenant(diff, { tenantId: randomUUID(), slug: 'acme' }).added.map((i) => i.name)).toEqual(['acme-be']);
    expect(renderDifference(diff)).toContain(
      `+ elbv2:target-group marked (port 8080, health /health) [tenant ${tenantId}, create_schema]`,
    );
  });
});

describe('an inventory', () => {
  it('makes no call that the gateway logs, and no fault is injected into it', async () => {
    shared.gateway.setFaults({ turbulence: { seed: 1, rates: { error: 1 } } });
    try {
      const last = shared.gateway.calls().at(-1)?.seq;
      expect((await take()).length).toBeGreaterThan(5);
      expect(shared.gateway.calls().at(-1)?.seq).toBe(last);
    } finally {
      shared.gateway.setFaults({ turbulence: null });
    }
  });

  it('of an account that never called is of that account alone', async () => {
    const accounts = [{ accountId: '999988887777', region }];
    const items = await takeInventory({ gatewayUrl: shared.gateway.url, accounts, scope: 'tenants' });
    const arns = items.filter((item) => item.id.startsWith('arn:'));
    expect(arns.filter((item) => !item.id.includes('999988887777'))).toEqual([]);
  });
});
