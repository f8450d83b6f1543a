import { DeleteServiceCommand } from '@aws-sdk/client-ecs';
import {
  DeregisterTargetsCommand,
  DescribeTargetHealthCommand,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
  type TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterEach, describe, expect, it } from 'vitest';
import { matches } from '../../../sandbox/gateway/elb/target-group.ts';
import {
  cluster,
  describeTasks,
  makePlatform,
  makeRule,
  makeService,
  makeTargetGroup,
  newAccount,
  until,
  untilRollout,
  type Account,
} from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();
afterEach(() => void shared.gateway.setTime('fast'));

async function health({ elb }: Account, TargetGroupArn: string): Promise<TargetHealthDescription[]> {
  const answer = await elb.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
  return answer.TargetHealthDescriptions ?? [];
}

async function states(account: Account, targetGroupArn: string): Promise<(string | undefined)[]> {
  return (await health(account, targetGroupArn)).map((t) => t.TargetHealth?.State);
}

describe('a target', () => {
  it('is initial with a reason until its first check, then healthy', async () => {
    shared.gateway.setTime({ targetHealthMs: 1500 });
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { targetGroupArn } = await makeService(account, listenerArn, { name: 'slow' });
    const [early] = await until('a target', async () => {
      const targets = await health(account, targetGroupArn);
      return targets.length > 0 && targets;
    });
    expect(early).toMatchObject({
      Target: { Port: 8080 },
      TargetHealth: { State: 'initial', Reason: 'Elb.RegistrationInProgress' },
    });
    await until('healthy', async () => (await states(account, targetGroupArn))[0] === 'healthy');
    expect((await health(account, targetGroupArn))[0]!.TargetHealth!.Reason).toBeUndefined();
  });

  it('that answers 500 is unhealthy with the code, and stays while the grace period lasts', async () => {
    shared.gateway.setTime({ gracePeriodScale: 1 });
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const service = { healthCheckGracePeriodSeconds: 2 };
    const { targetGroupArn } = await makeService(account, listenerArn, { name: 'grace', tag: 'unhealthy', service });
    const startedAt = Date.now();
    const bad = await until('unhealthy', async () => {
      const [target] = await health(account, targetGroupArn);
      return target?.TargetHealth?.State === 'unhealthy' && target.TargetHealth;
    });
    expect(bad).toMatchObject({
      Reason: 'Target.ResponseCodeMismatch',
      Description: 'Health checks failed with these codes: [500]',
    });
    expect(await describeTasks(account, 'grace', 'STOPPED')).toEqual([]);
    await until('a stopped task', async () => (await describeTasks(account, 'grace', 'STOPPED')).length > 0);
    expect(Date.now() - startedAt).toBeGreaterThan(2000);
  });

  it('drains for as long as its group says before it is gone', async () => {
    shared.gateway.setTime({ deregistrationDelayScale: 1 });
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { targetGroupArn } = await makeService(account, listenerArn, { name: 'drain' });
    const Attributes = [{ Key: 'deregistration_delay.timeout_seconds', Value: '1' }];
    await account.elb.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn: targetGroupArn, Attributes }));
    await untilRollout(account, 'drain', 'COMPLETED');
    await account.ecs.send(new DeleteServiceCommand({ cluster, service: 'drain', force: true }));
    const startedAt = Date.now();
    await until('draining', async () => (await states(account, targetGroupArn))[0] === 'draining');
    await until('gone', async () => (await states(account, targetGroupArn)).length === 0);
    expect(Date.now() - startedAt).toBeGreaterThan(900);
  });

  it('of a group that no rule uses is unused, and one that is not registered says so', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const targetGroupArn = await makeTargetGroup(account, 'idle');
    const Targets = [{ Id: '10.1.2.3', Port: 8080 }];
    await account.elb.send(new RegisterTargetsCommand({ TargetGroupArn: targetGroupArn, Targets }));
    await until('unused', async () => (await states(account, targetGroupArn))[0] === 'unused');
    const asked = await account.elb.send(
      new DescribeTargetHealthCommand({ TargetGroupArn: targetGroupArn, Targets: [{ Id: '10.9.9.9', Port: 1 }] }),
    );
    expect(asked.TargetHealthDescriptions).toMatchObject([
      { TargetHealth: { State: 'unused', Reason: 'Target.NotRegistered' } },
    ]);
    await makeRule(account, { listenerArn, priority: 9, host: 'idle.moamalat-pro.com', targetGroupArn });
    await until(
      'unhealthy: nothing listens there',
      async () => (await states(account, targetGroupArn))[0] === 'unhealthy',
    );
    await account.elb.send(new DeregisterTargetsCommand({ TargetGroupArn: targetGroupArn, Targets }));
    await until('gone', async () => (await states(account, targetGroupArn)).length === 0);
  });

  it('may share its address with another port', async () => {
    const account = newAccount(shared.gateway);
    await makePlatform(account);
    const TargetGroupArn = await makeTargetGroup(account, 'ports');
    const Targets = [8080, 8081].map((Port) => ({ Id: '10.1.2.3', Port }));
    await account.elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets }));
    expect((await health(account, TargetGroupArn)).map((t) => t.Target?.Port)).toEqual([8080, 8081]);
  });
});

describe('a matcher', () => {
  it.each([
    ['200-399', 200, true],
    ['200-399', 404, false],
    ['200,204', 204, true],
    ['200,204-206', 205, true],
    ['200', 201, false],
  ])('%s on %d gives %s', (matcher, status, expected) => {
    expect(matches(matcher, status)).toBe(expected);
  });
});
