import { readChanges } from '../dns/changes.ts';
import type { Call } from '../request.ts';

/** One of AWS's request buckets, with AWS's own figures. */
export interface BucketSpec {
  readonly name: string;
  /** SigV4 service name. */
  readonly service: string;
  readonly burst: number;
  readonly perSecond: number;
  /** Route 53 is global: one bucket for all regions. */
  readonly isGlobal?: true;
  readonly counts: (action: string) => boolean;
  /** Tokens that a call takes; 1 by default. */
  readonly cost?: (call: Call) => number;
}

/** Buckets that calls of a service draw from; a call may draw from several. */
export function bucketSpecsOf(service: string): readonly BucketSpec[] {
  return byService.get(service) ?? [];
}

/** What starting a task on Fargate takes from, by RunTask and by the service scheduler. */
export const fargateLaunches: BucketSpec = {
  name: 'fargate-launch',
  service: 'ecs',
  // On-demand launches of an account and region. Source: ECS developer guide, "AWS Fargate throttling quotas".
  burst: 100,
  perSecond: 20,
  counts: (action) => action === 'RunTask',
  cost: taskCount,
};

const anyOf = (...actions: string[]) => {
  const set = new Set(actions);
  return (action: string) => set.has(action);
};

function ecs(name: string, burst: number, perSecond: number, ...actions: string[]): BucketSpec {
  return { name: `ecs-${name}`, service: 'ecs', burst, perSecond, counts: anyOf(...actions) };
}

/** A quota that AWS gives as calls per second: the bucket holds one second's worth. */
function perSecond(service: string, name: string, rate: number, ...actions: string[]): BucketSpec {
  return { name, service, burst: rate, perSecond: rate, counts: anyOf(...actions) };
}

/** Source: ECS API reference, "Request throttling" (the table of throttling quotas). */
const ecsBuckets: readonly BucketSpec[] = [
  ecs('cluster-read', 50, 20, 'DescribeClusters', 'ListClusters'),
  ecs('task-definition-modify', 20, 1, 'RegisterTaskDefinition', 'DeregisterTaskDefinition'),
  ecs('task-definition-read', 50, 20, 'DescribeTaskDefinition', 'ListTaskDefinitions', 'ListTaskDefinitionFamilies'),
  ecs('task-definition-delete', 5, 1, 'DeleteTaskDefinitions'),
  ecs('tag-modify', 20, 10, 'TagResource', 'UntagResource'),
  ecs('tag-read', 50, 20, 'ListTagsForResource'),
  ecs('cluster-resource-modify', 100, 40, 'RunTask', 'StartTask', 'StopTask', 'ExecuteCommand'),
  ecs('cluster-resource-read', 100, 20, 'DescribeTasks', 'ListTasks', 'DescribeContainerInstances'),
  ecs('service-modify', 50, 5, 'CreateService', 'UpdateService', 'DeleteService'),
  ecs('service-read', 100, 20, 'DescribeServices', 'ListServices'),
  ecs('service-deployment', 50, 20, 'DescribeServiceDeployments', 'ListServiceDeployments'),
  fargateLaunches,
];

const isElbRead = (action: string) => /^(Describe|Get)/.test(action);
const isRegistration = anyOf('RegisterTargets', 'DeregisterTargets');

/**
 * Source: Elastic Load Balancing user guide, "Request throttling": one bucket for all calls of an API version, one more
 * for each category. Calls that ECS makes on a caller's behalf have buckets of their own, so they are not counted here.
 * The registration figures are those that the AWS Load Balancer Controller paces by (its issue 2809).
 */
const elbBuckets: readonly BucketSpec[] = [
  { name: 'elbv2', service: 'elasticloadbalancing', burst: 40, perSecond: 10, counts: () => true },
  {
    name: 'elbv2-mutating',
    service: 'elasticloadbalancing',
    burst: 20,
    perSecond: 3,
    counts: (action) => !isElbRead(action) && !isRegistration(action),
  },
  { name: 'elbv2-registration', service: 'elasticloadbalancing', burst: 20, perSecond: 4, counts: isRegistration },
];

/** Source: AWS's announcement of change-based throttling (July 2026); older texts give five calls per second. */
const route53Buckets: readonly BucketSpec[] = [
  { name: 'route53', service: 'route53', burst: 50, perSecond: 10, isGlobal: true, counts: () => true },
  {
    name: 'route53-changes',
    service: 'route53',
    burst: 1500,
    perSecond: 100,
    isGlobal: true,
    counts: anyOf('ChangeResourceRecordSets'),
    cost: changeCost,
  },
];

/**
 * Sources: the quota pages of Secrets Manager, CloudWatch Logs, Cognito and SSM (its default throughput); SSM's write rate is what AWS
 * support tells, and nobody publishes those of its other calls. SES has no row: its sending rate is each account's own.
 */
const otherBuckets: readonly BucketSpec[] = [
  perSecond('secretsmanager', 'secrets-read', 10_000, 'DescribeSecret', 'GetSecretValue'),
  perSecond('secretsmanager', 'secrets-create', 50, 'CreateSecret'),
  perSecond('secretsmanager', 'secrets-delete', 50, 'DeleteSecret'),
  perSecond('secretsmanager', 'secrets-restore', 50, 'RestoreSecret'),
  perSecond('secretsmanager', 'secrets-update', 50, 'PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage'),
  perSecond('secretsmanager', 'secrets-tag', 50, 'TagResource', 'UntagResource'),
  perSecond('secretsmanager', 'secrets-list', 100, 'ListSecrets', 'ListSecretVersionIds'),
  perSecond('logs', 'logs-create-group', 10, 'CreateLogGroup'),
  perSecond('logs', 'logs-delete-group', 10, 'DeleteLogGroup'),
  perSecond('logs', 'logs-describe-groups', 10, 'DescribeLogGroups'),
  perSecond('logs', 'logs-create-stream', 50, 'CreateLogStream'),
  perSecond('logs', 'logs-describe-streams', 25, 'DescribeLogStreams'),
  perSecond('cognito-idp', 'cognito-user-pools', 15, 'CreateUserPool', 'UpdateUserPool', 'DeleteUserPool'),
  perSecond('ssm', 'ssm-put-parameter', 3, 'PutParameter'),
  perSecond('ssm', 'ssm-get-parameters', 40, 'GetParameter', 'GetParameters', 'GetParametersByPath'),
];

const byService = new Map<string, BucketSpec[]>();
for (const spec of [...ecsBuckets, ...elbBuckets, ...route53Buckets, ...otherBuckets]) {
  byService.set(spec.service, [...(byService.get(spec.service) ?? []), spec]);
}

/** A CREATE or DELETE costs 1, an UPSERT 2. */
function changeCost(call: Call): number {
  const changes = readChanges(call.body.toString('utf8'));
  return changes.reduce((sum, { action }) => sum + (action === 'UPSERT' ? 2 : 1), 0);
}

function taskCount(call: Call): number {
  const count = Number(/"count"\s*:\s*(\d+)/.exec(call.body.toString('utf8'))?.[1] ?? 1);
  return Math.max(count, 1);
}
