import { describe, expect, it } from 'vitest';
import { bucketRates, bucketsOf, leasedBucket, type BucketName } from '../../../src/aws/rate-buckets.ts';

describe('bucketsOf', () => {
  it.each([
    ['ecs', 'RegisterTaskDefinition', ['ecs-task-definition']],
    ['ecs', 'DeregisterTaskDefinition', ['ecs-task-definition']],
    ['ecs', 'DeleteTaskDefinitions', ['ecs-task-definition-delete']],
    ['ecs', 'DescribeTaskDefinition', ['ecs-task-definition-read']],
    ['ecs', 'UpdateService', ['ecs-service']],
    ['ecs', 'DescribeServices', ['ecs-service-read']],
    ['ecs', 'ListTasks', ['ecs-task-read']],
    ['ecs', 'TagResource', ['ecs-tag']],
    ['logs', 'CreateLogGroup', ['logs-create']],
    ['logs', 'DescribeLogGroups', ['logs-describe']],
    ['logs', 'PutRetentionPolicy', ['logs-other']],
    ['ssm', 'PutParameter', ['ssm-put']],
    ['ssm', 'GetParameter', ['ssm-get']],
    ['ssm', 'GetParameters', ['ssm-get']],
    ['ssm', 'GetParametersByPath', ['ssm-get']],
    ['ssm', 'GetParameterHistory', []],
    ['ssm', 'DeleteParameters', ['ssm-delete']],
    ['ssm', 'DescribeParameters', ['ssm-describe']],
    ['ssm', 'AddTagsToResource', ['ssm-tags']],
    ['ssm', 'ListTagsForResource', ['ssm-tags']],
    ['dynamodb', 'PutItem', ['dynamodb-write']],
    ['dynamodb', 'GetItem', []],
    ['elasticloadbalancing', 'CreateRule', ['elbv2', 'elbv2-mutating']],
    ['elasticloadbalancing', 'DescribeTargetHealth', ['elbv2']],
    ['route53', 'GetChange', ['route53']],
    ['sts', 'GetCallerIdentity', []],
  ] as const)('%s %s', (service, action, buckets) => {
    expect(bucketsOf(service, action, /^(Describe|Get|List)/.test(action))).toEqual(buckets);
  });
});

describe('a leased bucket', () => {
  it.each(Object.entries(bucketRates))('never lets more than %s allows come together', (name, rate) => {
    const { capacity, leaseMs, perSecond } = leasedBucket(name as BucketName, 1, { isLook: false });
    expect(capacity + (perSecond * leaseMs) / 1000).toBeLessThanOrEqual(rate.burst);
    expect(capacity).toBeGreaterThanOrEqual(1);
    expect(leaseMs).toBeGreaterThanOrEqual(200);
  });

  it('leaves changes a part where looks draw on it too', () => {
    expect(leasedBucket('elbv2', 1, { isLook: true }).floor).toBeGreaterThan(0);
    expect(leasedBucket('elbv2', 1, { isLook: false }).floor).toBe(0);
    expect(leasedBucket('ecs-service-read', 1, { isLook: true }).floor).toBe(0);
  });
});
