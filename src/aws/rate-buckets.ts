/** A token bucket as AWS publishes it: so many at once, so many more per second. */
export interface BucketRate {
  readonly burst: number;
  readonly perSecond: number;
  /** Changes and looks draw on it: looks leave a part of it to changes. */
  readonly isShared?: true;
  /** One for all regions. */
  readonly isGlobal?: true;
}

/**
 * API groups that share a bucket each, of an account in a region. Sources: aws-facts.md ("Rate limits"): ECS and ELB throttling
 * pages, Route 53's change-based throttling; CloudWatch Logs and Secrets Manager from their quota pages. Of SSM, the quota page has the
 * rate of `ssm-get` and AWS's support tells that of `ssm-put`; nobody publishes those of its other calls: ours are careful ones.
 */
export const bucketRates = {
  route53: { burst: 50, perSecond: 10, isShared: true, isGlobal: true },
  elbv2: { burst: 40, perSecond: 10, isShared: true },
  'elbv2-mutating': { burst: 20, perSecond: 3 },
  'ecs-task-definition': { burst: 20, perSecond: 1 },
  'ecs-task-definition-delete': { burst: 5, perSecond: 1 },
  'ecs-task-definition-read': { burst: 50, perSecond: 20 },
  'ecs-service': { burst: 50, perSecond: 5 },
  'ecs-service-read': { burst: 100, perSecond: 20 },
  'ecs-service-deployment': { burst: 50, perSecond: 20 },
  'ecs-cluster-read': { burst: 50, perSecond: 20 },
  'ecs-task-read': { burst: 100, perSecond: 20 },
  'ecs-tag': { burst: 20, perSecond: 10 },
  'ecs-tag-read': { burst: 50, perSecond: 20 },
  'logs-create': { burst: 10, perSecond: 10 },
  'logs-delete': { burst: 10, perSecond: 10 },
  'logs-describe': { burst: 10, perSecond: 10 },
  'logs-other': { burst: 10, perSecond: 10, isShared: true },
  secrets: { burst: 50, perSecond: 40, isShared: true },
  'ssm-put': { burst: 3, perSecond: 3 },
  'ssm-get': { burst: 40, perSecond: 40 },
  'ssm-delete': { burst: 3, perSecond: 3 },
  'ssm-describe': { burst: 5, perSecond: 5 },
  'ssm-tags': { burst: 10, perSecond: 10, isShared: true },
  'dynamodb-write': { burst: 100, perSecond: 100 },
} as const satisfies Readonly<Record<string, BucketRate>>;

export type BucketName = keyof typeof bucketRates;

/** A bucket's figures. */
export function bucketRate(name: BucketName): BucketRate {
  return bucketRates[name];
}

/** The buckets that a call draws a token from each; none: the call is not paced. */
export function bucketsOf(service: string, action: string, read: boolean): readonly BucketName[] {
  if (service === 'route53') return ['route53'];
  if (service === 'elasticloadbalancing') return read ? ['elbv2'] : ['elbv2', 'elbv2-mutating'];
  if (service === 'ecs') return bucketIn(ecsBuckets, action);
  if (service === 'logs') return logsBucketsOf(action);
  if (service === 'secretsmanager') return ['secrets'];
  if (service === 'dynamodb') return read ? [] : ['dynamodb-write'];
  if (service === 'ssm') return bucketIn(ssmBuckets, action);
  return [];
}

type BucketRows = readonly (readonly [RegExp, BucketName])[];

function bucketIn(rows: BucketRows, action: string): readonly BucketName[] {
  return rows.flatMap(([pattern, name]) => (pattern.test(action) ? [name] : []));
}

const ssmBuckets: BucketRows = [
  [/^PutParameter$/, 'ssm-put'],
  [/^GetParameter(s|sByPath)?$/, 'ssm-get'],
  [/^DeleteParameters?$/, 'ssm-delete'],
  [/^DescribeParameters$/, 'ssm-describe'],
  [/^(AddTagsTo|RemoveTagsFrom|ListTagsFor)Resource$/, 'ssm-tags'],
];

/** Source: ECS API reference, "Request throttling". */
const ecsBuckets: BucketRows = [
  [/^(Der|R)egisterTaskDefinition$/, 'ecs-task-definition'],
  [/^DeleteTaskDefinitions$/, 'ecs-task-definition-delete'],
  [/^(DescribeTaskDefinition|ListTaskDefinitions|ListTaskDefinitionFamilies)$/, 'ecs-task-definition-read'],
  [/^(Create|Update|Delete)Service$/, 'ecs-service'],
  [/^(DescribeServices|ListServices)$/, 'ecs-service-read'],
  [/^(Describe|List)ServiceDeployments$/, 'ecs-service-deployment'],
  [/^(Describe|List)Clusters$/, 'ecs-cluster-read'],
  [/^(Describe|List)Tasks$/, 'ecs-task-read'],
  [/^(Unt|T)agResource$/, 'ecs-tag'],
  [/^ListTagsForResource$/, 'ecs-tag-read'],
];

/** CloudWatch Logs has a quota for each of its calls. */
function logsBucketsOf(action: string): readonly BucketName[] {
  if (action === 'CreateLogGroup') return ['logs-create'];
  if (action === 'DeleteLogGroup') return ['logs-delete'];
  return [action === 'DescribeLogGroups' ? 'logs-describe' : 'logs-other'];
}

/** Longest time that a leased token may be kept, in ms. */
const LONGEST_LEASE_MS = 3_000;

/** What is leased from a bucket, and how long a lease lasts. */
export interface LeasedBucket {
  readonly name: BucketName;
  readonly capacity: number;
  readonly perSecond: number;
  /** Tokens that a look leaves to changes, and work in the background to all other. */
  readonly floor: number;
  readonly leaseMs: number;
}

/**
 * The bucket as it is leased from. A token may be used until its lease ends, so that those of one lease time more than the
 * rate may come to AWS together: the capacity is AWS's burst less those. A lease takes a quarter of the burst at most.
 */
export function leasedBucket(
  name: BucketName,
  factor: number,
  { isBackground = false, isLook }: { readonly isBackground?: boolean; readonly isLook: boolean },
): LeasedBucket {
  const rate = bucketRate(name);
  const burst = Math.max(1, rate.burst * factor);
  const perSecond = rate.perSecond * factor;
  const leaseMs = Math.min(LONGEST_LEASE_MS, (burst / perSecond) * 250);
  const capacity = Math.max(1, burst - (perSecond * leaseMs) / 1000);
  const ofLooks = isLook && rate.isShared ? Math.min(capacity / 4, perSecond) : 0;
  const floor = isBackground ? Math.min(capacity / 2, capacity - 1) : ofLooks;
  return { name, capacity, perSecond, floor, leaseMs };
}
