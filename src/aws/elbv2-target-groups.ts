import {
  CreateTargetGroupCommand,
  DeleteTargetGroupCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ModifyTargetGroupAttributesCommand,
  ModifyTargetGroupCommand,
  type ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { isAwsError, sent } from './errors.ts';
import { describeTags } from './elbv2-tags.ts';
import { keyValueList, type Tags } from './tags.ts';
import { healthCheckInput, healthCheckOf, type HealthCheck } from './target-group-health.ts';
import { sharedLook } from './watcher.ts';

export interface TargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly port: number | undefined;
  readonly vpcId: string | undefined;
  readonly healthPath: string | undefined;
  readonly healthCheck: HealthCheck;
  /** `HTTP`, and `ip`: AWS changes neither. */
  readonly protocol: string | undefined;
  readonly targetType: string | undefined;
  readonly tags: Tags;
}

/** A target group of type ip over HTTP, with the health check of requirement U-24. */
export interface TargetGroupRequest {
  readonly name: string;
  readonly vpcId: string;
  readonly port: number;
  readonly healthPath: string;
  readonly tags: Tags;
}

export interface TargetHealth {
  readonly target: string;
  /** `initial`, `healthy`, `unhealthy`, `draining`, `unused`, ... */
  readonly state: string;
  /** AWS's reason and description; empty when it gives none. */
  readonly reason: string;
}

export interface TargetGroups {
  findTargetGroup(name: string): Promise<TargetGroup | undefined>;
  /** Creates one and answers its ARN. @throws StepError CONFLICT_RETRYABLE when the name was taken meanwhile */
  createTargetGroup(request: TargetGroupRequest): Promise<string>;
  /** The whole health check. */
  setHealthCheck(arn: string, path: string): Promise<void>;
  /** Undefined where AWS does not say it, or there is no such target group. */
  findDeregistrationDelay(arn: string): Promise<number | undefined>;
  /** How long a target that leaves still gets its open requests, in s. */
  setDeregistrationDelay(arn: string, seconds: number): Promise<void>;
  /** Missing is done. @throws StepError CONFLICT_RETRYABLE while a rule or service still uses it */
  deleteTargetGroup(arn: string): Promise<void>;
  /** Health of every target; undefined when there is no such target group. Shared look. */
  findTargetHealth(arn: string): Promise<readonly TargetHealth[] | undefined>;
}

const service = 'elasticloadbalancing';
const DEREGISTRATION_DELAY = 'deregistration_delay.timeout_seconds';

export function createTargetGroups(client: ElasticLoadBalancingV2Client): TargetGroups {
  return {
    findTargetGroup: (name) => find(client, name),

    async createTargetGroup(request) {
      const answer = await client.send(new CreateTargetGroupCommand(createInput(request)));
      const call = { service, action: 'CreateTargetGroup' };
      return sent(answer.TargetGroups?.[0]?.TargetGroupArn, call, 'TargetGroups[0].TargetGroupArn');
    },

    async setHealthCheck(arn, path) {
      await client.send(new ModifyTargetGroupCommand({ TargetGroupArn: arn, ...healthCheckInput(path) }));
    },

    async findDeregistrationDelay(arn) {
      try {
        const answer = await client.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn: arn }));
        const call = { service, action: 'DescribeTargetGroupAttributes' };
        const found = sent(answer.Attributes, call, 'Attributes').find(({ Key }) => Key === DEREGISTRATION_DELAY);
        return found?.Value === undefined ? undefined : Number(found.Value);
      } catch (error) {
        if (isAwsError(error, 'TargetGroupNotFound')) return undefined;
        throw error;
      }
    },

    async setDeregistrationDelay(arn, seconds) {
      await client.send(
        new ModifyTargetGroupAttributesCommand({
          TargetGroupArn: arn,
          Attributes: [{ Key: DEREGISTRATION_DELAY, Value: String(seconds) }],
        }),
      );
    },

    async deleteTargetGroup(arn) {
      try {
        await client.send(new DeleteTargetGroupCommand({ TargetGroupArn: arn }));
      } catch (error) {
        if (!isAwsError(error, 'TargetGroupNotFound')) throw error;
      }
    },

    findTargetHealth: sharedLook<string, readonly TargetHealth[]>({
      batchSize: 1,
      load: async ([arn = '']) => {
        const health = await targetHealth(client, arn);
        return new Map(health ? [[arn, health]] : []);
      },
    }),
  };
}

function createInput(request: TargetGroupRequest) {
  return {
    Name: request.name,
    TargetType: 'ip' as const,
    Protocol: 'HTTP' as const,
    Port: request.port,
    VpcId: request.vpcId,
    ...healthCheckInput(request.healthPath),
    Tags: keyValueList(request.tags),
  };
}

async function find(client: ElasticLoadBalancingV2Client, name: string): Promise<TargetGroup | undefined> {
  try {
    const answer = await client.send(new DescribeTargetGroupsCommand({ Names: [name] }));
    const call = { service, action: 'DescribeTargetGroups' };
    const [raw] = sent(answer.TargetGroups, call, 'TargetGroups');
    if (!raw) return undefined;
    const arn = sent(raw.TargetGroupArn, call, 'TargetGroupArn');
    return {
      arn,
      name: sent(raw.TargetGroupName, call, 'TargetGroupName'),
      port: raw.Port,
      vpcId: raw.VpcId,
      healthPath: raw.HealthCheckPath,
      healthCheck: healthCheckOf(raw),
      protocol: raw.Protocol,
      targetType: raw.TargetType,
      tags: sent((await describeTags(client, [arn])).get(arn), { service, action: 'DescribeTags' }, 'TagDescriptions'),
    };
  } catch (error) {
    if (isAwsError(error, 'TargetGroupNotFound')) return undefined;
    throw error;
  }
}

async function targetHealth(
  client: ElasticLoadBalancingV2Client,
  arn: string,
): Promise<readonly TargetHealth[] | undefined> {
  try {
    const answer = await client.send(new DescribeTargetHealthCommand({ TargetGroupArn: arn }));
    const call = { service, action: 'DescribeTargetHealth' };
    return sent(answer.TargetHealthDescriptions, call, 'TargetHealthDescriptions').map((raw) => ({
      target: `${raw.Target?.Id ?? '?'}:${raw.Target?.Port ?? '?'}`,
      state: sent(raw.TargetHealth?.State, call, 'TargetHealth.State'),
      reason: [raw.TargetHealth?.Reason, raw.TargetHealth?.Description].filter(Boolean).join(': '),
    }));
  } catch (error) {
    if (isAwsError(error, 'TargetGroupNotFound')) return undefined;
    throw error;
  }
}
