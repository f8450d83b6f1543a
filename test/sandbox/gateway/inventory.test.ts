import { DeleteServiceCommand, DeregisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import {
  DeleteRuleCommand,
  DeleteTargetGroupCommand,
  DescribeRulesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand } from '@aws-sdk/client-route-53';
import { describe, expect, it } from 'vitest';
import { diffInventories, type InventoryItem } from '../../../sandbox/gateway/gateway.ts';
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
    const made = diffInventories(before, await shared.gateway.inventory());
    expect(made.added.map((i) => i.kind)).toEqual([
      'ecs-service',
      'ecs-task',
      'listener-rule',
      'record-set',
      'target-group',
      'task-definition',
      'task-listener',
    ]);
    expect(made.removed).toEqual([]);
    await change('DELETE');
    await account.ecs.send(new DeleteServiceCommand({ cluster, service: 'counted', force: true }));
    const { Rules = [] } = await account.elb.send(new DescribeRulesCommand({ ListenerArn: listenerArn }));
    await account.elb.send(new DeleteRuleCommand({ RuleArn: Rules.find((r) => !r.IsDefault)!.RuleArn }));
    await account.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn: targetGroupArn }));
    await account.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));
    await until('INACTIVE', async () => (await describeService(account, 'counted')).status === 'INACTIVE');
    const left = diffInventories(before, await shared.gateway.inventory());
    expect(left.text).toBe(`+ task-definition-inactive ${taskDefinition}`);
  });

  it('is the same over the control surface', async () => {
    const answer = await fetch(new URL('/_gateway/inventory', shared.gateway.url));
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(await shared.gateway.inventory())));
  });
});

describe('a difference of inventories', () => {
  it('tells added, removed and changed things in one line each', () => {
    const item = (id: string, detail?: string): InventoryItem => ({ kind: 'secret', id, detail });
    const diff = diffInventories(
      [item('a'), item('b', 'kept'), item('c')],
      [item('b', 'scheduled'), item('c'), item('d')],
    );
    expect(diff.text).toBe('- secret a\n~ secret b (kept) -> scheduled\n+ secret d');
    expect(diffInventories([item('a')], [item('a')]).text).toBe('');
  });
});
