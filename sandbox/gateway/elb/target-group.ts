import {
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Scope } from '../request.ts';
import type { Upstream } from '../upstream.ts';

/** Settings of a target group that its health checks follow. */
export interface TargetGroup {
  readonly arn: string;
  readonly port: number;
  readonly healthPath: string;
  /** Port to check, when it is not the target's own. */
  readonly healthPort: number | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  /** Codes that count as healthy, e.g. `200-399,404`. */
  readonly matcher: string;
}

/** Reads a target group upstream; undefined when there is none. */
export async function loadTargetGroup(upstream: Upstream, scope: Scope, arn: string): Promise<TargetGroup | undefined> {
  try {
    const answer = await upstream.clients(scope).elb.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [arn] }));
    const group = answer.TargetGroups?.[0];
    if (!group) return undefined;
    const healthPort = Number(group.HealthCheckPort);
    return {
      arn,
      port: group.Port ?? 80,
      healthPath: group.HealthCheckPath ?? '/',
      healthPort: Number.isInteger(healthPort) ? healthPort : undefined,
      intervalMs: (group.HealthCheckIntervalSeconds ?? 30) * 1000,
      timeoutMs: (group.HealthCheckTimeoutSeconds ?? 5) * 1000,
      healthyThreshold: group.HealthyThresholdCount ?? 5,
      unhealthyThreshold: group.UnhealthyThresholdCount ?? 2,
      matcher: group.Matcher?.HttpCode ?? '200',
    };
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('TargetGroupNotFound')) return undefined;
    throw error;
  }
}

/** AWS's default. */
export const defaultDeregistrationDelayMs = 300_000;

/** The deregistration delay that the group's attributes set, unscaled; 300 s is AWS's default. */
export async function deregistrationDelayMs(upstream: Upstream, scope: Scope, arn: string): Promise<number> {
  try {
    const command = new DescribeTargetGroupAttributesCommand({ TargetGroupArn: arn });
    const { Attributes = [] } = await upstream.clients(scope).elb.send(command);
    const seconds = Attributes.find((a) => a.Key === 'deregistration_delay.timeout_seconds')?.Value;
    return seconds === undefined ? defaultDeregistrationDelayMs : Number(seconds) * 1000;
  } catch (error) {
    // A group that is gone has nothing left to drain.
    if (error instanceof Error && error.name.startsWith('TargetGroupNotFound')) return 0;
    throw error;
  }
}

/** True when the status is one of the matcher's codes. */
export function matches(matcher: string, status: number): boolean {
  return matcher.split(',').some((part) => {
    const [low = '', high = low] = part.trim().split('-');
    return status >= Number(low) && status <= Number(high);
  });
}
