import { CreateServiceCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import {
  AddTagsCommand,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  DeleteRuleCommand,
  DeleteTargetGroupCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, type Change } from '@aws-sdk/client-route-53';
import { afterEach, describe, expect, it } from 'vitest';
import { classifyAwsError } from '../../../src/aws/errors.ts';
import type { QuotaName } from '../../../sandbox/gateway/gateway.ts';
import {
  cluster,
  errorOf,
  makePlatform,
  makeRule,
  makeTargetGroup,
  newAccount,
  registerDefinition,
  serviceInput,
  type Account,
} from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();
afterEach(() => {
  shared.gateway.setFaults({ limits: null });
});

/** Rates as good as none, so that only quotas refuse. */
function setQuotas(quotas: Partial<Record<QuotaName, number>>): void {
  shared.gateway.setFaults({ limits: { factor: 10_000, quotas } });
}

/** The error's name, once the product has been seen to take it for a quota. */
async function quotaError(service: string, call: Promise<unknown>): Promise<Error> {
  const error = await errorOf(call);
  expect(classifyAwsError(error, { service, action: 'CreateThing' }).code).toBe('QUOTA_EXCEEDED');
  return error;
}

const ruleOf = (account: Account, listenerArn: string) => (priority: number, targetGroupArn: string) =>
  makeRule(account, { listenerArn, priority, host: `h${priority}`, targetGroupArn });

describe('quotas of a load balancer', () => {
  it('count each target group once, over all listeners, whatever uses it', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn, loadBalancerArn } = await makePlatform(account);
    const [a = '', b = '', c = ''] = await Promise.all(['a', 'b', 'c'].map((name) => makeTargetGroup(account, name)));
    setQuotas({ 'target-groups-per-load-balancer': 2 });
    const rule = ruleOf(account, listenerArn);
    await rule(1, a);
    await rule(2, a);
    const second = await rule(3, b);
    const refused = await quotaError('elasticloadbalancing', rule(4, c));
    expect(refused.name).toBe('TooManyUniqueTargetGroupsPerLoadBalancerException');
    const listener = new CreateListenerCommand({
      LoadBalancerArn: loadBalancerArn,
      Port: 80,
      Protocol: 'HTTP',
      DefaultActions: [{ Type: 'forward', TargetGroupArn: c }],
    });
    expect((await quotaError('elasticloadbalancing', account.elb.send(listener))).name).toBe(
      'TooManyUniqueTargetGroupsPerLoadBalancerException',
    );
    await account.elb.send(new DeleteRuleCommand({ RuleArn: second }));
    await rule(4, c);
    expect(shared.gateway.faults().limits.refused).toEqual({ 'target-groups-per-load-balancer': 2 });
  });

  it('allow so many rules, for many callers at once too', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const group = await makeTargetGroup(account, 'ruled');
    setQuotas({ 'rules-per-load-balancer': 3 });
    const rule = ruleOf(account, listenerArn);
    const outcomes = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((priority) => rule(priority, group)));
    const refused = outcomes.flatMap((o) => (o.status === 'rejected' ? [(o.reason as Error).name] : []));
    expect(refused).toEqual(Array.from({ length: 3 }, () => 'TooManyRulesException'));
    await quotaError('elasticloadbalancing', rule(7, group));
  });

  it('are AWS defaults when nothing else is said, and none while limits are off', async () => {
    setQuotas({});
    expect(shared.gateway.faults().limits.quotas).toMatchObject({
      'target-groups-per-load-balancer': 100,
      'rules-per-load-balancer': 100,
      'target-groups': 3000,
      'services-per-cluster': 5000,
      'records-per-zone': 10_000,
    });
    shared.gateway.setFaults({ limits: null });
    expect(shared.gateway.faults().limits.quotas).toEqual({});
  });

  it('are set over the control surface, which knows their names', async () => {
    const put = (limits: unknown) =>
      fetch(new URL('/_gateway/faults', shared.gateway.url), { method: 'PUT', body: JSON.stringify({ limits }) });
    expect((await put({ factor: 2, quotas: { 'rules-per-load-balancer': 200 } })).status).toBe(200);
    expect(shared.gateway.faults().limits).toMatchObject({ factor: 2, quotas: { 'rules-per-load-balancer': 200 } });
    expect((await put({ factor: 2, quotas: { rules: 200 } })).status).toBe(400);
  });
});

describe('quotas of a region', () => {
  it('allow so many target groups; one that is there already needs no room', async () => {
    const account = newAccount(shared.gateway);
    const first = await makeTargetGroup(account, 'one');
    setQuotas({ 'target-groups': 2 });
    await makeTargetGroup(account, 'two');
    const refused = await quotaError('elasticloadbalancing', makeTargetGroup(account, 'three'));
    expect(refused.name).toBe('TooManyTargetGroupsException');
    expect(await makeTargetGroup(account, 'one')).toBe(first);
    await account.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: first }));
    const outcomes = await Promise.allSettled(['three', 'four', 'five'].map((name) => makeTargetGroup(account, name)));
    expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(1);
  });

  it('allow so many tags on a resource', async () => {
    const account = newAccount(shared.gateway);
    const ResourceArns = [await makeTargetGroup(account, 'tagged')];
    setQuotas({ 'tags-per-resource': 2 });
    const tag = (...keys: string[]) =>
      account.elb.send(new AddTagsCommand({ ResourceArns, Tags: keys.map((Key) => ({ Key, Value: 'v' })) }));
    await tag('a', 'b');
    await tag('b');
    expect((await errorOf(tag('c'))).name).toBe('TooManyTagsException');
  });
});

describe('quotas of a cluster', () => {
  it('allow so many services, for many callers at once too, and so many tasks of one', async () => {
    const account = newAccount(shared.gateway);
    await makePlatform(account);
    const definition = await registerDefinition(account, 'counted');
    const create = (name: string, desiredCount = 0) =>
      account.ecs.send(new CreateServiceCommand(serviceInput(name, definition, undefined, { desiredCount })));
    await create('s0');
    setQuotas({ 'services-per-cluster': 3, 'tasks-per-service': 2 });
    expect((await quotaError('ecs', create('big', 3))).message).toBe('Desired count exceeds limit.');
    const outcomes = await Promise.allSettled(['s1', 's2', 's3', 's4'].map((name) => create(name)));
    expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(2);
    const refused = await quotaError('ecs', create('s5'));
    expect(refused).toMatchObject({ name: 'InvalidParameterException' });
    const grow = account.ecs.send(new UpdateServiceCommand({ cluster, service: 's0', desiredCount: 3 }));
    await quotaError('ecs', grow);
  });
});

describe('quotas of a hosted zone', () => {
  const change = (Action: 'CREATE' | 'DELETE' | 'UPSERT', name: string, values = ['"x"']): Change => ({
    Action,
    ResourceRecordSet: {
      Name: `${name}.example.com`,
      Type: 'TXT',
      TTL: 60,
      ResourceRecords: values.map((Value) => ({ Value })),
    },
  });

  async function newZone(account: Account) {
    const { HostedZone } = await account.route53.send(
      new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: String(Math.random()) }),
    );
    return (...Changes: Change[]) =>
      account.route53.send(
        new ChangeResourceRecordSetsCommand({ HostedZoneId: HostedZone!.Id!, ChangeBatch: { Changes } }),
      );
  }

  it('allow so many record sets, those of the zone itself among them', async () => {
    const send = await newZone(newAccount(shared.gateway));
    setQuotas({ 'records-per-zone': 4 });
    await send(change('CREATE', 'a'), change('CREATE', 'b'));
    expect((await quotaError('route53', send(change('CREATE', 'c')))).name).toBe('InvalidChangeBatch');
    await send(change('UPSERT', 'a', ['"y"']));
    await send(change('DELETE', 'b'), change('CREATE', 'c'));
  });

  it('allow a batch of 1,000 records and 32,000 characters, an UPSERT counting double, limits or not', async () => {
    const send = await newZone(newAccount(shared.gateway));
    const values = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `"${prefix}${i}"`);
    const tooMany = await quotaError('route53', send(change('UPSERT', 'many', values(501, 'v'))));
    expect(tooMany.message).toBe('[Number of records limit of 1000 exceeded.]');
    const tooLong = await quotaError('route53', send(change('CREATE', 'long', values(160, 'v'.repeat(198)))));
    expect(tooLong.message).toBe('[Number of characters limit of 32000 exceeded.]');
    await send(change('UPSERT', 'many', values(500, 'v')));
  });
});

describe('a target group', () => {
  it('belongs to one load balancer', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const group = await makeTargetGroup(account, 'torn');
    await ruleOf(account, listenerArn)(1, group);
    const other = await account.elb.send(
      new CreateLoadBalancerCommand({ Name: 'other-alb', Subnets: ['subnet-1', 'subnet-2'] }),
    );
    const listener = new CreateListenerCommand({
      LoadBalancerArn: other.LoadBalancers![0]!.LoadBalancerArn!,
      Port: 80,
      Protocol: 'HTTP',
      DefaultActions: [{ Type: 'forward', TargetGroupArn: group }],
    });
    expect((await quotaError('elasticloadbalancing', account.elb.send(listener))).name).toBe(
      'TargetGroupAssociationLimitException',
    );
  });
});
