import { DeleteServiceCommand, DeregisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import {
  DeleteRuleCommand,
  DeleteTargetGroupCommand,
  DescribeRulesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand } from '@aws-sdk/client-route-53';
import { describe, expect, it } from 'vitest';
import { difference, only, renderDifference } from '../../../sandbox/inventory/inventory.ts';
import { cluster, describeService, makePlatform, makeService, newAccount, until, untilRollout } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();

describe('the inventory', () => {
  it('shows what a tenant is made of, and after its removal only the inactive revision', async () => {
    const account = newAccount(shared.gateway);
    const { listenerArn } = await makePlatform(account);
    const zone = await account.route53.send(new CreateHostedZoneCommand({ Name: 'inv.com', CallerReference: 'inv' }));
    const change = (Action: 'CREATE' | 'DELETE') =>
      account.route53.send(
        new ChangeResourceRecordSetsCommand({
          HostedZoneId: zone.HostedZone!.Id,
          ChangeBatch: {
            Changes: [
              {
                Action,
                ResourceRecordSet: { Name: 'a.inv.com', Type: 'A', TTL: 1, ResourceRecords: [{ Value: '10.0.0.1' }] },
              },
            ],
          },
        }),
      );
    const before = await shared.gateway.inventory();
    const { targetGroupArn } = await makeService(account, listenerArn, { name: 'counted' });
    await change('CREATE');
    const { taskDefinition } = await untilRollout(account, 'counted', 'COMPLETED');
    const made = difference(before, await shared.gateway.inventory());
    expect(made.added.map((i) => i.kind)).toEqual([
      'ecs:service',
      'ecs:task',
      'ecs:task-definition',
      'elbv2:rule',
      'elbv2:target',
      'elbv2:target-group',
      'local:task-listener',
      'route53:record',
    ]);
    expect(made.removed).toEqual([]);
    await change('DELETE');
    await account.ecs.send(new DeleteServiceCommand({ cluster, service: 'counted', force: true }));
    const { Rules = [] } = await account.elb.send(new DescribeRulesCommand({ ListenerArn: listenerArn }));
    await account.elb.send(new DeleteRuleCommand({ RuleArn: Rules.find((r) => !r.IsDefault)!.RuleArn }));
    await account.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: targetGroupArn }));
    await account.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));
    await until('INACTIVE', async () => (await describeService(account, 'counted')).status === 'INACTIVE');
    const left = difference(before, await shared.gateway.inventory());
    expect(renderDifference(left)).toBe(
      [
        '+ ecs:service test-cluster/counted (status INACTIVE, desiredCount 0, runningCount 0, residue: ECS shows a deleted service as INACTIVE for a while)',
        '+ ecs:task-definition counted:1 (status INACTIVE, residue: ECS keeps revisions that were deregistered)',
      ].join('\n'),
    );
    expect(only(left.added, (item) => item.residue === undefined)).toEqual([]);
  });

  it('is the same over the control surface', async () => {
    const answer = await fetch(new URL('/_gateway/inventory', shared.gateway.url));
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(await shared.gateway.inventory())));
  });
});
