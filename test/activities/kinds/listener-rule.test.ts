import {
  CreateRuleCommand,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { describe, expect, it } from 'vitest';
import { listenerRule } from '../../../src/activities/kinds/listener-rule.ts';
import { targetGroup } from '../../../src/activities/kinds/target-group.ts';
import { releaseAllocations } from '../../../src/db/allocations.ts';
import { contextOf, newTenant, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();
const others = () => new ElasticLoadBalancingV2Client(world.target);
const listenerArn = () => world.cell.loadBalancers[0]!.httpsListenerArn;

async function rule(paths: readonly string[] = []) {
  const tenant = await newTenant(world);
  const groupOf = async (component: 'backend' | 'frontend') => {
    const spec = { component, port: 80, healthPath: '/' } as const;
    return (await targetGroup.ensure(contextOf<'target-group'>(world, tenant, spec))).outputs.arn;
  };
  const [backend, frontend] = [await groupOf('backend'), await groupOf('frontend')];
  const spec = { loadBalancerArn: world.cell.loadBalancers[0]!.arn, host: tenant.host, paths, targetGroupArn: backend };
  const context = (changes: Partial<typeof spec> = {}, settings: ContextSettings<'listener-rule'> = {}) =>
    contextOf<'listener-rule'>(world, tenant, { ...spec, ...changes }, { stepId: 'create_alb_rule', ...settings });
  return { tenant, context, backend, frontend };
}

/** Somebody else's rule, without our tags. */
function foreignRule(priority: number, host: string, targetGroupArn: string, paths: readonly string[] = []) {
  return others().send(
    new CreateRuleCommand({
      ListenerArn: listenerArn(),
      Priority: priority,
      Conditions: [
        { Field: 'host-header', HostHeaderConfig: { Values: [host] } },
        ...(paths.length > 0 ? [{ Field: 'path-pattern', PathPatternConfig: { Values: [...paths] } }] : []),
      ],
      Actions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
    }),
  );
}

async function rulesOf(host: string) {
  return (await world.aws.loadBalancing.findRules(listenerArn())).filter((r) => r.hosts.includes(host));
}

describe('listener-rule', () => {
  it('takes priorities from the bands, so that no host rule outranks a path rule, and is harmless run twice', async () => {
    const { context, tenant } = await rule();
    const host = await listenerRule.ensure(context());
    const path = await listenerRule.ensure(context({ paths: ['/api/*'] }, { stepId: 'create_alb_rule:api' }));
    expect(host.outputs.priority).toBeGreaterThanOrEqual(25_000);
    expect(path.outputs.priority).toBeGreaterThanOrEqual(1_000);
    expect(path.outputs.priority).toBeLessThan(25_000);
    expect(await listenerRule.ensure(context())).toEqual(host);
    expect(await rulesOf(tenant.host)).toHaveLength(2);
  });

  it('adopts what an attempt without an answer made', async () => {
    const { context, tenant } = await rule(['/api/*']);
    world.proxy.loseAnswerOf('CreateRule');
    expect((await stepErrorOf(listenerRule.ensure(context()))).code).toBe('UNCLEAR');
    const { outputs } = await listenerRule.ensure(context());
    const rules = await rulesOf(tenant.host);
    expect(rules).toMatchObject([{ arn: outputs.arn, priority: outputs.priority, paths: ['/api/*'] }]);
  });

  it('points a rule of its own at the target group that the spec names', async () => {
    const { context, frontend, tenant } = await rule();
    const first = await listenerRule.ensure(context());
    const second = await listenerRule.ensure(context({ targetGroupArn: frontend }));
    expect(second.outputs).toEqual(first.outputs);
    expect(await rulesOf(tenant.host)).toMatchObject([{ targetGroupArns: [frontend] }]);
  });

  it('takes the next priority when a foreign rule holds its own, and never gives that one out again', async () => {
    const { context, backend } = await rule();
    const { outputs } = await listenerRule.ensure(context());
    await foreignRule(outputs.priority + 1, 'elsewhere.example.com', backend);
    await foreignRule(outputs.priority + 2, 'elsewhere-2.example.com', backend);
    const next = await rule();
    expect((await listenerRule.ensure(next.context())).outputs.priority).toBe(outputs.priority + 3);
    const after = await rule();
    expect((await listenerRule.ensure(after.context())).outputs.priority).toBe(outputs.priority + 4);
  });

  it('finds out from AWS when the priority is taken between its look and its call', async () => {
    const { context, backend } = await rule();
    const { outputs } = await listenerRule.ensure(context());
    const next = await rule();
    const seenBefore = await world.aws.loadBalancing.findRules(listenerArn());
    await foreignRule(outputs.priority + 1, 'late.example.com', backend);
    let looks = 0;
    const loadBalancing = {
      ...world.aws.loadBalancing,
      // The two looks before the call see the listener as it was.
      findRules: (arn: string) => (looks++ < 2 ? Promise.resolve(seenBefore) : world.aws.loadBalancing.findRules(arn)),
    };
    const late = await listenerRule.ensure(next.context({}, { aws: { ...world.aws, loadBalancing } }));
    expect(late.outputs.priority).toBe(outputs.priority + 2);
  });

  it('does not take for a foreign one what a list that is too old shows of another tenant', async () => {
    const gone = await rule();
    const { outputs } = await listenerRule.ensure(gone.context());
    const seenBefore = await world.aws.loadBalancing.findRules(listenerArn());
    await listenerRule.remove(gone.context());
    await world.db.transaction((tx) => releaseAllocations(tx, gone.tenant.id));
    const next = await rule();
    // The list is older than the deletion, the look at tags is not; then both are.
    const loadBalancing = { ...world.aws.loadBalancing, findRules: () => Promise.resolve(seenBefore) };
    const late = listenerRule.ensure(next.context({}, { aws: { ...world.aws, loadBalancing } }));
    expect((await stepErrorOf(late)).code).toBe('CONFLICT_RETRYABLE');
    const tags = new Map([[outputs.arn, gone.context().tags]]);
    const later = { ...loadBalancing, findRuleTags: () => Promise.resolve(tags) };
    const made = await listenerRule.ensure(next.context({}, { aws: { ...world.aws, loadBalancing: later } }));
    expect(made.outputs.priority).toBe(outputs.priority);
  });

  it("refuses when somebody else's rule is for the same host and paths, and leaves it untouched", async () => {
    const { context, tenant, frontend } = await rule(['/api/*']);
    await foreignRule(500, tenant.host, frontend, ['/api/*']);
    const refused = await stepErrorOf(listenerRule.ensure(context()));
    expect(refused.code).toBe('OWNERSHIP_CONFLICT');
    expect(refused.detail).toContain('priority 500');
    expect(await listenerRule.remove(context())).toEqual({ status: 'removed' });
    expect(await rulesOf(tenant.host)).toMatchObject([{ priority: 500, targetGroupArns: [frontend] }]);
  });

  it('removes its own without knowing the ARN, and a second time does nothing', async () => {
    const { context, tenant } = await rule();
    await listenerRule.ensure(context());
    await listenerRule.remove(context());
    expect(await listenerRule.remove(context())).toEqual({ status: 'removed', missing: true });
    expect(await listenerRule.observe(context())).toMatchObject({ status: 'absent' });
    const { Rules = [] } = await others().send(new DescribeRulesCommand({ ListenerArn: listenerArn() }));
    expect(JSON.stringify(Rules)).not.toContain(tenant.host);
  });

  it('refuses a load balancer that the cell does not list', async () => {
    const { context } = await rule();
    const elsewhere = 'arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/other/1';
    expect((await stepErrorOf(listenerRule.ensure(context({ loadBalancerArn: elsewhere })))).code).toBe('OUTSIDE_CELL');
  });
});
