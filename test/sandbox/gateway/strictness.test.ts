import {
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteRuleCommand,
  DeleteTargetGroupCommand,
  DescribeListenersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
  SetRulePrioritiesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
  type Change,
} from '@aws-sdk/client-route-53';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  RestoreSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { errorOf, makePlatform, makeRule, makeTargetGroup, newAccount, until, type Account } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();

describe('listener rules', () => {
  it('refuse a priority that is taken, for two at once too', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const targetGroupArn = await makeTargetGroup(account, 'prio');
    const rule = (host: string, priority: number) => makeRule(account, { listenerArn, priority, host, targetGroupArn });
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((host) => rule(host, 7)));
    expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(1);
    const refused = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason as Error] : []));
    expect(refused.map((e) => e.name)).toEqual(['PriorityInUseException', 'PriorityInUseException']);
    const arn = await rule('d', 8);
    const move = (Priority: number) =>
      account.elb.send(new SetRulePrioritiesCommand({ RulePriorities: [{ RuleArn: arn, Priority }] }));
    expect((await errorOf(move(7))).name).toBe('PriorityInUseException');
    await move(9);
    await rule('e', 8);
    await account.elb.send(new DeleteRuleCommand({ RuleArn: arn }));
    await rule('f', 9);
    expect((await errorOf(account.elb.send(new DeleteRuleCommand({ RuleArn: arn })))).name).toBe(
      'RuleNotFoundException',
    );
  });

  it('forward to target groups that exist, in the short form and the long one', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const targetGroupArn = await makeTargetGroup(account, 'forms');
    const rule = (TargetGroupArn: string, Priority: number) =>
      account.elb.send(
        new CreateRuleCommand({
          ListenerArn: listenerArn,
          Priority,
          Conditions: [{ Field: 'host-header', Values: ['forms'] }],
          Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn }] } }],
        }),
      );
    const made = await rule(targetGroupArn, 1);
    expect(made.Rules![0]!.Actions![0]!.TargetGroupArn).toBe(targetGroupArn);
    expect((await errorOf(rule(`${targetGroupArn}0`, 2))).name).toBe('TargetGroupNotFoundException');
  });

  it('that are asked for by an ARN which does not exist are not found', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const RuleArns = [`${listenerArn.replace(':listener/', ':listener-rule/')}/0123456789abcdef`];
    expect((await errorOf(account.elb.send(new DescribeRulesCommand({ RuleArns })))).name).toBe(
      'RuleNotFoundException',
    );
    const ListenerArns = [`${listenerArn}0`];
    const listeners = await errorOf(account.elb.send(new DescribeListenersCommand({ ListenerArns })));
    expect(listeners.name).toBe('ListenerNotFoundException');
  });
});

describe('target groups', () => {
  it('are the same when made again with the same settings, and refused with others', async () => {
    const account = newAccount(shared.gateway);
    const first = await makeTargetGroup(account, 'same');
    expect(await makeTargetGroup(account, 'same')).toBe(first);
    const other = await errorOf(makeTargetGroup(account, 'same', { HealthCheckPath: '/other' }));
    expect(other.name).toBe('DuplicateTargetGroupNameException');
    const port = await errorOf(
      account.elb.send(new CreateTargetGroupCommand({ Name: 'same', Port: 1, Protocol: 'HTTP', TargetType: 'ip' })),
    );
    expect(port.name).toBe('DuplicateTargetGroupNameException');
  });

  it('name their load balancers, and cannot go while a rule uses them', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn, loadBalancerArn } = await makePlatform(account);
    const used = await makeTargetGroup(account, 'used');
    await makeTargetGroup(account, 'unused');
    const RuleArn = await makeRule(account, { listenerArn, priority: 1, host: 'used', targetGroupArn: used });
    const { TargetGroups = [] } = await account.elb.send(new DescribeTargetGroupsCommand({}));
    expect(TargetGroups.map((g) => [g.TargetGroupName, g.LoadBalancerArns])).toEqual([
      ['used', [loadBalancerArn]],
      ['unused', []],
    ]);
    const byBalancer = await account.elb.send(new DescribeTargetGroupsCommand({ LoadBalancerArn: loadBalancerArn }));
    expect(byBalancer.TargetGroups?.map((g) => g.TargetGroupName)).toEqual(['used']);
    const remove = () => account.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: used }));
    expect((await errorOf(remove())).name).toBe('ResourceInUseException');
    await account.elb.send(new DeleteRuleCommand({ RuleArn }));
    await remove();
    const gone = await errorOf(account.elb.send(new DescribeTargetGroupsCommand({ Names: ['used'] })));
    expect(gone.name).toBe('TargetGroupNotFoundException');
  });
});

describe('records', () => {
  const change = (Action: 'CREATE' | 'DELETE' | 'UPSERT', Name: string): Change => ({
    Action,
    ResourceRecordSet: { Name, Type: 'TXT', TTL: 60, ResourceRecords: [{ Value: '"x"' }] },
  });

  async function makeZone({ route53 }: Account): Promise<string> {
    const made = await route53.send(
      new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: String(Math.random()) }),
    );
    return made.HostedZone!.Id!.replace('/hostedzone/', '');
  }

  const send = ({ route53 }: Account, HostedZoneId: string, Changes: Change[]) =>
    route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));

  it('get in sync after the set time', async () => {
    const account = newAccount(shared.gateway);
    const zone = await makeZone(account);
    // Longer than any look here may take; the set time counts from the change.
    shared.gateway.setTime({ dnsSyncMs: 600_000 });
    const startedAt = Date.now();
    const { ChangeInfo } = await send(account, zone, [change('CREATE', 'a.example.com')]);
    const status = async () =>
      (await account.route53.send(new GetChangeCommand({ Id: ChangeInfo!.Id }))).ChangeInfo?.Status;
    expect([await status(), await status(), await status()]).toEqual(['PENDING', 'PENDING', 'PENDING']);
    shared.gateway.setTime({ dnsSyncMs: 400 });
    await until('INSYNC', async () => (await status()) === 'INSYNC');
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(400);
    shared.gateway.setTime('fast');
  });

  it('are refused in AWS words when they exist, and outside their zone', async () => {
    const account = newAccount(shared.gateway);
    const zone = await makeZone(account);
    await send(account, zone, [change('CREATE', 'b.example.com')]);
    expect(
      await errorOf(send(account, zone, [change('CREATE', 'c.example.com'), change('CREATE', 'b.example.com')])),
    ).toMatchObject({
      name: 'InvalidChangeBatch',
      message: "[Tried to create resource record set [name='b.example.com.', type='TXT'] but it already exists]",
    });
    expect(await errorOf(send(account, zone, [change('UPSERT', 'a.badexample.com')]))).toMatchObject({
      name: 'InvalidChangeBatch',
      message: '[RRSet with DNS name a.badexample.com. is not permitted in zone example.com.]',
    });
    const { ResourceRecordSets = [] } = await account.route53.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: zone }),
    );
    expect(ResourceRecordSets.filter((r) => r.Type === 'TXT').map((r) => r.Name)).toEqual(['b.example.com.']);
  });
});

describe('secrets', () => {
  it('are the same when made again with token and content, refused otherwise', async () => {
    const account = newAccount(shared.gateway);
    const input = { Name: 'db', SecretString: 'one', ClientRequestToken: '0123456789abcdef0123456789abcdef' };
    const first = await account.secrets.send(new CreateSecretCommand(input));
    expect(await account.secrets.send(new CreateSecretCommand(input))).toMatchObject({
      ARN: first.ARN,
      VersionId: first.VersionId,
    });
    const create = (other: object) => errorOf(account.secrets.send(new CreateSecretCommand({ ...input, ...other })));
    expect((await create({ SecretString: 'two' })).name).toBe('ResourceExistsException');
    expect((await create({ ClientRequestToken: 'fedcba9876543210fedcba9876543210' })).name).toBe(
      'ResourceExistsException',
    );
  });

  it('in their recovery window block the name in words of their own until restored', async () => {
    const account = newAccount(shared.gateway);
    await account.secrets.send(new CreateSecretCommand({ Name: 'late', SecretString: 'one' }));
    await account.secrets.send(new DeleteSecretCommand({ SecretId: 'late', RecoveryWindowInDays: 7 }));
    const again = await errorOf(account.secrets.send(new CreateSecretCommand({ Name: 'late', SecretString: 'two' })));
    expect(again.name).toBe('InvalidRequestException');
    expect(again.message).toContain('already scheduled for deletion');
    const items = await shared.gateway.inventory();
    const secret = items.find((i) => i.id.includes(`${account.accountId}:secret:late`));
    expect(secret).toMatchObject({ kind: 'secretsmanager:secret', detail: { state: 'scheduled for deletion' } });
    await account.secrets.send(new RestoreSecretCommand({ SecretId: 'late' }));
    const { SecretString } = await account.secrets.send(new GetSecretValueCommand({ SecretId: 'late' }));
    expect(SecretString).toBe('one');
  });
});
