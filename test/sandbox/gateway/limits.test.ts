import { CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateClusterCommand,
  DescribeServicesCommand,
  ListTaskDefinitionsCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { DescribeTargetGroupsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ListHostedZonesCommand } from '@aws-sdk/client-route-53';
import { ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it } from 'vitest';
import { classifyAwsError } from '../../../src/aws/errors.ts';
import { createLimits } from '../../../sandbox/gateway/limits/limits.ts';
import type { Answer } from '../../../sandbox/gateway/request.ts';
import {
  cluster,
  describeTasks,
  errorOf,
  makePlatform,
  makeService,
  newAccount,
  until,
  untilRollout,
} from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';
import { changeCall, fakeCall, type CallSketch } from './fake-call.ts';

const fine: Answer = { status: 200, headers: {}, body: Buffer.alloc(0) };

/** Limits with a clock of their own. */
function limitsAt(factor: number | null) {
  let nowMs = 1_000_000;
  const limits = createLimits({ now: () => nowMs });
  limits.set(factor === null ? null : { factor });
  /** How many of so many equal calls are let through at this moment. */
  const admitted = async (count: number, sketch: CallSketch) => {
    const call = fakeCall(sketch);
    const answers = await Promise.all(
      Array.from({ length: count }, () => limits.stage(call, () => Promise.resolve(fine))),
    );
    return answers.filter((a) => a.status === 200).length;
  };
  return { limits, admitted, advance: (ms: number) => (nowMs += ms) };
}

const elb = (action: string, more: Partial<CallSketch> = {}) => ({ service: 'elasticloadbalancing', action, ...more });
const ecs = (action: string, more: Partial<CallSketch> = {}) => ({ service: 'ecs', action, ...more });

describe('a token bucket', () => {
  it('lets 40 of 100 DescribeTargetGroups through at once, and 10 a second after that', async () => {
    const { limits, admitted, advance } = limitsAt(1);
    const describeGroups = elb('DescribeTargetGroups');
    expect(await admitted(100, describeGroups)).toBe(40);
    const perSecond: number[] = [];
    for (let second = 0; second < 3; second++) {
      advance(1000);
      perSecond.push(await admitted(100, describeGroups));
    }
    expect(perSecond).toEqual([10, 10, 10]);
    advance(60_000);
    expect(await admitted(100, describeGroups)).toBe(40);
    expect(limits.state().throttled).toEqual({ elbv2: 60 + 270 + 60 });
  });

  it('is one for all callers of an account and region, and another for each other one', async () => {
    const { admitted } = limitsAt(1);
    const inRegion = (accountId: string, region: string) => elb('DescribeRules', { scope: { accountId, region } });
    expect(await admitted(30, inRegion('1', 'eu-west-1'))).toBe(30);
    expect(await admitted(30, elb('DescribeTags', { scope: { accountId: '1', region: 'eu-west-1' } }))).toBe(10);
    expect(await admitted(50, inRegion('1', 'us-east-1'))).toBe(40);
    expect(await admitted(50, inRegion('2', 'eu-west-1'))).toBe(40);
    const zones = (region: string) => ({
      service: 'route53',
      action: 'ListHostedZones',
      scope: { accountId: '1', region },
    });
    expect(await admitted(30, zones('eu-west-1'))).toBe(30);
    expect(await admitted(30, zones('us-east-1'))).toBe(20);
  });

  it.each([
    ['the task definitions of ECS', ecs('RegisterTaskDefinition'), ecs('DeregisterTaskDefinition'), 20, 1],
    ['the services of ECS', ecs('CreateService'), ecs('DeleteService'), 50, 5],
    ['changes of ELB', elb('CreateRule'), elb('AddTags'), 20, 3],
    ['registrations of ELB', elb('RegisterTargets'), elb('DeregisterTargets'), 20, 4],
    ['deletions of task definitions', ecs('DeleteTaskDefinitions'), ecs('DeleteTaskDefinitions'), 5, 1],
    ['parameters of SSM', { service: 'ssm', action: 'PutParameter' }, { service: 'ssm', action: 'PutParameter' }, 3, 3],
  ])('is shared by %s', async (_what, first, second, burst, perSecond) => {
    const { admitted, advance } = limitsAt(1);
    expect(await admitted(burst - 1, first)).toBe(burst - 1);
    expect(await admitted(100, second)).toBe(1);
    advance(1000);
    expect(await admitted(100, first)).toBe(perSecond);
  });

  it('counts a call of two buckets in both or in none', async () => {
    const { limits, admitted } = limitsAt(1);
    expect(await admitted(100, elb('CreateRule'))).toBe(20);
    // The 80 that had no token of the one took none of the other.
    expect(await admitted(100, elb('DescribeRules'))).toBe(20);
    expect(limits.state().throttled).toEqual({ 'elbv2-mutating': 80, elbv2: 80 });
  });

  it('takes DNS changes by what they cost: CREATE and DELETE 1, UPSERT 2', async () => {
    const { limits, admitted, advance } = limitsAt(1);
    expect(await admitted(5, changeCall('UPSERT', 200))).toBe(3);
    expect(limits.state().throttled).toEqual({ 'route53-changes': 2 });
    expect(await admitted(1, changeCall('CREATE', 301))).toBe(0);
    expect(await admitted(1, changeCall('DELETE', 300))).toBe(1);
    advance(1000);
    expect(await admitted(2, changeCall('CREATE', 100))).toBe(1);
  });

  it('is scaled by the factor, and lets a batch through that costs more than it holds once it is full', async () => {
    const { admitted, advance } = limitsAt(0.1);
    expect(await admitted(100, elb('DescribeRules'))).toBe(4);
    advance(1000);
    expect(await admitted(100, elb('DescribeRules'))).toBe(1);
    expect(await admitted(2, changeCall('CREATE', 200))).toBe(1);
    advance(19_000);
    expect(await admitted(1, changeCall('CREATE', 150))).toBe(0);
    advance(1000);
    expect(await admitted(1, changeCall('CREATE', 150))).toBe(1);
  });

  it('is not asked while limits are off, and is full again when they come on', async () => {
    const { limits, admitted } = limitsAt(null);
    expect(await admitted(10_000, elb('CreateRule'))).toBe(10_000);
    expect(limits.state()).toEqual({ factor: null, throttled: {}, quotas: {}, refused: {} });
    limits.set({ factor: 1 });
    expect(await admitted(100, elb('CreateRule'))).toBe(20);
    limits.set({ factor: 1 });
    expect(await admitted(100, elb('CreateRule'))).toBe(20);
    limits.set(null);
    expect(await admitted(100, elb('CreateRule'))).toBe(100);
    expect(() => limits.set({ factor: 0 })).toThrow(RangeError);
  });

  it('of Fargate launches is shared by RunTask, by its count, and by services, whose launches wait their turn', async () => {
    const { limits, admitted, advance } = limitsAt(1);
    const scope = fakeCall(ecs('RunTask')).scope;
    expect(await admitted(3, ecs('RunTask', { body: '{"count": 40}' }))).toBe(2);
    const waits = Array.from({ length: 24 }, () => limits.launches.take(scope));
    expect(waits).toEqual([...Array.from({ length: 20 }, () => 0), 50, 100, 150, 200]);
    advance(200);
    expect(await admitted(1, ecs('RunTask'))).toBe(0);
    advance(50);
    expect(await admitted(1, ecs('RunTask'))).toBe(1);
  });
});

describe('limits of a gateway', () => {
  const shared = useGateway();
  afterEach(() => {
    shared.gateway.setFaults({ limits: null });
  });

  it('refuse in the words of each protocol, and the product takes them for throttling', async () => {
    const account = newAccount(shared.gateway);
    await account.ecs.send(new CreateClusterCommand({ clusterName: cluster }));
    // So small that each bucket holds one token and gets no other during the test.
    shared.gateway.setFaults({ limits: { factor: 0.000_01 } });
    const calls: readonly (readonly [string, string, () => Promise<unknown>])[] = [
      ['ecs', 'ThrottlingException', () => account.ecs.send(new DescribeServicesCommand({ cluster, services: ['x'] }))],
      ['ecs', 'ThrottlingException', () => account.ecs.send(new ListTaskDefinitionsCommand({}))],
      ['elasticloadbalancing', 'Throttling', () => account.elb.send(new DescribeTargetGroupsCommand({}))],
      ['route53', 'Throttling', () => account.route53.send(new ListHostedZonesCommand({}))],
      ['secretsmanager', 'ThrottlingException', () => account.secrets.send(new ListSecretsCommand({}))],
      [
        'logs',
        'ThrottlingException',
        () => account.logs.send(new CreateLogGroupCommand({ logGroupName: `/${Math.random()}` })),
      ],
    ];
    for (const [service, name, call] of calls) {
      await call();
      const error = await errorOf(call());
      expect(error).toMatchObject({ name, message: 'Rate exceeded', $metadata: { httpStatusCode: 400 } });
      expect(classifyAwsError(error, { service, action: 'CreateThing' }).code).toBe('THROTTLED');
    }
    const { throttled } = shared.gateway.faults().limits;
    expect(Object.keys(throttled).sort()).toEqual(
      ['ecs-service-read', 'ecs-task-definition-read', 'elbv2', 'logs-create-group', 'route53', 'secrets-list'].sort(),
    );
  });

  it('are not drawn on by what ECS does on a caller behalf', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    shared.gateway.setFaults({ limits: { factor: 1 } });
    await makeService(account, listenerArn, { name: 'drawn', service: { desiredCount: 2 } });
    await untilRollout(account, 'drawn', 'COMPLETED');
    expect(shared.gateway.faults().limits.throttled).toEqual({});
  });

  it('let a service start its tasks later when launches are few', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'few', service: { desiredCount: 0 } });
    // Three launches at once; the fourth has its turn 1.7 s later.
    shared.gateway.setFaults({ limits: { factor: 0.03 } });
    await account.ecs.send(new UpdateServiceCommand({ cluster, service: 'few', desiredCount: 4 }));
    await until('a launch that waits', () =>
      Promise.resolve(shared.gateway.faults().limits.throttled['fargate-launch'] === 1),
    );
    shared.gateway.setFaults({ limits: null });
    const tasks = await until('four tasks', async () => {
      const running = await describeTasks(account, 'few', 'RUNNING');
      return running.length === 4 && running;
    });
    const [first = 0, , third = 0, fourth = 0] = tasks.map((t) => t.createdAt!.getTime()).sort((x, y) => x - y);
    expect(fourth - first).toBeGreaterThan(1000);
    expect(fourth - third).toBeGreaterThan(third - first);
  });
});
