import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeServicesCommand,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
  type Compatibility,
  type RegisterTaskDefinitionCommandInput,
} from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import {
  cluster,
  describeService,
  describeTasks,
  errorOf,
  makePlatform,
  makeRule,
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

describe('a task definition', () => {
  const container = { name: 'app', image: 'app:1' };
  const requiresCompatibilities: Compatibility[] = ['FARGATE'];
  const fargate = { networkMode: 'awsvpc', requiresCompatibilities, cpu: '256', memory: '512' } as const;
  const host = { volumes: [{ name: 'data', host: { sourcePath: '/data' } }] };
  const docker = { volumes: [{ name: 'data', dockerVolumeConfiguration: { scope: 'shared' as const } }] };

  it.each<[string, Partial<RegisterTaskDefinitionCommandInput>, RegExp]>([
    ['another network mode than awsvpc', { ...fargate, networkMode: 'bridge' }, /network mode 'awsvpc'/],
    ['a volume on its host', { ...fargate, ...host }, /do not support sourcePath/],
    ['a volume of Docker', { ...fargate, ...docker }, /do not support dockerVolumeConfiguration/],
    ['a size that Fargate does not offer', { ...fargate, cpu: '300' }, /No Fargate configuration exists/],
    ['memory that its cpu does not go with', { ...fargate, memory: '4096' }, /No Fargate configuration exists/],
    ['no memory', { ...fargate, memory: undefined }, /'memory' be defined at the task level/],
    ['the ipc of its host', { ...fargate, ipcMode: 'host' as const }, /do not support ipcMode/],
    ['privileges', { ...fargate, containerDefinitions: [{ ...container, privileged: true }] }, /support privileged/],
    ['links', { ...fargate, containerDefinitions: [{ ...container, links: ['db'] }] }, /do not support links/],
    [
      'a capability of Linux',
      {
        ...fargate,
        containerDefinitions: [{ ...container, linuxParameters: { capabilities: { add: ['NET_ADMIN'] } } }],
      },
      /do not support capabilities/,
    ],
    [
      'a port of its host',
      { ...fargate, containerDefinitions: [{ ...container, portMappings: [{ containerPort: 80, hostPort: 8080 }] }] },
      /host ports and container ports in port mappings must match/,
    ],
    [
      'logs and no execution role',
      {
        ...fargate,
        containerDefinitions: [{ ...container, logConfiguration: { logDriver: 'awslogs' as const, options: {} } }],
      },
      /Fargate requires task definition to have execution role ARN to support log driver awslogs\./,
    ],
    [
      'secrets and no execution role',
      { ...fargate, containerDefinitions: [{ ...container, secrets: [{ name: 'KEY', valueFrom: 'arn:s' }] }] },
      /execution role ARN to support secrets\./,
    ],
    [
      'an image of ECR and no execution role',
      {
        ...fargate,
        containerDefinitions: [{ name: 'app', image: '000000000000.dkr.ecr.us-east-1.amazonaws.com/app:1' }],
      },
      /execution role ARN to support ECR images\./,
    ],
    [
      'a log router that nobody logs to',
      { ...fargate, containerDefinitions: [{ ...container, firelensConfiguration: { type: 'fluentbit' } }] },
      /at least one container has to be configured with the awsfirelens log driver/,
    ],
  ])('for Fargate is refused with %s', async (_, changes, words) => {
    const { ecs } = newAccount(shared.gateway);
    const input = { family: 'strict', containerDefinitions: [container], ...changes };
    const refused = await errorOf(ecs.send(new RegisterTaskDefinitionCommand(input)));
    expect(refused).toMatchObject({ name: 'ClientException', message: expect.stringMatching(words) as string });
  });
});

describe('a service', () => {
  it('is refused when its load balancer names a container or a port that its task definition does not have', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const { targetGroupArn } = await makeService(account, listenerArn, { name: 'named' });
    const to = (containerName: string, containerPort: number) => [{ targetGroupArn, containerName, containerPort }];
    const update = (loadBalancers: ReturnType<typeof to>) =>
      account.ecs.send(new UpdateServiceCommand({ cluster, service: 'named', loadBalancers }));
    expect((await errorOf(update(to('web', 8080)))).message).toBe(
      'The container web does not exist in the task definition.',
    );
    expect((await errorOf(update(to('app', 80)))).message).toBe(
      'The container app did not have a container port 80 defined.',
    );
    const { services } = await account.ecs.send(new DescribeServicesCommand({ cluster, services: ['named'] }));
    const create = new CreateServiceCommand(
      serviceInput('other', services![0]!.taskDefinition!, targetGroupArn, { loadBalancers: to('app', 80) }),
    );
    expect((await errorOf(account.ecs.send(create))).name).toBe('InvalidParameterException');
  });

  it('takes no task definition without the container that its load balancer names', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'kept' });
    const taskDefinition = await registerDefinition(account, 'kept', { component: 'frontend' });
    const update = new UpdateServiceCommand({ cluster, service: 'kept', taskDefinition });
    expect((await errorOf(account.ecs.send(update))).message).toContain('did not have a container port 8080');
  });

  it('has none of the tags of a deleted one of its name', async () => {
    const account = newAccount(shared.gateway);
    await makePlatform(account);
    const definition = await registerDefinition(account, 'again');
    const create = (settings: object) =>
      account.ecs.send(new CreateServiceCommand(serviceInput('again', definition, undefined, settings)));
    const tagsOf = async () => {
      const describe = new DescribeServicesCommand({ cluster, services: ['again'], include: ['TAGS'] });
      return (await account.ecs.send(describe)).services?.[0]?.tags;
    };
    await create({ desiredCount: 0, tags: [{ key: 'owner', value: 'first' }] });
    expect(await tagsOf()).toEqual([{ key: 'owner', value: 'first' }]);
    await account.ecs.send(new DeleteServiceCommand({ cluster, service: 'again', force: true }));
    await until('again is INACTIVE', async () => (await describeService(account, 'again')).status === 'INACTIVE');
    await create({ desiredCount: 0 });
    expect(await tagsOf()).toEqual([]);
  });

  it('moves into other subnets and behind another target group with a deployment of its own', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'moves' });
    const before = await untilRollout(account, 'moves', 'COMPLETED');
    const targetGroupArn = await makeTargetGroup(account, 'moved');
    const host = 'moved.moamalat-pro.com';
    await makeRule(account, { listenerArn, priority: 60, host, targetGroupArn });
    await account.ecs.send(
      new UpdateServiceCommand({
        cluster,
        service: 'moves',
        networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-2'], securityGroups: ['sg-2'] } },
        loadBalancers: [{ targetGroupArn, containerName: 'app', containerPort: 8080 }],
      }),
    );
    expect((await describeService(account, 'moves')).deployments![0]!.id).not.toBe(before.deployments![0]!.id);
    const after = await untilRollout(account, 'moves', 'COMPLETED');
    expect(after.networkConfiguration?.awsvpcConfiguration).toMatchObject({
      subnets: ['subnet-2'],
      securityGroups: ['sg-2'],
    });
    const [task] = await describeTasks(account, 'moves', 'RUNNING');
    expect(task!.attachments![0]!.details).toContainEqual({ name: 'subnetId', value: 'subnet-2' });
    expect((await request(shared.gateway, listenerArn, host)).status).toBe(200);
  });

  it('needs a configuration of each volume that is configured at launch', async () => {
    const account = newAccount(shared.gateway);
    await makePlatform(account);
    const { taskDefinition } = await account.ecs.send(
      new RegisterTaskDefinitionCommand({
        family: 'volumes',
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        memory: '512',
        volumes: [{ name: 'data', configuredAtLaunch: true }],
        containerDefinitions: [{ name: 'app', image: 'moamalat-backend:1.0' }],
      }),
    );
    const create = new CreateServiceCommand(serviceInput('volumes', taskDefinition!.taskDefinitionArn!));
    expect((await errorOf(account.ecs.send(create))).message).toContain('launch volume data');
  });
});

describe('a service that ECS does not deploy', () => {
  it('has no task definition of its own', async () => {
    const account = newAccount(shared.gateway);
    await makePlatform(account);
    await account.ecs.send(
      new CreateServiceCommand({ cluster, serviceName: 'outside', deploymentController: { type: 'EXTERNAL' } }),
    );
    expect((await describeService(account, 'outside')).taskDefinition).toBeUndefined();
  });

  it('takes a count from UpdateService, and no deployment', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const deploymentController = { type: 'CODE_DEPLOY' as const };
    await makeService(account, listenerArn, { name: 'blue', service: { deploymentController } });
    const update = (changes: object) =>
      account.ecs.send(new UpdateServiceCommand({ cluster, service: 'blue', ...changes }));
    const networkConfiguration = { awsvpcConfiguration: { subnets: ['subnet-2'] } };
    for (const changes of [{ networkConfiguration }, { loadBalancers: [] }, { taskDefinition: 'blue' }])
      expect((await errorOf(update(changes))).message).toMatch(/Unable to update .+ with a CODE_DEPLOY deployment/);
    expect((await update({ desiredCount: 2 })).service?.desiredCount).toBe(2);
  });
});
