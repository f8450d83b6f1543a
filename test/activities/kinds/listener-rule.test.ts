import {
  CreateRuleCommand,
  DeleteRuleCommand,
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  SetRulePrioritiesCommand,
  type RuleCondition,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { describe, expect, it } from 'vitest';
import { listenerRule } from '../../../src/kinds/listener-rule/kind.ts';
import { targetGroup } from '../../../src/kinds/target-group/kind.ts';
import { INSTALLATION_TAG, TENANT_TAG } from '../../../src/aws/tags.ts';
import { releaseAllocations } from '../../../src/db/allocations.ts';
import { seedTenant } from '../../db/fixtures.ts';
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

const hosts = (...Values: string[]): RuleCondition => ({ Field: 'host-header', HostHeaderConfig: { Values } });
const paths = (...Values: string[]): RuleCondition => ({ Field: 'path-pattern', PathPatternConfig: { Values } });
const ips = (...Values: string[]) => ({ Values });

/** With somebody else's rule of these conditions before all others; it answers 200 by itself. */
async function whileAnswering(Conditions: RuleCondition[], fn: (ruleArn: string) => Promise<void>): Promise<void> {
  const Actions = [{ Type: 'fixed-response' as const, FixedResponseConfig: { StatusCode: '200' } }];
  const made = await others().send(
    new CreateRuleCommand({ ListenerArn: listenerArn(), Priority: 7, Conditions, Actions }),
  );
  const RuleArn = made.Rules![0]!.RuleArn!;
  try {
    await fn(RuleArn);
  } finally {
    await others().send(new DeleteRuleCommand({ RuleArn }));
  }
}

function moved(RuleArn: string, Priority: number) {
  return others().send(new SetRulePrioritiesCommand({ RulePriorities: [{ RuleArn, Priority }] }));
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

  it.each<[string, RuleCondition[]]>([
    ['for every host of the zone', [hosts('*.moamalat-pro.com')]],
    ['for a path of every host', [paths('/api/v1/*')]],
    [
      'that asks for a source address besides',
      [hosts('*.com'), { Field: 'source-ip', SourceIpConfig: ips('10.0.0.0/8') }],
    ],
  ])("refuses somebody else's earlier rule %s, by name, and makes nothing", async (_, conditions) => {
    const { context, tenant } = await rule(['/api/*']);
    await whileAnswering(conditions, async (arn) => {
      const refused = await stepErrorOf(listenerRule.ensure(context()));
      expect(refused.code).toBe('RULE_SHADOWED');
      expect(refused.detail).toContain(`${arn} at priority 7 (`);
      expect(refused.detail).toContain('it carries no ownership mark of Tenantry');
      expect(await rulesOf(tenant.host)).toEqual([]);
    });
    await listenerRule.ensure(context());
  });

  it('refuses an earlier rule that came after its own, and a look at the rule says so', async () => {
    const { context } = await rule();
    await listenerRule.ensure(context());
    await whileAnswering([hosts('*.moamalat-pro.com')], async () => {
      expect((await stepErrorOf(listenerRule.ensure(context()))).code).toBe('RULE_SHADOWED');
      expect((await stepErrorOf(listenerRule.observe(context()))).code).toBe('RULE_SHADOWED');
      expect(await listenerRule.observe(context({}, { removingAt: new Date() }))).toMatchObject({ status: 'ready' });
    });
    expect(await listenerRule.observe(context())).toMatchObject({ status: 'ready' });
  });

  it('is not ready while its own rule is for another host or path, or leads elsewhere; it is still there to be removed', async () => {
    const { context, tenant, backend, frontend } = await rule();
    const { outputs } = await listenerRule.ensure(context());
    const made = { previous: outputs };
    const answer = { Type: 'fixed-response' as const, FixedResponseConfig: { StatusCode: '200' } };
    const asMade = {
      Conditions: [hosts(tenant.host)],
      Actions: [{ Type: 'forward' as const, TargetGroupArn: backend }],
    };
    const elsewhere = {
      Conditions: [hosts('elsewhere.example.com')],
      Actions: [{ Type: 'forward' as const, TargetGroupArn: frontend }],
    };
    const edits = [
      { ...asMade, Conditions: elsewhere.Conditions },
      { ...asMade, Conditions: [hosts(tenant.host), paths('/api/*')] },
      { ...asMade, Actions: elsewhere.Actions },
      { ...asMade, Actions: [answer] },
    ];
    for (const edit of edits) {
      await others().send(new ModifyRuleCommand({ RuleArn: outputs.arn, ...edit }));
      const seen = await listenerRule.observe(context({}, made));
      expect(seen.status).toBe('pending');
      expect(seen.detail).toContain(outputs.arn);
      expect(seen.detail).toContain(`asked for: ${tenant.host}, to ${backend} alone`);
      const removing = context({}, { ...made, removingAt: new Date() });
      expect(await listenerRule.observe(removing)).toMatchObject({ status: 'ready' });
    }
    await others().send(new ModifyRuleCommand({ RuleArn: outputs.arn, ...asMade }));
    expect(await listenerRule.observe(context({}, made))).toMatchObject({ status: 'ready' });
  });

  it("lets pass its own rule for paths, another tenant's, rules for other hosts, and those that the platform allows", async () => {
    const { context } = await rule();
    const path = await listenerRule.ensure(context({ paths: ['/api/*'] }, { stepId: 'create_alb_rule:api' }));
    await listenerRule.ensure((await rule(['/api/*'])).context());
    const { outputs } = await listenerRule.ensure(context());
    expect(path.outputs.priority).toBeLessThan(outputs.priority);
    await whileAnswering([hosts('*.example.com')], async () => {
      expect((await listenerRule.ensure(context())).outputs).toEqual(outputs);
    });
    await whileAnswering([paths('/.well-known/*')], async (arn) => {
      const [loadBalancer] = world.cell.loadBalancers;
      const cell = { ...world.cell, loadBalancers: [{ ...loadBalancer!, allowedRuleArns: [arn] }] };
      expect((await listenerRule.ensure(context({}, { cell }))).outputs).toEqual(outputs);
    });
  });

  it('waits for the rule of an earlier tenant of the host that was removed and is still listed', async () => {
    const { context, tenant } = await rule();
    const { backend } = await rule();
    const earlier = await seedTenant(world.db);
    const listed = {
      ...{ arn: 'arn:aws:rule/gone', priority: 1_000, hosts: [tenant.host], hostRegexes: [], paths: ['/api/*'] },
      ...{ pathRegexes: [], otherConditions: [], targetGroupArns: [backend], onlyForwards: true },
    };
    const tags = { [INSTALLATION_TAG]: world.installationId, [TENANT_TAG]: earlier.tenantId };
    const loadBalancing = {
      ...world.aws.loadBalancing,
      findRules: () => Promise.resolve([listed]),
      findRuleTags: () => Promise.resolve(new Map([[listed.arn, tags]])),
    };
    const aws = { ...world.aws, loadBalancing };
    expect((await stepErrorOf(listenerRule.ensure(context({}, { aws })))).code).toBe('RULE_SHADOWED');
    await world.db.query(
      `insert into ledger (tenant_id, step_id, cell, operation_id, type, name, state)
       values ($1, 'rule', 'default', $2, 'elbv2:rule', $3, 'removed')`,
      [earlier.tenantId, earlier.operationId, `${tenant.host}/api/*`],
    );
    expect((await stepErrorOf(listenerRule.ensure(context({}, { aws })))).code).toBe('CONFLICT_RETRYABLE');
  });

  it('is brought back in its place when its conditions and its priority were changed by hand', async () => {
    const { context, tenant, backend } = await rule();
    const { outputs } = await listenerRule.ensure(context());
    await moved(outputs.arn, outputs.priority + 100);
    await others().send(new ModifyRuleCommand({ RuleArn: outputs.arn, Conditions: [hosts('by-hand.example.com')] }));
    expect((await listenerRule.ensure(context({}, { previous: outputs }))).outputs).toEqual(outputs);
    expect(await rulesOf('by-hand.example.com')).toEqual([]);
    expect(await rulesOf(tenant.host)).toMatchObject([{ ...outputs, targetGroupArns: [backend] }]);
  });

  it('stays in its band where another rule has its priority by now, and is refused outside of it', async () => {
    const { context, backend } = await rule();
    const { outputs } = await listenerRule.ensure(context());
    const elsewhere = outputs.priority + 200;
    await moved(outputs.arn, elsewhere);
    await foreignRule(outputs.priority, 'in-its-place.example.com', backend);
    const previous = { previous: outputs };
    const stayed = await listenerRule.ensure(context({}, previous));
    expect(stayed.outputs).toEqual({ arn: outputs.arn, priority: elsewhere });
    await moved(outputs.arn, 900);
    expect((await stepErrorOf(listenerRule.ensure(context({}, previous)))).code).toBe('OWNERSHIP_CONFLICT');
    await moved(outputs.arn, elsewhere);
  });

  it('takes away rules that it was made by before, whatever they are for now', async () => {
    const { context, tenant } = await rule();
    const ensureAnew = async () => {
      const { outputs } = await listenerRule.ensure(context());
      await others().send(new ModifyRuleCommand({ RuleArn: outputs.arn, Conditions: [hosts('before.example.com')] }));
      return outputs.arn;
    };
    const [first, second] = [await ensureAnew(), await ensureAnew()];
    await world.db.query(
      `insert into ledger (tenant_id, step_id, cell, operation_id, type, name, physical_id, earlier_ids, state, made_at)
       values ($1, 'create_alb_rule', 'default', $2, 'elbv2:rule', $3, $4, array[$5], 'present', now())`,
      [tenant.id, (await seedTenant(world.db)).operationId, tenant.host, second, first],
    );
    expect(await rulesOf('before.example.com')).toHaveLength(2);
    await listenerRule.remove(context());
    expect(await rulesOf('before.example.com')).toEqual([]);
  });

  it('removes its own without knowing the ARN, and a second time does nothing', async () => {
    const { context, tenant } = await rule();
    await listenerRule.ensure(context());
    await listenerRule.remove(context());
    expect(await listenerRule.remove(context())).toMatchObject({ status: 'removed', missing: true });
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
