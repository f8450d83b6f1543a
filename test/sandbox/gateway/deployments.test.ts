import {
  CreateServiceCommand,
  DeleteServiceCommand,
  ListServiceDeploymentsCommand,
  ListServicesCommand,
  StopTaskCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  cluster,
  describeService,
  describeTasks,
  errorOf,
  makePlatform,
  makeService,
  makeTargetGroup,
  newAccount,
  registerDefinition,
  request,
  serviceInput,
  until,
  untilRollout,
} from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();

describe('a first deployment', () => {
  it('is in progress until its task is healthy, and nothing answers before that', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    // Longer than a busy machine takes for the looks that come before it.
    shared.gateway.setTime({ taskStartMs: 3_000 });
    const { host } = await makeService(account, listenerArn, { name: 'first' });
    shared.gateway.setTime('fast');
    const early = await describeService(account, 'first');
    expect(early).toMatchObject({ status: 'ACTIVE', desiredCount: 1, runningCount: 0 });
    expect(early.deployments).toMatchObject([{ status: 'PRIMARY', rolloutState: 'IN_PROGRESS', failedTasks: 0 }]);
    expect((await request(shared.gateway, listenerArn, host)).status).toBe(503);
    const done = await untilRollout(account, 'first', 'COMPLETED');
    expect(done).toMatchObject({ runningCount: 1, pendingCount: 0 });
    expect(await request(shared.gateway, listenerArn, host)).toMatchObject({ status: 200 });
    const [task] = await describeTasks(account, 'first', 'RUNNING');
    expect(task).toMatchObject({ lastStatus: 'RUNNING', group: 'service:first', startedBy: done.deployments![0]!.id });
    expect(task!.containers![0]!.networkInterfaces![0]!.privateIpv4Address).toMatch(/^10\.255\./);
  });

  it('without a way back stays FAILED and launches no more', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { host, targetGroupArn } = await makeService(account, listenerArn, { name: 'sick', tag: 'unhealthy' });
    const failed = await untilRollout(account, 'sick', 'FAILED');
    expect(failed.deployments![0]).toMatchObject({
      rolloutStateReason: expect.stringContaining('circuit breaker') as string,
    });
    expect(failed.deployments![0]!.failedTasks).toBeGreaterThanOrEqual(3);
    const stopped = await until('all tasks stopped', async () => {
      const running = await describeTasks(account, 'sick', 'RUNNING');
      return running.length === 0 && (await describeTasks(account, 'sick', 'STOPPED'));
    });
    expect(stopped.map((t) => t.stoppedReason)).toEqual(
      stopped.map(() => `Task failed ELB health checks in (target-group ${targetGroupArn})`),
    );
    await sleep(300);
    expect(await describeTasks(account, 'sick', 'STOPPED')).toHaveLength(stopped.length);
    expect((await request(shared.gateway, listenerArn, host)).status).toBe(503);
  });
});

describe('a later deployment', () => {
  it('rolls without a request failing', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { host } = await makeService(account, listenerArn, { name: 'roll', service: { desiredCount: 2 } });
    await untilRollout(account, 'roll', 'COMPLETED');
    const before = await describeTasks(account, 'roll', 'RUNNING');
    const next = await registerDefinition(account, 'roll', { tag: '2.0' });
    await account.ecs.send(new UpdateServiceCommand({ cluster, service: 'roll', taskDefinition: next }));
    const statuses = new Set<number>();
    const done = await until('rolled', async () => {
      statuses.add((await request(shared.gateway, listenerArn, host)).status);
      const service = await describeService(account, 'roll');
      return service.deployments![0]!.rolloutState === 'COMPLETED' && service;
    });
    expect([...statuses]).toEqual([200]);
    expect(done.deployments).toHaveLength(1);
    expect(done).toMatchObject({ taskDefinition: next, runningCount: 2 });
    const stopped = await describeTasks(account, 'roll', 'STOPPED');
    expect(stopped.map((t) => t.taskArn).sort()).toEqual(before.map((t) => t.taskArn).sort());
    expect(stopped[0]).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'ServiceSchedulerInitiated' });
  });

  it('that fails goes back: the old one is PRIMARY and COMPLETED, the new one no longer listed, traffic goes on', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { host } = await makeService(account, listenerArn, { name: 'back' });
    const first = (await untilRollout(account, 'back', 'COMPLETED')).deployments![0]!;
    const bad = await registerDefinition(account, 'back', { tag: 'unhealthy' });
    await account.ecs.send(new UpdateServiceCommand({ cluster, service: 'back', taskDefinition: bad }));
    const statuses = new Set<number>();
    const after = await until('returned', async () => {
      statuses.add((await request(shared.gateway, listenerArn, host)).status);
      const service = await describeService(account, 'back');
      const primary = service.deployments!.find((d) => d.status === 'PRIMARY');
      return primary?.id === first.id && primary?.rolloutState === 'COMPLETED' && service;
    });
    expect(after.taskDefinition).toBe(first.taskDefinition);
    expect(after.deployments).toHaveLength(1);
    const { serviceDeployments = [] } = await account.ecs.send(
      new ListServiceDeploymentsCommand({ cluster, service: 'back' }),
    );
    expect(serviceDeployments.map((d) => d.status)).toEqual(['ROLLBACK_SUCCESSFUL', 'SUCCESSFUL']);
    expect(serviceDeployments[0]!.statusReason).toBe('ECS deployment circuit breaker: tasks failed to start.');
    expect([...statuses]).toEqual([200]);
  });

  it('after a failed one fixes the service, and is the only one left', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'fixed', tag: 'missing' });
    await untilRollout(account, 'fixed', 'FAILED');
    const good = await registerDefinition(account, 'fixed', { tag: '1.1' });
    const update = { cluster, service: 'fixed', taskDefinition: good, forceNewDeployment: true };
    await account.ecs.send(new UpdateServiceCommand(update));
    const done = await untilRollout(account, 'fixed', 'COMPLETED');
    expect(done.deployments).toMatchObject([{ taskDefinition: good, failedTasks: 0 }]);
  });

  it('is not made by scaling, which starts and stops tasks', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'scaled' });
    const before = await untilRollout(account, 'scaled', 'COMPLETED');
    for (const desiredCount of [3, 0, 1]) {
      await account.ecs.send(new UpdateServiceCommand({ cluster, service: 'scaled', desiredCount }));
      const scaled = await until(`${desiredCount} tasks`, async () => {
        const service = await describeService(account, 'scaled');
        return service.runningCount === desiredCount && service.pendingCount === 0 && service;
      });
      expect(scaled.deployments).toMatchObject([
        { id: before.deployments![0]!.id, desiredCount, rolloutState: 'COMPLETED' },
      ]);
    }
  });

  it('without a circuit breaker keeps trying, and fixes itself when the image does', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, {
      name: 'trying',
      tag: 'crash',
      service: { deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100 } },
    });
    await until(
      'five failures',
      async () => ((await describeService(account, 'trying')).deployments![0]!.failedTasks ?? 0) >= 5,
    );
    const good = await registerDefinition(account, 'trying', { tag: '1.1' });
    await account.ecs.send(new UpdateServiceCommand({ cluster, service: 'trying', taskDefinition: good }));
    const done = await untilRollout(account, 'trying', 'COMPLETED');
    expect(done.deployments).toMatchObject([{ taskDefinition: good, failedTasks: 0 }]);
  });
});

describe('a task', () => {
  it.each([
    ['crash', 'Essential container in task exited', 'EssentialContainerExited'],
    ['missing', 'CannotPullContainerError', 'TaskFailedToStart'],
  ])('of image tag %s stops with its reason', async (tag, reason, stopCode) => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'broken', tag });
    await untilRollout(account, 'broken', 'FAILED');
    const [task] = await describeTasks(account, 'broken', 'STOPPED');
    expect(task).toMatchObject({ stopCode, stoppedReason: expect.stringContaining(reason) as string });
    if (tag === 'crash') expect(task!.containers![0]!.exitCode).toBe(1);
  });

  it('whose secret is missing cannot start, and one whose secret is there can', async () => {
    const account = newAccount(shared.gateway);
    await makePlatform(account);
    const missing = `arn:aws:secretsmanager:us-east-1:${account.accountId}:secret:nobody-AbCdEf`;
    const bad = await registerDefinition(account, 'secretive', { secrets: { DB_PASSWORD: missing } });
    await account.ecs.send(new CreateServiceCommand(serviceInput('secretive', bad)));
    await untilRollout(account, 'secretive', 'FAILED');
    const [task] = await describeTasks(account, 'secretive', 'STOPPED');
    expect(task!.stoppedReason).toMatch(/^ResourceInitializationError: unable to pull secrets/);
    expect(task!.stoppedReason).toContain('ResourceNotFoundException');
    const { ARN } = await account.secrets.send(new CreateSecretCommand({ Name: 'present', SecretString: 'x' }));
    const good = await registerDefinition(account, 'secretive', { secrets: { DB_PASSWORD: ARN! } });
    await account.ecs.send(new UpdateServiceCommand({ cluster, service: 'secretive', taskDefinition: good }));
    await untilRollout(account, 'secretive', 'COMPLETED');
  });

  it('that somebody stops is replaced', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'stopped' });
    await untilRollout(account, 'stopped', 'COMPLETED');
    const [old] = await describeTasks(account, 'stopped', 'RUNNING');
    await account.ecs.send(new StopTaskCommand({ cluster, task: old!.taskArn, reason: 'because' }));
    const [fresh] = await until('a replacement', async () => {
      const running = await describeTasks(account, 'stopped', 'RUNNING');
      return running[0]?.lastStatus === 'RUNNING' && running;
    });
    expect(fresh!.taskArn).not.toBe(old!.taskArn);
    const [gone] = await describeTasks(account, 'stopped', 'STOPPED');
    expect(gone).toMatchObject({ taskArn: old!.taskArn, stoppedReason: 'because', stopCode: 'UserInitiated' });
  });
});

describe('deletion of a service', () => {
  it('drains its tasks, blocks the name meanwhile, and leaves no listener behind', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { host, targetGroupArn } = await makeService(account, listenerArn, { name: 'gone' });
    const { taskDefinition } = await untilRollout(account, 'gone', 'COMPLETED');
    const [task] = await describeTasks(account, 'gone', 'RUNNING');
    const refused = await errorOf(account.ecs.send(new DeleteServiceCommand({ cluster, service: 'gone' })));
    expect(refused.name).toBe('InvalidParameterException');
    await account.ecs.send(new DeleteServiceCommand({ cluster, service: 'gone', force: true }));
    expect(await describeService(account, 'gone')).toMatchObject({ status: 'DRAINING', desiredCount: 0 });
    const { serviceArns } = await account.ecs.send(new ListServicesCommand({ cluster }));
    expect(serviceArns).toHaveLength(1);
    const again = () =>
      account.ecs.send(new CreateServiceCommand(serviceInput('gone', taskDefinition!, targetGroupArn)));
    expect((await errorOf(again())).message).toBe('Unable to Start a service that is still Draining.');
    await until('INACTIVE', async () => (await describeService(account, 'gone')).status === 'INACTIVE');
    expect((await request(shared.gateway, listenerArn, host)).status).toBe(503);
    const items = await shared.gateway.inventory();
    expect(items.filter((i) => i.id.includes(task!.taskArn!.split('/').at(-1)!))).toEqual([]);
    await again();
    await untilRollout(account, 'gone', 'COMPLETED');
  });
});

describe('creation of a service', () => {
  it('is repeatable with its token and settings, and refused with others', async () => {
    const account = newAccount(shared.gateway);
    await makePlatform(account);
    const definition = await registerDefinition(account, 'twice');
    const input = serviceInput('twice', definition, undefined, { clientToken: 'token-1' });
    const first = await account.ecs.send(new CreateServiceCommand(input));
    const second = await account.ecs.send(new CreateServiceCommand(input));
    expect(second.service!.deployments![0]!.id).toBe(first.service!.deployments![0]!.id);
    const other = await errorOf(account.ecs.send(new CreateServiceCommand({ ...input, desiredCount: 2 })));
    expect(other).toMatchObject({
      name: 'InvalidParameterException',
      message: 'Creation of service was not idempotent.',
    });
  });

  it('needs a cluster, and a target group that a load balancer uses', async () => {
    const account = newAccount(shared.gateway);
    const definition = await registerDefinition(account, 'needy');
    const homeless = await errorOf(account.ecs.send(new CreateServiceCommand(serviceInput('needy', definition))));
    expect(homeless.name).toBe('ClusterNotFoundException');
    await makePlatform(account);
    const targetGroupArn = await makeTargetGroup(account, 'lonely');
    const unattached = await errorOf(
      account.ecs.send(new CreateServiceCommand(serviceInput('needy', definition, targetGroupArn))),
    );
    expect(unattached).toMatchObject({
      name: 'InvalidParameterException',
      message: `The target group with targetGroupArn ${targetGroupArn} does not have an associated load balancer.`,
    });
  });
});
