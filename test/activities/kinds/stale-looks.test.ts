import { describe, expect, it } from 'vitest';
import type { CellAws } from '../../../src/aws/cell-aws.ts';
import { dnsRecord } from '../../../src/kinds/dns-record/kind.ts';
import { ecsService } from '../../../src/kinds/ecs-service/kind.ts';
import { listenerRule } from '../../../src/kinds/listener-rule/kind.ts';
import { logGroup } from '../../../src/kinds/log-group/kind.ts';
import { targetGroup } from '../../../src/kinds/target-group/kind.ts';
import { taskDefinition } from '../../../src/kinds/task-definition/kind.ts';
import { contextOf, newTenant, observeUntil, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();
const loadBalancerArn = () => world.cell.loadBalancers[0]!.arn;
const listenerArn = () => world.cell.loadBalancers[0]!.httpsListenerArn;

/** AWS as it was before: looks show nothing of what was made since. Changes reach it. */
function stale(rules: Awaited<ReturnType<CellAws['loadBalancing']['findRules']>> = []): CellAws {
  const { aws } = world;
  const nothing = () => Promise.resolve(undefined);
  return {
    ...aws,
    ecs: {
      ...aws.ecs,
      findService: nothing,
      findRevisions: () => Promise.resolve([]),
      findLatestInactive: () => Promise.resolve([]),
    },
    loadBalancing: { ...aws.loadBalancing, findTargetGroup: nothing, findRules: () => Promise.resolve(rules) },
    logs: { ...aws.logs, findLogGroup: nothing },
  };
}

async function tenantWithGroup() {
  const tenant = await newTenant(world);
  const spec = { component: 'backend', port: 8080, healthPath: '/' } as const;
  const { outputs } = await targetGroup.ensure(contextOf<'target-group'>(world, tenant, spec));
  return { tenant, spec, outputs };
}

describe('an undo right after the effect, while looks do not show it yet', () => {
  it('takes a rule, then its target group', async () => {
    const { tenant, spec, outputs: group } = await tenantWithGroup();
    const ruleSpec = {
      ...{ loadBalancerArn: loadBalancerArn(), host: tenant.host },
      ...{ paths: [], targetGroupArn: group.arn },
    };
    const { outputs: rule } = await listenerRule.ensure(contextOf<'listener-rule'>(world, tenant, ruleSpec));
    const ruleContext = contextOf<'listener-rule'>(world, tenant, ruleSpec, { aws: stale(), previous: rule });
    expect(await listenerRule.remove(ruleContext)).toMatchObject({ status: 'removed' });
    const groupContext = contextOf<'target-group'>(world, tenant, spec, { aws: stale(), previous: group });
    expect(await targetGroup.remove(groupContext)).toMatchObject({ status: 'removed' });

    const rules = await world.aws.loadBalancing.findRules(listenerArn());
    expect(rules.filter((r) => r.hosts.includes(tenant.host))).toEqual([]);
    expect(await world.aws.loadBalancing.findTargetGroup(group.name)).toBeUndefined();
    // Missing is done, all the same.
    expect(await listenerRule.remove(ruleContext)).toMatchObject({ status: 'removed' });
    expect(await targetGroup.remove(groupContext)).toMatchObject({ status: 'removed' });
  });

  it('takes a revision, a service and a log group', async () => {
    const { tenant, outputs: group } = await tenantWithGroup();
    const name = `moamalat-${tenant.slug}-backend`;
    const logs = { name: `/ecs/${name}`, retentionDays: 30 };
    const { outputs: madeLogs } = await logGroup.ensure(contextOf<'log-group'>(world, tenant, logs));
    const definition = {
      ...{ family: name, templateService: 'moamalat-company-x', environment: { ENVIRONMENT: 'test' }, secrets: {} },
      logGroup: logs.name,
    };
    const settings: ContextSettings<'task-definition'> = { stepId: 'create_task_definition:backend' };
    const { outputs: revision } = await taskDefinition.ensure(
      contextOf<'task-definition'>(world, tenant, definition, settings),
    );
    await listenerRule.ensure(
      contextOf<'listener-rule'>(world, tenant, {
        ...{ loadBalancerArn: loadBalancerArn(), host: tenant.host },
        ...{ paths: [], targetGroupArn: group.arn },
      }),
    );
    const service = {
      ...{ serviceName: name, taskDefinitionArn: revision.arn, targetGroupArn: group.arn },
      ...{ containerName: revision.containerName, containerPort: revision.containerPort, desiredCount: 1 },
      ...{
        healthCheckGraceSeconds: 0,
        probe: { loadBalancerArn: loadBalancerArn(), host: tenant.host, path: '/api/health' },
      },
    };
    const { outputs: made } = await ecsService.ensure(contextOf<'ecs-service'>(world, tenant, service));

    const gone = { aws: stale(), removingAt: new Date() };
    const serviceContext = contextOf<'ecs-service'>(world, tenant, service, { ...gone, previous: made });
    expect(await ecsService.remove(serviceContext)).toMatchObject({ status: 'pending' });
    await observeUntil(
      ecsService,
      contextOf<'ecs-service'>(world, tenant, service, { removingAt: gone.removingAt }),
      'absent',
    );
    await taskDefinition.remove(
      contextOf<'task-definition'>(world, tenant, definition, { ...settings, ...gone, previous: revision }),
    );
    expect(await world.aws.ecs.findRevisions(name, 'ACTIVE')).toEqual([]);
    await logGroup.remove(contextOf<'log-group'>(world, tenant, logs, { ...gone, previous: madeLogs }));
    expect(await world.aws.logs.findLogGroup(logs.name)).toBeUndefined();
  });
});

describe('an undo while a list shows one record of two', () => {
  it.each(['alias', 'companion'])('takes both, though the %s is not to be seen yet', async (hidden) => {
    const tenant = await newTenant(world);
    const spec = { zoneId: world.cell.hostedZone.id, host: tenant.host, loadBalancerArn: loadBalancerArn() };
    const { outputs } = await dnsRecord.ensure(contextOf<'dns-record'>(world, tenant, spec));
    const { dns } = world.aws;
    const findRecords: typeof dns.findRecords = async (zoneId, name) =>
      (name === tenant.host) === (hidden === 'alias') ? [] : dns.findRecords(zoneId, name);
    const gone = { removingAt: new Date(), previous: outputs };
    const first = { ...gone, aws: { ...world.aws, dns: { ...dns, findRecords } } };
    const removed = await dnsRecord.remove(contextOf<'dns-record'>(world, tenant, spec, first));
    // The wrapper goes on looking as long as one is missing.
    expect(removed).toMatchObject({ status: 'pending', missing: true });
    await dnsRecord.remove(contextOf<'dns-record'>(world, tenant, spec, gone));
    expect(await dns.findRecords(spec.zoneId, tenant.host)).toEqual([]);
    expect(await dns.findRecords(spec.zoneId, `_tenantry.${tenant.host}`)).toEqual([]);
  });
});

describe('a second attempt while looks do not show what the first made', () => {
  it('makes no second rule, and keeps its priority', async () => {
    const { tenant, outputs: group } = await tenantWithGroup();
    const spec = {
      ...{ loadBalancerArn: loadBalancerArn(), host: tenant.host },
      ...{ paths: [], targetGroupArn: group.arn },
    };
    const before = await world.aws.loadBalancing.findRules(listenerArn());
    world.proxy.loseAnswerOf('CreateRule');
    const context = contextOf<'listener-rule'>(world, tenant, spec);
    expect((await stepErrorOf(listenerRule.ensure(context))).code).toBe('UNCLEAR');
    const early = await stepErrorOf(
      listenerRule.ensure(contextOf<'listener-rule'>(world, tenant, spec, { aws: stale(before) })),
    );
    expect(early.code).toBe('CONFLICT_RETRYABLE');
    let looks = 0;
    const { loadBalancing } = world.aws;
    const onceStale: CellAws = {
      ...world.aws,
      loadBalancing: {
        ...loadBalancing,
        findRules: (arn) => (++looks === 1 ? Promise.resolve(before) : loadBalancing.findRules(arn)),
      },
    };
    const half = await stepErrorOf(
      listenerRule.ensure(contextOf<'listener-rule'>(world, tenant, spec, { aws: onceStale })),
    );
    expect(half.code).toBe('CONFLICT_RETRYABLE');
    const { outputs } = await listenerRule.ensure(context);
    const rules = (await world.aws.loadBalancing.findRules(listenerArn())).filter((r) => r.hosts.includes(tenant.host));
    expect(rules.map((r) => r.priority)).toEqual([outputs.priority]);
    const { rows } = await world.db.query<{ mine: boolean }>(
      `select tenant_id is not null as mine from allocations where kind = 'rule-priority' and key = $1`,
      [String(outputs.priority)],
    );
    expect(rows).toEqual([{ mine: true }]);
  });
});
