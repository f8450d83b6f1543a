import { randomUUID } from 'node:crypto';
import {
  CreateServiceCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import {
  CreateRuleCommand,
  DeleteRuleCommand,
  DeregisterTargetsCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  RegisterTargetsCommand,
  type RuleCondition,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { describe, expect, it } from 'vitest';
import { setTemplateImage } from '../../../sandbox/landing-zone/seed.ts';
import { ecsService } from '../../../src/kinds/ecs-service/kind.ts';
import { listenerRule } from '../../../src/kinds/listener-rule/kind.ts';
import { logGroup } from '../../../src/kinds/log-group/kind.ts';
import { targetGroup } from '../../../src/kinds/target-group/kind.ts';
import type { ListenerRule } from '../../../src/aws/elbv2-rules.ts';
import { findTemplate } from '../../../src/aws/template.ts';
import { TENANT_TAG } from '../../../src/aws/tags.ts';
import { taskDefinition } from '../../../src/kinds/task-definition/kind.ts';
import {
  contextOf,
  newTenant,
  observeUntil,
  stepErrorOf,
  useKindWorld,
  type ContextSettings,
  type TestTenant,
} from './kind-world.ts';

const world = useKindWorld();
const others = () => new ECSClient(world.target);

/** Task definition of a tenant's frontend, from what the template service runs now. */
async function definitionOf(tenant: TestTenant) {
  const spec = {
    family: `${tenant.slug}-frontend`,
    templateService: 'moamalat-company-x-frontend',
    environment: { ENVIRONMENT: 'test', TENANT_SUBDOMAIN: tenant.slug },
    secrets: {},
    logGroup: `/ecs/${tenant.slug}`,
  };
  const context = contextOf<'task-definition'>(world, tenant, spec, { stepId: 'create_task_definition:frontend' });
  return (await taskDefinition.ensure(context)).outputs;
}

/** A tenant's frontend up to its service: target group, rule, task definition. */
async function frontend(domain = world.cell.hostedZone.name) {
  const made = await newTenant(world);
  const tenant = { ...made, host: `${made.slug}.${domain}` };
  const group = { component: 'frontend', port: 80, healthPath: '/' } as const;
  const { arn: targetGroupArn } = (await targetGroup.ensure(contextOf<'target-group'>(world, tenant, group))).outputs;
  const loadBalancerArn = world.cell.loadBalancers[0]!.arn;
  const rule = { loadBalancerArn, host: tenant.host, paths: [], targetGroupArn };
  await listenerRule.ensure(contextOf<'listener-rule'>(world, tenant, rule));
  await logGroup.ensure(contextOf<'log-group'>(world, tenant, { name: `/ecs/${tenant.slug}`, retentionDays: 30 }));
  const definition = await definitionOf(tenant);
  const spec = {
    serviceName: `${tenant.slug}-frontend`,
    taskDefinitionArn: definition.arn,
    targetGroupArn,
    containerName: definition.containerName,
    containerPort: definition.containerPort,
    desiredCount: 1,
    healthCheckGraceSeconds: 120,
    probe: { loadBalancerArn, host: tenant.host, path: '/' },
  };
  const context = (changes: Partial<typeof spec> = {}, settings: ContextSettings<'ecs-service'> = {}) =>
    contextOf<'ecs-service'>(world, tenant, { ...spec, ...changes }, { stepId: 'deploy_frontend', ...settings });
  return { tenant, spec, context };
}

async function describeService(name: string) {
  const answer = await others().send(
    new DescribeServicesCommand({ cluster: world.cell.cluster, services: [name], include: ['TAGS'] }),
  );
  return answer.services?.[0];
}

async function withTemplateImage<T>(tag: string, fn: () => Promise<T>): Promise<T> {
  const { endpoint: endpointUrl, region, credentials } = world.target;
  const component = 'frontend';
  await setTemplateImage({ endpointUrl, region, credentials, component, tag });
  try {
    return await fn();
  } finally {
    await setTemplateImage({ endpointUrl, region, credentials, component, tag: '1.0' });
  }
}

const callsOf = (action: string) => world.proxy.actions().filter((a) => a === action).length;

/** Somebody else's page at the tenants' own addresses: a rule before all others that answers 200 by itself. */
async function whilePageCatches(Conditions: RuleCondition[], fn: (ruleArn: string) => Promise<void>): Promise<void> {
  const elb = new ElasticLoadBalancingV2Client(world.target);
  const ListenerArn = world.cell.loadBalancers[0]!.httpsListenerArn;
  const FixedResponseConfig = { StatusCode: '200', MessageBody: 'somebody else' };
  const Actions = [{ Type: 'fixed-response' as const, FixedResponseConfig }];
  const made = await elb.send(new CreateRuleCommand({ ListenerArn, Priority: 3, Conditions, Actions }));
  const RuleArn = made.Rules![0]!.RuleArn!;
  try {
    await fn(RuleArn);
  } finally {
    await elb.send(new DeleteRuleCommand({ RuleArn }));
  }
}

describe('a look at a service', () => {
  it('succeeds though another one of the same call cannot be read: a service that ECS does not deploy', async () => {
    const { cluster } = world.cell;
    const serviceName = `outside-${randomUUID()}`;
    const deploymentController = { type: 'EXTERNAL' as const };
    await others().send(new CreateServiceCommand({ cluster, serviceName, deploymentController }));
    const calls = callsOf('DescribeServices');
    const [outside, template] = await Promise.all(
      [serviceName, 'moamalat-company-x'].map((name) => world.aws.ecs.findService(name)),
    );
    expect(callsOf('DescribeServices')).toBe(calls + 1);
    expect(template).toMatchObject({ name: 'moamalat-company-x', status: 'ACTIVE' });
    expect(outside).toMatchObject({ deploymentController: 'EXTERNAL' });
    expect(outside!.taskDefinitionArn).toBeUndefined();
    await expect(findTemplate(world.aws.ecs, serviceName)).rejects.toMatchObject({
      code: 'TEMPLATE_UNUSABLE',
      message: expect.stringContaining('EXTERNAL') as string,
    });
  });
});

describe('ecs-service', () => {
  it('moves a service into the subnets and behind the security groups that the cell names now, once', async () => {
    const { spec, context } = await frontend();
    const [subnetId] = world.cell.subnetIds;
    const wrong = { ...world.cell, subnetIds: [subnetId!], securityGroupIds: ['sg-wrong'] };
    await ecsService.ensure(context({}, { cell: wrong }));
    await observeUntil(ecsService, context(), 'ready');
    const updates = callsOf('UpdateService');
    world.proxy.loseAnswerOf('UpdateService');
    expect((await stepErrorOf(ecsService.ensure(context()))).code).toBe('UNCLEAR');
    await ecsService.ensure(context());
    expect(callsOf('UpdateService')).toBe(updates + 1);
    expect((await observeUntil(ecsService, context(), 'ready', 'failed')).status).toBe('ready');
    const { subnets, securityGroups } = (await describeService(spec.serviceName))!.networkConfiguration!
      .awsvpcConfiguration!;
    expect(subnets).toEqual(world.cell.subnetIds);
    expect(securityGroups).toEqual(world.cell.securityGroupIds);
    const [before, after] = await Promise.all(
      [wrong, world.cell].map((cell) => ecsService.fingerprint!(context({}, { cell }))),
    );
    expect(after).not.toBe(before);
  });

  it("follows the template's container to another name and port", async () => {
    const { spec, context } = await frontend();
    await ecsService.ensure(context());
    await observeUntil(ecsService, context(), 'ready');
    const { taskDefinition: made } = await others().send(
      new DescribeTaskDefinitionCommand({ taskDefinition: spec.taskDefinitionArn }),
    );
    const { containerDefinitions, executionRoleArn, networkMode, cpu, memory, family, requiresCompatibilities } = made!;
    const portMappings = [{ containerPort: 8081 }];
    const { taskDefinition: next } = await others().send(
      new RegisterTaskDefinitionCommand({
        ...{ family, executionRoleArn, networkMode, cpu, memory, requiresCompatibilities },
        containerDefinitions: [{ ...containerDefinitions![0]!, name: 'web', portMappings }],
      }),
    );
    const taskDefinitionArn = next!.taskDefinitionArn!;
    const changed = context({ taskDefinitionArn, containerName: 'web', containerPort: 8081 });
    await ecsService.ensure(changed);
    expect((await observeUntil(ecsService, changed, 'ready', 'failed')).status).toBe('ready');
    const [target] = (await describeService(spec.serviceName))!.loadBalancers!;
    expect(target).toMatchObject({ containerName: 'web', containerPort: 8081 });
  });

  it('makes the service with the settings of U-23 and is ready when all three probes agree, by the way of its own rule', async () => {
    const { spec, context } = await frontend();
    expect(await ecsService.observe(context())).toMatchObject({ status: 'absent' });
    const ensured = await ecsService.ensure(context());
    expect(ensured.status).toBe('pending');
    const ready = await observeUntil(ecsService, context(), 'ready', 'failed');
    expect(ready.status).toBe('ready');
    expect(ready.detail).toMatch(/COMPLETED.*1 healthy.*route: rule at priority.*200/);
    const service = await describeService(spec.serviceName);
    expect(service).toMatchObject({
      launchType: 'FARGATE',
      propagateTags: 'SERVICE',
      enableECSManagedTags: true,
      deploymentConfiguration: {
        deploymentCircuitBreaker: { enable: true, rollback: true },
        minimumHealthyPercent: 100,
        maximumPercent: 200,
      },
      networkConfiguration: { awsvpcConfiguration: { assignPublicIp: 'DISABLED' } },
    });
  });

  it.each<[string, RuleCondition[]]>([
    ['every host of the zone', [{ Field: 'host-header', HostHeaderConfig: { Values: ['*.moamalat-pro.com'] } }]],
    ['a path of every host', [{ Field: 'path-pattern', PathPatternConfig: { Values: ['/login'] } }]],
  ])("is not ready while somebody else's page answers %s with 200, and names the rule", async (_, conditions) => {
    const { context, tenant } = await frontend();
    await ecsService.ensure(context());
    await observeUntil(ecsService, context(), 'ready');
    await whilePageCatches(conditions, async (ruleArn) => {
      const answer = await world.aws.probe.ask({ ...context().spec.probe, path: '/login' });
      expect(answer).toEqual({ status: 200 });
      const refused = await stepErrorOf(ecsService.observe(context()));
      expect(refused.code).toBe('RULE_SHADOWED');
      expect(refused.message).toContain(tenant.host);
      expect(refused.detail).toContain(`${ruleArn} at priority 3 (`);
    });
    expect(await ecsService.observe(context())).toMatchObject({ status: 'ready' });
  });

  it("is not ready by an answer of another tenant's page, though its rule is allowed to come first", async () => {
    const { context } = await frontend();
    await ecsService.ensure(context());
    await observeUntil(ecsService, context(), 'ready');
    await whilePageCatches([{ Field: 'path-pattern', PathPatternConfig: { Values: ['/'] } }], async (ruleArn) => {
      const [loadBalancer] = world.cell.loadBalancers;
      const cell = { ...world.cell, loadBalancers: [{ ...loadBalancer!, allowedRuleArns: [ruleArn] }] };
      const seen = await ecsService.observe(context({}, { cell }));
      expect(seen.status).toBe('pending');
      expect(seen.detail).toContain(`is answered by ${ruleArn}`);
    });
  });

  it('lets the probe decide where a rule that is allowed to come first has a regular expression', async () => {
    const { context } = await frontend();
    await ecsService.ensure(context());
    await observeUntil(ecsService, context(), 'ready');
    const { loadBalancing } = world.aws;
    const stranger: ListenerRule = {
      ...{ arn: 'arn:stranger', priority: 3, hosts: [], hostRegexes: ['moamalat'], paths: [], pathRegexes: [] },
      ...{ otherConditions: [], targetGroupArns: [], onlyForwards: false },
    };
    // The emulator keeps no regular expressions of conditions.
    const findRules = async (arn: string) => [stranger, ...(await loadBalancing.findRules(arn))];
    const findRuleTags = (arns: readonly string[]) =>
      loadBalancing.findRuleTags(arns.filter((arn) => arn !== stranger.arn));
    const aws = { ...world.aws, loadBalancing: { ...loadBalancing, findRules, findRuleTags } };
    expect((await stepErrorOf(ecsService.observe(context({}, { aws })))).code).toBe('RULE_SHADOWED');
    const [loadBalancer] = world.cell.loadBalancers;
    const cell = { ...world.cell, loadBalancers: [{ ...loadBalancer!, allowedRuleArns: [stranger.arn] }] };
    expect(await ecsService.observe(context({}, { aws, cell }))).toMatchObject({ status: 'ready' });
  });

  it('is not ready by a healthy target that is no task of its own', async () => {
    const [other, ours] = [await frontend(), await frontend()];
    await ecsService.ensure(other.context());
    await observeUntil(ecsService, other.context(), 'ready');
    await ecsService.ensure(ours.context());
    await observeUntil(ecsService, ours.context(), 'ready');
    const [stranger] = (await world.aws.loadBalancing.findTargetHealth(other.spec.targetGroupArn)) ?? [];
    const [Id = '', Port = ''] = stranger!.target.split(':');
    const elb = new ElasticLoadBalancingV2Client(world.target);
    const Targets = [{ Id, Port: Number(Port) }];
    await elb.send(new RegisterTargetsCommand({ TargetGroupArn: ours.spec.targetGroupArn, Targets }));
    await expect
      .poll(async () => (await ecsService.observe(ours.context())).detail)
      .toContain(`${stranger!.target} healthy, but no task of the service`);
    await elb.send(new DeregisterTargetsCommand({ TargetGroupArn: ours.spec.targetGroupArn, Targets }));
    await observeUntil(ecsService, ours.context(), 'ready');
  });

  it('is not ready while its own rule answers 200 by itself, though its targets are healthy for another one', async () => {
    const { context, spec, tenant } = await frontend();
    await ecsService.ensure(context());
    await observeUntil(ecsService, context(), 'ready');
    const elb = new ElasticLoadBalancingV2Client(world.target);
    const rules = await world.aws.loadBalancing.findRules(world.cell.loadBalancers[0]!.httpsListenerArn);
    const RuleArn = rules.find((rule) => rule.hosts.includes(tenant.host))!.arn;
    const Conditions = [{ Field: 'host-header', HostHeaderConfig: { Values: ['elsewhere.example.com'] } }];
    const forward = [{ Type: 'forward' as const, TargetGroupArn: spec.targetGroupArn }];
    const ListenerArn = world.cell.loadBalancers[0]!.httpsListenerArn;
    await elb.send(new CreateRuleCommand({ ListenerArn, Priority: 49_000, Conditions, Actions: forward }));
    const Actions = [{ Type: 'fixed-response' as const, FixedResponseConfig: { StatusCode: '200' } }];
    await elb.send(new ModifyRuleCommand({ RuleArn, Actions }));
    expect(await ecsService.observe(context())).toMatchObject({
      status: 'pending',
      detail: expect.stringMatching(/^route: no rule forwards/) as string,
    });
  });

  it('fails at once, in words, when no certificate of the listener covers the host: a wildcard is for one label', async () => {
    const { context, tenant } = await frontend(`notes.${world.cell.hostedZone.name}`);
    await ecsService.ensure(context());
    const refused = await stepErrorOf(observeUntil(ecsService, context(), 'ready'));
    expect(refused.code).toBe('CERTIFICATE_INVALID');
    expect(refused.message).toContain(`https://${tenant.host}/`);
    expect(refused.detail).toMatch(/altnames.*\*\.moamalat-pro\.com/i);
  });

  it('is harmless when run twice: no second service, no second deployment', async () => {
    const { spec, context } = await frontend();
    const first = await ecsService.ensure(context());
    const [creates, updates] = [callsOf('CreateService'), callsOf('UpdateService')];
    expect((await ecsService.ensure(context())).outputs).toEqual(first.outputs);
    await observeUntil(ecsService, context(), 'ready');
    await ecsService.ensure(context());
    expect([callsOf('CreateService'), callsOf('UpdateService')]).toEqual([creates, updates]);
    expect((await describeService(spec.serviceName))?.deployments).toHaveLength(1);
  });

  it('gives a new deployment for a new task definition, once, though its answer is lost', async () => {
    const { tenant, spec, context } = await frontend();
    await ecsService.ensure(context());
    await observeUntil(ecsService, context(), 'ready');
    const next = await withTemplateImage('1.1', () => definitionOf(tenant));
    const changed = context({ taskDefinitionArn: next.arn });
    const updates = callsOf('UpdateService');
    world.proxy.loseAnswerOf('UpdateService');
    expect((await stepErrorOf(ecsService.ensure(changed))).code).toBe('UNCLEAR');
    await ecsService.ensure(changed);
    expect(callsOf('UpdateService')).toBe(updates + 1);
    const ready = await observeUntil(ecsService, changed, 'ready', 'failed');
    expect(ready.status).toBe('ready');
    expect((await describeService(spec.serviceName))?.taskDefinition).toBe(next.arn);
  });

  it('scales without a new deployment', async () => {
    const { spec, context } = await frontend();
    await ecsService.ensure(context());
    await observeUntil(ecsService, context(), 'ready');
    const before = await describeService(spec.serviceName);
    await ecsService.ensure(context({ desiredCount: 2 }));
    await observeUntil(ecsService, context({ desiredCount: 2 }), 'ready');
    const after = await describeService(spec.serviceName);
    expect(after?.deployments?.[0]?.id).toBe(before?.deployments?.[0]?.id);
    expect(after?.runningCount).toBe(2);
  });

  it('gives a new deployment when an operator asks again, and only one', async () => {
    const { spec, context } = await frontend();
    await ecsService.ensure(context());
    await observeUntil(ecsService, context(), 'ready');
    const before = await describeService(spec.serviceName);
    const retried = context({}, { generation: 2 });
    await ecsService.ensure(retried);
    const updates = callsOf('UpdateService');
    await ecsService.ensure(retried);
    expect(callsOf('UpdateService')).toBe(updates);
    await observeUntil(ecsService, retried, 'ready');
    expect((await describeService(spec.serviceName))?.deployments?.[0]?.id).not.toBe(before?.deployments?.[0]?.id);
  });

  it('reports a first deployment that never gets healthy as failed, with its reason; a retry with a fixed one is ready', async () => {
    const { tenant, context } = await frontend();
    const broken = await withTemplateImage('crash', () => definitionOf(tenant));
    await ecsService.ensure(context({ taskDefinitionArn: broken.arn }));
    const failed = await observeUntil(ecsService, context({ taskDefinitionArn: broken.arn }), 'failed', 'ready');
    expect(failed.status).toBe('failed');
    expect(failed.detail).toMatch(/exit|stopped|circuit breaker/i);
    const fixed = await definitionOf(tenant);
    const retried = context({ taskDefinitionArn: fixed.arn }, { generation: 2 });
    await ecsService.ensure(retried);
    expect((await observeUntil(ecsService, retried, 'ready', 'failed')).status).toBe('ready');
  });

  it("calls a circuit breaker's return a failure though the old deployment is PRIMARY and COMPLETED", async () => {
    const { tenant, spec, context } = await frontend();
    await ecsService.ensure(context());
    await observeUntil(ecsService, context(), 'ready');
    const broken = await withTemplateImage('crash', () => definitionOf(tenant));
    const changed = context({ taskDefinitionArn: broken.arn });
    await ecsService.ensure(changed);
    const seen = await observeUntil(ecsService, changed, 'failed', 'ready');
    expect(seen.status).toBe('failed');
    const returned = await untilPrimaryCompleted(spec.serviceName);
    expect(returned.taskDefinition).toBe(spec.taskDefinitionArn);
    // ECS lists the failed deployment no more: for a while that might be a look from before our update.
    expect(await observeUntil(ecsService, changed, 'failed', 'ready')).toMatchObject({ status: 'failed' });
  });

  it('is removed by force, drains, is gone; a second removal does nothing; meanwhile its name is busy', async () => {
    const { context } = await frontend();
    await ecsService.ensure(context());
    await observeUntil(ecsService, context(), 'ready');
    // Longer than the looks at it may take.
    world.gateway.setTime({ serviceDrainMs: 4_000 });
    try {
      const removing = context({}, { removingAt: new Date() });
      expect(await ecsService.remove(removing)).toMatchObject({ status: 'pending' });
      expect(await ecsService.observe(removing)).toMatchObject({ status: 'pending' });
      expect((await stepErrorOf(ecsService.ensure(context()))).code).toBe('CONFLICT_RETRYABLE');
      expect(await ecsService.remove(removing)).toMatchObject({ status: 'pending' });
      await observeUntil(ecsService, removing, 'absent');
      expect(await ecsService.remove(removing)).toMatchObject({ status: 'removed' });
      expect(await ecsService.observe(context())).toMatchObject({ status: 'absent' });
    } finally {
      world.gateway.setTime('fast');
    }
  });

  it('is not taken for gone because an earlier service of the name is shown as INACTIVE', async () => {
    const { context, spec } = await frontend();
    const { outputs } = await ecsService.ensure(context());
    const made = await world.aws.ecs.findService(spec.serviceName);
    const earlier = { ...made!, status: 'INACTIVE' as const, tags: { ...made!.tags, [TENANT_TAG]: randomUUID() } };
    const ecs = { ...world.aws.ecs, findService: () => Promise.resolve(earlier) };
    const stale = { aws: { ...world.aws, ecs } };
    // Without knowing that it was made, it is looked for a while longer; known, it is deleted unseen.
    expect(await ecsService.remove(context({}, stale))).toMatchObject({ status: 'removed', missing: true });
    expect((await describeService(spec.serviceName))?.status).toBe('ACTIVE');
    expect(await ecsService.remove(context({}, { ...stale, previous: outputs }))).toMatchObject({ status: 'pending' });
    expect((await describeService(spec.serviceName))?.status).not.toBe('ACTIVE');
  });
});

async function untilPrimaryCompleted(name: string) {
  for (;;) {
    const primary = (await describeService(name))?.deployments?.find((d) => d.status === 'PRIMARY');
    if (primary?.rolloutState === 'COMPLETED') return primary;
  }
}
