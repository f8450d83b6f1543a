import {
  CreateRuleCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { describe, expect, it } from 'vitest';
import { targetGroup } from '../../../src/kinds/target-group/kind.ts';
import { targetGroupName } from '../../../src/naming.ts';
import { contextOf, newTenant, stepErrorOf, useKindWorld } from './kind-world.ts';

const world = useKindWorld();
const others = () => new ElasticLoadBalancingV2Client(world.target);

async function group() {
  const tenant = await newTenant(world);
  const spec = { component: 'backend', port: 8080, healthPath: '/health' } as const;
  const name = targetGroupName(world.installationId, tenant.id, 'backend');
  const contextWith = (changes: { healthPath?: string }, cell = world.cell) =>
    contextOf<'target-group'>(world, tenant, { ...spec, ...changes }, { cell });
  return { name, context: contextWith({}), contextWith };
}

describe('target-group', () => {
  it('makes the group with the settings of U-24 and is harmless when run twice', async () => {
    const { name, context } = await group();
    const first = await targetGroup.ensure(context);
    expect(first.anew).toEqual([{ type: 'elbv2:target-group', name }]);
    expect(await targetGroup.ensure(context)).toEqual({ ...first, anew: undefined });
    const answer = await others().send(new DescribeTargetGroupsCommand({ Names: [name] }));
    expect(answer.TargetGroups?.[0]).toMatchObject({
      TargetType: 'ip',
      Protocol: 'HTTP',
      Port: 8080,
      VpcId: world.cell.vpcId,
      HealthCheckPath: '/health',
      HealthCheckIntervalSeconds: 30,
      HealthCheckTimeoutSeconds: 5,
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 3,
      Matcher: { HttpCode: '200-399' },
    });
    const { Attributes = [] } = await others().send(
      new DescribeTargetGroupAttributesCommand({ TargetGroupArn: first.outputs.arn }),
    );
    expect(Attributes).toContainEqual({ Key: 'deregistration_delay.timeout_seconds', Value: '30' });
  });

  it('gives another health path to a group that exists, and refuses in words what AWS cannot move to another VPC', async () => {
    const { name, context, contextWith } = await group();
    const first = await targetGroup.ensure(context);
    expect(await targetGroup.ensure(contextWith({ healthPath: '/ready' }))).toEqual({ ...first, anew: undefined });
    const answer = await others().send(new DescribeTargetGroupsCommand({ Names: [name] }));
    expect(answer.TargetGroups?.[0]?.HealthCheckPath).toBe('/ready');
    const moved = contextWith({}, { ...world.cell, vpcId: 'vpc-other' });
    const refused = await stepErrorOf(targetGroup.ensure(moved));
    expect(refused.code).toBe('OUTSIDE_CELL');
    expect(refused.message).toMatch(/lies in VPC .+ is in vpc-other now/);
    expect(await targetGroup.fingerprint!(moved)).not.toBe(await targetGroup.fingerprint!(context));
  });

  it.each([200, 302, 403])(
    'adopts what was made when a page of status %i came back, and takes no such page for "there is none"',
    async (status) => {
      const { name, context } = await group();
      world.proxy.replaceAnswerOf('CreateTargetGroup', status);
      expect(await stepErrorOf(targetGroup.ensure(context))).toMatchObject({ code: 'AWS_ANSWER_UNREADABLE' });
      world.proxy.replaceAnswerOf('DescribeTargetGroups', status);
      expect(await stepErrorOf(targetGroup.observe(context))).toMatchObject({ code: 'AWS_ANSWER_UNREADABLE' });
      world.proxy.replaceAnswerOf('DescribeTargetGroups', status);
      expect(await stepErrorOf(targetGroup.remove(context))).toMatchObject({ code: 'AWS_ANSWER_UNREADABLE' });
      const { outputs } = await targetGroup.ensure(context);
      expect((await world.aws.loadBalancing.findTargetGroup(name))?.arn).toBe(outputs.arn);
      expect(world.proxy.actions().filter((a) => a === 'DeleteTargetGroup')).toEqual([]);
    },
  );

  it('cannot be removed while a rule uses it, and says that this passes', async () => {
    const { context } = await group();
    const { outputs } = await targetGroup.ensure(context);
    await others().send(
      new CreateRuleCommand({
        ListenerArn: world.cell.loadBalancers[0]!.httpsListenerArn,
        Priority: 777,
        Conditions: [{ Field: 'host-header', Values: ['in-use.example.com'] }],
        Actions: [{ Type: 'forward', TargetGroupArn: outputs.arn }],
      }),
    );
    expect((await stepErrorOf(targetGroup.remove(context))).code).toBe('CONFLICT_RETRYABLE');
  });
});
