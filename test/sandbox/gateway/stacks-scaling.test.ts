import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  DeregisterScalableTargetCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { DeleteStackCommand, UpdateStackCommand } from '@aws-sdk/client-cloudformation';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { only, takeInventory } from '../../../sandbox/inventory/inventory.ts';
import { makeTable, newAccount, type Account } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';
import { createStack, eventsOf, settled, values } from './stack-account.ts';

const shared = useGateway();
const dynamodb = { ServiceNamespace: 'dynamodb' } as const;

async function scalingOf({ scaling }: Account) {
  const { ScalableTargets: targets = [] } = await scaling.send(new DescribeScalableTargetsCommand(dynamodb));
  const { ScalingPolicies: policies = [] } = await scaling.send(new DescribeScalingPoliciesCommand(dynamodb));
  return { targets, policies };
}

describe('the template of a private account', () => {
  const fresh = async (more: Readonly<Record<string, string>>) => {
    const at = newAccount(shared.gateway);
    const AccountId = randomUUID();
    const given = { AccountId, AccountName: 'Acme', EnableDeletionProtection: 'false' };
    const input = {
      StackName: `app-prod-account-${AccountId}`,
      TemplateBody: await readFile('templates/private-account-dynamodb.yaml', 'utf8'),
    };
    const asked = (and: Readonly<Record<string, string>>) => ({ ...input, Parameters: values({ ...given, ...and }) });
    const tag = { Key: 'tenantry:tenant-id', Value: AccountId };
    await createStack(at, { ...asked(more), Tags: [tag, { Key: 'tenantry:installation', Value: randomUUID() }] });
    return { at, asked, name: input.StackName, AccountId, stack: await settled(at, input.StackName) };
  };

  it('scales the table and each index between 5 and 100 units at 70 % when it is PROVISIONED, and takes it back', async () => {
    const { at, name, stack, AccountId } = await fresh({ BillingMode: 'PROVISIONED' });
    expect(stack.StackStatus).toBe('CREATE_COMPLETE');
    const { Table } = await at.tables.send(new DescribeTableCommand({ TableName: name }));
    expect(Table?.ProvisionedThroughput).toMatchObject({ ReadCapacityUnits: 5, WriteCapacityUnits: 5 });
    const { targets, policies } = await scalingOf(at);
    const places = ['', '/index/GSI1', '/index/GSI2', '/index/GSI3'].flatMap((index) =>
      ['Read', 'Write'].map(
        (what) => `table/${name}${index} dynamodb:${index ? 'index' : 'table'}:${what}CapacityUnits`,
      ),
    );
    expect(targets.map((one) => `${one.ResourceId} ${one.ScalableDimension}`).sort()).toEqual(places.sort());
    expect(policies.map((one) => `${one.ResourceId} ${one.ScalableDimension}`).sort()).toEqual(places.sort());
    expect(new Set(targets.map((one) => `${one.MinCapacity} to ${one.MaxCapacity}`))).toEqual(new Set(['5 to 100']));
    const aims = policies.map((one) => one.TargetTrackingScalingPolicyConfiguration?.TargetValue);
    expect(new Set(aims)).toEqual(new Set([70]));
    const accounts = [{ accountId: at.accountId, region: 'us-east-1' }];
    const items = await takeInventory({ gatewayUrl: shared.gateway.url, accounts, scope: 'tenants' });
    const owned = only(
      items,
      (item) => item.kind === 'autoscaling:scalable-target' && item.owner?.tenantId === AccountId,
    );
    expect(owned).toHaveLength(8);
    await at.stacks.send(new DeleteStackCommand({ StackName: name }));
    expect((await settled(at, stack.StackId ?? '')).StackStatus).toBe('DELETE_COMPLETE');
    expect(await scalingOf(at)).toEqual({ targets: [], policies: [] });
  });

  it('goes from PAY_PER_REQUEST to PROVISIONED and back', async () => {
    const { at, asked, name } = await fresh({});
    expect((await scalingOf(at)).targets).toEqual([]);
    await at.stacks.send(new UpdateStackCommand(asked({ BillingMode: 'PROVISIONED', MaxCapacity: '50' })));
    expect((await settled(at, name)).StackStatus).toBe('UPDATE_COMPLETE');
    const { targets, policies } = await scalingOf(at);
    expect([targets.length, policies.length, targets[0]?.MaxCapacity]).toEqual([8, 8, 50]);
    const wider = asked({ BillingMode: 'PROVISIONED', MaxCapacity: '60', TargetUtilization: '50' });
    await at.stacks.send(new UpdateStackCommand(wider));
    expect((await settled(at, name)).StackStatus).toBe('UPDATE_COMPLETE');
    const now = await scalingOf(at);
    expect(now.targets.map(({ ScalableTargetARN }) => ScalableTargetARN)).toEqual(
      targets.map(({ ScalableTargetARN }) => ScalableTargetARN),
    );
    expect(new Set(now.targets.map(({ MaxCapacity }) => MaxCapacity))).toEqual(new Set([60]));
    expect(now.policies[0]?.TargetTrackingScalingPolicyConfiguration?.TargetValue).toBe(50);
    await at.stacks.send(new UpdateStackCommand(asked({})));
    expect((await settled(at, name)).StackStatus).toBe('UPDATE_COMPLETE');
    expect(await scalingOf(at)).toEqual({ targets: [], policies: [] });
  });

  it('fails on a least capacity above the largest, and leaves nothing', async () => {
    const { at, name, stack } = await fresh({ BillingMode: 'PROVISIONED', MinCapacity: '10', MaxCapacity: '9' });
    expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
    const reasons = (await eventsOf(at, name)).map(({ ResourceStatusReason }) => ResourceStatusReason ?? '');
    expect(reasons.join('\n')).toContain('Maximum capacity cannot be less than minimum capacity');
    expect((await scalingOf(at)).targets).toEqual([]);
  });
});

describe('a scalable target of a stack', () => {
  const template = `
Resources:
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      { ServiceNamespace: dynamodb, ResourceId: table/mine, ScalableDimension: 'dynamodb:table:ReadCapacityUnits', MinCapacity: 1, MaxCapacity: 2 }
Outputs:
  Id: { Value: !Ref Target }
`;
  const key = { ...dynamodb, ResourceId: 'table/mine', ScalableDimension: 'dynamodb:table:ReadCapacityUnits' } as const;

  it('never takes one that is there, and does not deregister it with itself', async () => {
    const at = newAccount(shared.gateway);
    await makeTable(at.tables, 'mine');
    await at.scaling.send(new RegisterScalableTargetCommand({ ...key, MinCapacity: 7, MaxCapacity: 8 }));
    const id = await createStack(at, { StackName: 'taken', TemplateBody: template, OnFailure: 'DELETE' });
    expect((await settled(at, id)).StackStatus).toBe('DELETE_COMPLETE');
    const reasons = (await eventsOf(at, id)).map(({ ResourceStatusReason }) => ResourceStatusReason ?? '');
    expect(reasons.join('\n')).toContain('table/mine|dynamodb:table:ReadCapacityUnits|dynamodb already exists');
    expect((await scalingOf(at)).targets).toMatchObject([{ MinCapacity: 7 }]);
  });

  it('is named by resource, dimension and namespace, and may be gone when the stack is deleted', async () => {
    const at = newAccount(shared.gateway);
    await makeTable(at.tables, 'mine');
    await createStack(at, { StackName: 'own', TemplateBody: template });
    const stack = await settled(at, 'own');
    expect(stack.Outputs?.[0]?.OutputValue).toBe('table/mine|dynamodb:table:ReadCapacityUnits|dynamodb');
    await at.scaling.send(new DeregisterScalableTargetCommand(key));
    await at.stacks.send(new DeleteStackCommand({ StackName: 'own' }));
    expect((await settled(at, stack.StackId ?? '')).StackStatus).toBe('DELETE_COMPLETE');
  });
});
