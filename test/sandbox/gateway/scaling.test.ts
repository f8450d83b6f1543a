import { randomUUID } from 'node:crypto';
import {
  DeleteScalingPolicyCommand,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingActivitiesCommand,
  DescribeScalingPoliciesCommand,
  ListTagsForResourceCommand,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
  TagResourceCommand,
  UntagResourceCommand,
  type PutScalingPolicyCommandInput,
  type RegisterScalableTargetCommandInput,
} from '@aws-sdk/client-application-auto-scaling';
import { CreateTableCommand, DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { only, takeInventory } from '../../../sandbox/inventory/inventory.ts';
import { errorOf, newAccount, type Account } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();
const throughput = { ReadCapacityUnits: 5, WriteCapacityUnits: 5 };
const keyOf = (AttributeName: string) => [{ AttributeName, KeyType: 'HASH' as const }];

/** An account with a table of provisioned capacity that has an index. */
async function fresh() {
  const at = newAccount(shared.gateway);
  const TableName = `t-${randomUUID()}`;
  await at.tables.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: ['PK', 'GSI1PK'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      KeySchema: keyOf('PK'),
      ProvisionedThroughput: throughput,
      GlobalSecondaryIndexes: [
        {
          IndexName: 'GSI1',
          KeySchema: keyOf('GSI1PK'),
          Projection: { ProjectionType: 'ALL' },
          ProvisionedThroughput: throughput,
        },
      ],
    }),
  );
  const key = {
    ServiceNamespace: 'dynamodb',
    ResourceId: `table/${TableName}`,
    ScalableDimension: 'dynamodb:table:ReadCapacityUnits',
  } as const;
  return { at, TableName, key };
}

type Key = Pick<RegisterScalableTargetCommandInput, 'ServiceNamespace' | 'ResourceId' | 'ScalableDimension'>;

const register = ({ scaling }: Account, key: Key, more: Partial<RegisterScalableTargetCommandInput> = {}) =>
  scaling.send(new RegisterScalableTargetCommand({ ...key, MinCapacity: 5, MaxCapacity: 100, ...more }));

const put = ({ scaling }: Account, key: Key, more: Partial<PutScalingPolicyCommandInput> = {}) =>
  scaling.send(
    new PutScalingPolicyCommand({
      ...{ ...key, PolicyName: 'read', PolicyType: 'TargetTrackingScaling' },
      TargetTrackingScalingPolicyConfiguration: tracking(70),
      ...more,
    }),
  );

const tracking = (TargetValue: number, what = 'Read') => ({
  TargetValue,
  PredefinedMetricSpecification: { PredefinedMetricType: `DynamoDB${what}CapacityUtilization` as never },
});

const refused = async (call: Promise<unknown>) => {
  const { name, message } = await errorOf(call);
  return `${name}: ${message}`;
};

describe('a scalable target', () => {
  it('is registered, changed in what is given, shown and deregistered', async () => {
    const { at, key } = await fresh();
    const { ScalableTargetARN } = await register(at, key, { Tags: { team: 'a' } });
    expect((await register(at, key, { MinCapacity: undefined, MaxCapacity: 40 })).ScalableTargetARN).toBe(
      ScalableTargetARN,
    );
    const describeAll = new DescribeScalableTargetsCommand({ ServiceNamespace: 'dynamodb' });
    const { ScalableTargets: [target] = [] } = await at.scaling.send(describeAll);
    expect(target).toMatchObject({
      ...{ ...key, MinCapacity: 5, MaxCapacity: 40, ScalableTargetARN },
      RoleARN: expect.stringMatching(/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable$/) as string,
      SuspendedState: { DynamicScalingInSuspended: false },
    });
    expect(Math.abs((target?.CreationTime?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    expect((await newAccount(shared.gateway).scaling.send(describeAll)).ScalableTargets).toEqual([]);
    await at.scaling.send(new TagResourceCommand({ ResourceARN: ScalableTargetARN, Tags: { mark: 'b' } }));
    await at.scaling.send(new UntagResourceCommand({ ResourceARN: ScalableTargetARN, TagKeys: ['team'] }));
    const listed = await at.scaling.send(new ListTagsForResourceCommand({ ResourceARN: ScalableTargetARN }));
    expect(listed.Tags).toEqual({ mark: 'b' });
    await at.scaling.send(new DeregisterScalableTargetCommand(key));
    expect((await at.scaling.send(describeAll)).ScalableTargets).toEqual([]);
    expect(await refused(at.scaling.send(new DeregisterScalableTargetCommand(key)))).toBe(
      `ObjectNotFoundException: No scalable target found for service namespace: dynamodb, resource ID: ${key.ResourceId}, scalable dimension: ${key.ScalableDimension}`,
    );
  });

  it('is refused where AWS refuses it', async () => {
    const { at, key } = await fresh();
    const refusal = (more: Partial<RegisterScalableTargetCommandInput>) => refused(register(at, key, more));
    const unsupported = 'ValidationException: Unsupported service namespace, resource type or scalable dimension';
    const index = { ScalableDimension: 'dynamodb:index:ReadCapacityUnits' } as const;
    expect(await refusal({ ResourceId: 'table/none' })).toBe(
      'ValidationException: DynamoDB table does not exist: table/none',
    );
    expect(await refusal({ ...index, ResourceId: `${key.ResourceId}/index/GSI2` })).toContain('/index/GSI2');
    expect(await refusal({ MinCapacity: 10, MaxCapacity: 9 })).toBe(
      'ValidationException: Maximum capacity cannot be less than minimum capacity',
    );
    expect(await refusal({ MinCapacity: 0 })).toContain('ValidationException');
    expect(await refusal({ MinCapacity: undefined })).toContain('MinCapacity');
    expect(await refusal(index)).toBe(unsupported);
    expect(await refusal({ ResourceId: `${key.ResourceId}/index/GSI1` })).toBe(unsupported);
    expect(await refusal({ ScalableDimension: 'ecs:service:DesiredCount' })).toBe(unsupported);
    expect(await refusal({ ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' })).toContain('ecs');
    expect(await refusal({ ServiceNamespace: 'made-up' as never })).toMatch(
      /^ValidationException: 1 validation error detected: Value 'made-up' at 'serviceNamespace' failed to satisfy constraint: Member must satisfy enum value set: \[ecs, /,
    );
    expect(await refusal({ ResourceId: '' })).toContain(
      "Value '' at 'resourceId' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
    expect(await refusal({ ResourceId: 5 as never })).toContain('SerializationException: resourceId');
    expect(await refusal({ ResourceId: null as never })).toContain("Value null at 'resourceId'");
    const nothing = new DescribeScalableTargetsCommand({ ServiceNamespace: 'dynamodb' });
    expect((await at.scaling.send(nothing)).ScalableTargets).toEqual([]);
    await register(at, key);
    expect(await refusal({ Tags: { a: 'b' } })).toContain('use the TagResource API');
  });

  it('stays, with its policy, when its table is deleted, and the inventory shows both', async () => {
    const { at, key, TableName } = await fresh();
    await register(at, key);
    await put(at, key);
    await at.tables.send(new DeleteTableCommand({ TableName }));
    const accounts = [{ accountId: at.accountId, region: 'us-east-1' }];
    const items = await takeInventory({ gatewayUrl: shared.gateway.url, accounts, scope: 'tenants' });
    expect(only(items, ({ name = '' }) => name.includes(TableName))).toMatchObject([
      { kind: 'autoscaling:scalable-target', detail: { min: '5', max: '100' } },
      { kind: 'autoscaling:scaling-policy', detail: { metric: 'DynamoDBReadCapacityUtilization', targetValue: '70' } },
    ]);
  });
});

describe('a scaling policy', () => {
  it('is made, changed under its name, shown and deleted', async () => {
    const { at, key } = await fresh();
    await register(at, key);
    const { PolicyARN } = await put(at, key);
    const changed = { PolicyType: undefined, TargetTrackingScalingPolicyConfiguration: tracking(50) };
    expect((await put(at, key, changed)).PolicyARN).toBe(PolicyARN);
    const describeAll = new DescribeScalingPoliciesCommand({ ServiceNamespace: 'dynamodb', PolicyNames: ['read'] });
    const { ScalingPolicies } = await at.scaling.send(describeAll);
    expect(ScalingPolicies).toMatchObject([
      { ...key, PolicyARN, PolicyName: 'read', TargetTrackingScalingPolicyConfiguration: { TargetValue: 50 } },
    ]);
    const { ScalingActivities } = await at.scaling.send(new DescribeScalingActivitiesCommand(key));
    expect(ScalingActivities).toEqual([]);
    await at.scaling.send(new DeleteScalingPolicyCommand({ ...key, PolicyName: 'read' }));
    const again = refused(at.scaling.send(new DeleteScalingPolicyCommand({ ...key, PolicyName: 'read' })));
    expect(await again).toContain('ObjectNotFoundException: No scaling policy found');
    await put(at, key);
    await at.scaling.send(new DeregisterScalableTargetCommand(key));
    expect((await at.scaling.send(describeAll)).ScalingPolicies).toEqual([]);
  });

  it('is refused where AWS refuses it', async () => {
    const { at, key } = await fresh();
    expect(await refused(put(at, key))).toBe(
      `ObjectNotFoundException: No scalable target registered for service namespace: dynamodb, resource ID: ${key.ResourceId}, scalable dimension: ${key.ScalableDimension}`,
    );
    await register(at, key);
    const refusal = (more: Partial<PutScalingPolicyCommandInput>) => refused(put(at, key, more));
    const aimed = (TargetTrackingScalingPolicyConfiguration: PutScalingPolicyCommandInput[typeof field]) =>
      refusal({ TargetTrackingScalingPolicyConfiguration });
    const field = 'TargetTrackingScalingPolicyConfiguration';
    expect(await aimed(tracking(91))).toContain('between 20 and 90');
    expect(await aimed(tracking(70, 'Write'))).toContain('DynamoDBWriteCapacityUtilization');
    expect(await aimed({ TargetValue: 70 })).toContain('Exactly one of');
    expect(await aimed(undefined)).toContain(field);
    expect(await refusal({ PolicyType: 'StepScaling' })).toContain('StepScaling');
    expect(await refusal({ PolicyType: undefined })).toContain('PolicyType');
    await put(at, key);
    expect(await refusal({ PolicyName: 'second' })).toBe(
      'ValidationException: Only one TargetTrackingScaling policy for a given metric specification is allowed.',
    );
  });
});

it('comes in pages, and by a dimension with a resource only', async () => {
  const { at, key } = await fresh();
  await register(at, key);
  await register(at, { ...key, ScalableDimension: 'dynamodb:table:WriteCapacityUnits' });
  const ask = (more: object) =>
    at.scaling.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'dynamodb', ...more }));
  const first = await ask({ MaxResults: 1 });
  const second = await ask({ MaxResults: 1, NextToken: first.NextToken });
  expect([first, second].map(({ ScalableTargets = [] }) => ScalableTargets[0]?.ScalableDimension)).toEqual([
    'dynamodb:table:ReadCapacityUnits',
    'dynamodb:table:WriteCapacityUnits',
  ]);
  expect(second.NextToken).toBeUndefined();
  const { ScalableTargets: one = [] } = await ask({
    ResourceIds: [key.ResourceId],
    ScalableDimension: key.ScalableDimension,
  });
  expect(one).toHaveLength(1);
  expect(await refused(ask({ ScalableDimension: key.ScalableDimension }))).toContain('resource ID');
  expect(await refused(ask({ MaxResults: 51 }))).toContain('between 1 and 50');
  expect(await refused(ask({ NextToken: 'x' }))).toContain('InvalidNextTokenException');
});
