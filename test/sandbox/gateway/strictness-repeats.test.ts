import {
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  PutRetentionPolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeServiceDeploymentsCommand,
  DescribeServicesCommand,
  ListServiceDeploymentsCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import {
  DeleteTargetGroupCommand,
  DescribeTagsCommand,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import {
  cluster,
  errorOf,
  makePlatform,
  makeRule,
  makeService,
  makeTargetGroup,
  newAccount,
  registerDefinition,
  serviceInput,
  until,
  untilRollout,
} from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();

describe('a repeated creation', () => {
  it('of a target group leaves out no setting that differs from its default', async () => {
    const account = newAccount(shared.gateway);
    await makeTargetGroup(account, 'plain');
    const bare = makeTargetGroup(account, 'plain', { HealthCheckPath: undefined });
    expect((await errorOf(bare)).name).toBe('DuplicateTargetGroupNameException');
  });

  it('of a target group at once makes one', async () => {
    const account = newAccount(shared.gateway);
    const arns = await Promise.all(Array.from({ length: 4 }, () => makeTargetGroup(account, 'atonce')));
    expect(new Set(arns).size).toBe(1);
  });

  it('of a service at once makes one, for those with its token', async () => {
    const account = newAccount(shared.gateway);
    await makePlatform(account);
    const definition = await registerDefinition(account, 'atonce');
    const create = (clientToken: string) =>
      account.ecs.send(new CreateServiceCommand(serviceInput('atonce', definition, undefined, { clientToken })));
    const [first, second, third] = await Promise.allSettled([create('t1'), create('t1'), create('t2')]);
    expect([first.status, second.status, third.status].sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });

  it('of a secret at once makes one, for those with its token', async () => {
    const account = newAccount(shared.gateway);
    const create = (ClientRequestToken: string) =>
      account.secrets.send(new CreateSecretCommand({ Name: 'atonce', SecretString: 'x', ClientRequestToken }));
    const token = '0123456789abcdef0123456789abcdef';
    const made = await Promise.all([create(token), create(token), create(token)]);
    expect(new Set(made.map((m) => m.ARN)).size).toBe(1);
    expect((await errorOf(create(token.replace('0', 'f')))).name).toBe('ResourceExistsException');
  });

  it('of a log group is refused, and so is anything about one that is not there', async () => {
    const { logs } = newAccount(shared.gateway);
    const logGroupName = '/ecs/atonce';
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    const again = await errorOf(logs.send(new CreateLogGroupCommand({ logGroupName })));
    expect(again.name).toBe('ResourceAlreadyExistsException');
    await logs.send(new DeleteLogGroupCommand({ logGroupName }));
    for (const command of [
      logs.send(new DeleteLogGroupCommand({ logGroupName })),
      logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 7 })),
    ]) {
      expect((await errorOf(command)).name).toBe('ResourceNotFoundException');
    }
  });
});

describe('a change of a rule', () => {
  it('forwards to target groups that exist, and frees those that it leaves', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const [from = '', to = ''] = await Promise.all(['from', 'to'].map((name) => makeTargetGroup(account, name)));
    const RuleArn = await makeRule(account, { listenerArn, priority: 1, host: 'moved', targetGroupArn: from });
    const forward = (TargetGroupArn: string) =>
      account.elb.send(
        new ModifyRuleCommand({
          RuleArn,
          Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn }] } }],
        }),
      );
    expect((await errorOf(forward(`${to}0`))).name).toBe('TargetGroupNotFoundException');
    await forward(to);
    const remove = (TargetGroupArn: string) => account.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn }));
    expect((await errorOf(remove(to))).name).toBe('ResourceInUseException');
    await remove(from);
  });

  it('and the deletion of its target group never leave a rule that leads nowhere', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    for (let priority = 1; priority <= 5; priority++) {
      const targetGroupArn = await makeTargetGroup(account, `race${priority}`);
      const outcomes = await Promise.allSettled([
        makeRule(account, { listenerArn, priority, host: `race${priority}`, targetGroupArn }),
        account.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: targetGroupArn })),
      ]);
      expect(outcomes.map((o) => o.status).sort()).toEqual(['fulfilled', 'rejected']);
    }
  });
});

describe('a question', () => {
  it('about too many things at once is refused', async () => {
    const account = newAccount(shared.gateway);
    const names = Array.from({ length: 11 }, (_, i) => `s${i}`);
    const services = await errorOf(account.ecs.send(new DescribeServicesCommand({ cluster, services: names })));
    expect(services).toMatchObject({
      name: 'InvalidParameterException',
      message: 'service names can have at most 10 items.',
    });
    const arn = await makeTargetGroup(account, 'asked');
    const ResourceArns = Array.from({ length: 21 }, () => arn);
    const tags = await errorOf(account.elb.send(new DescribeTagsCommand({ ResourceArns })));
    expect(tags.name).toMatch(/^ValidationError/);
  });

  it('for a service deployments is answered with all that it had, newest first', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const list = async (status?: 'SUCCESSFUL' | 'STOPPED') => {
      const answer = await account.ecs.send(
        new ListServiceDeploymentsCommand({ cluster, service: 'told', ...(status && { status: [status] }) }),
      );
      return answer.serviceDeployments ?? [];
    };
    expect((await errorOf(list())).name).toBe('ServiceNotFoundException');
    await makeService(account, listenerArn, { name: 'told' });
    await untilRollout(account, 'told', 'COMPLETED');
    const bad = await registerDefinition(account, 'told', { tag: 'missing' });
    const update = {
      cluster,
      service: 'told',
      deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: false } },
    };
    await account.ecs.send(new UpdateServiceCommand({ ...update, taskDefinition: bad }));
    await untilRollout(account, 'told', 'FAILED');
    const [newest, oldest] = await list();
    expect([newest?.status, oldest?.status]).toEqual(['STOPPED', 'SUCCESSFUL']);
    expect((await list('SUCCESSFUL')).map((d) => d.serviceDeploymentArn)).toEqual([oldest!.serviceDeploymentArn]);
    const { serviceDeployments, failures } = await account.ecs.send(
      new DescribeServiceDeploymentsCommand({
        serviceDeploymentArns: [newest!.serviceDeploymentArn!, `${newest!.serviceDeploymentArn!}0`],
      }),
    );
    expect(serviceDeployments).toMatchObject([{ deploymentCircuitBreaker: { status: 'TRIGGERED', threshold: 3 } }]);
    expect(failures).toMatchObject([{ reason: 'MISSING' }]);
  });
});

describe('a deleted service', () => {
  it('stops what it deployed, and cannot be updated while it drains', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    await makeService(account, listenerArn, { name: 'leaving' });
    await account.ecs.send(new DeleteServiceCommand({ cluster, service: 'leaving', force: true }));
    const { serviceDeployments } = await account.ecs.send(
      new ListServiceDeploymentsCommand({ cluster, service: 'leaving' }),
    );
    expect(serviceDeployments).toMatchObject([{ status: 'STOPPED' }]);
    const update = () => account.ecs.send(new UpdateServiceCommand({ cluster, service: 'leaving', desiredCount: 1 }));
    expect((await errorOf(update())).name).toBe('ServiceNotActiveException');
    await until('inactive', async () => {
      const { services } = await account.ecs.send(new DescribeServicesCommand({ cluster, services: ['leaving'] }));
      return services?.[0]?.status === 'INACTIVE';
    });
    expect((await errorOf(update())).name).toBe('ServiceNotActiveException');
  });
});
