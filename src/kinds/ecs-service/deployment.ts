import { ROLLOUT, type EcsDeployment, type EcsService } from '../../aws/ecs-service.ts';
import type { ServiceSettings } from '../../aws/ecs-services.ts';
import { isSameJson } from '../../contracts/stable-json.ts';

/**
 * Which operation and generation made a service's last deployment, and which deployment that was: kept in a tag of the
 * service, because ECS has no other place that survives a lost answer.
 */
export const DEPLOYMENT_TAG = 'tenantry:deployment';

export interface DeploymentMark {
  readonly operationId: string;
  readonly generation: number;
  /** Undefined for the deployment that came with the service. */
  readonly deploymentId?: string | undefined;
  readonly at?: Date | undefined;
}

/** Text of the tag; only characters that a tag value may hold. */
export function formatDeploymentMark({ operationId, generation, deploymentId, at }: DeploymentMark): string {
  const update = deploymentId && at ? [String(Math.floor(at.getTime() / 1000)), deploymentId] : [];
  return [operationId, String(generation), ...update].join(' ');
}

/** The inverse of {@link formatDeploymentMark}; undefined when the text is none. */
export function parseDeploymentMark(text: string | undefined): DeploymentMark | undefined {
  const match = /^(\S+) (\d+)(?: (\d+) (\S+))?$/.exec(text ?? '');
  const [, operationId, generation, seconds, deploymentId] = match ?? [];
  if (!operationId || !generation) return undefined;
  const at = seconds === undefined ? undefined : new Date(Number(seconds) * 1000);
  return { operationId, generation: Number(generation), deploymentId, at };
}

export interface ServiceWanted extends ServiceSettings {
  readonly operationId: string;
  readonly generation: number;
}

export type Convergence =
  | { readonly change: 'none' }
  /** The deployment is this generation's, its answer was lost: only the mark is missing. */
  | { readonly change: 'mark' }
  | { readonly change: 'scale' }
  | { readonly change: 'deploy' };

/** How long a deployment that no mark names may be the one whose answer was lost, in ms. */
const LOST_ANSWER_MS = 60_000;
/** A deployment that began this close to its service came with it, in ms. */
const WITH_SERVICE_MS = 2_000;

/** What an existing service of ours needs to become what is wanted. Pure. */
export function convergence(service: EcsService, wanted: ServiceWanted, now: Date): Convergence {
  const primary = service.deployments.find((d) => d.isPrimary);
  const mark = parseDeploymentMark(service.tags[DEPLOYMENT_TAG]);
  if (
    !primary ||
    primary.taskDefinitionArn !== wanted.taskDefinitionArn ||
    service.taskDefinitionArn !== wanted.taskDefinitionArn ||
    primary.rolloutState === 'FAILED' ||
    primary.rolloutState === 'STOPPED' ||
    !runsWhere(service, wanted) ||
    !isSameJson(service.rollout ?? ROLLOUT, ROLLOUT)
  ) {
    return { change: 'deploy' };
  }
  const origin = originOf(primary, service, mark, now);
  // Another operation's deployment of the same revision is as good as ours, unless an operator's `retry` asks for one.
  const madeBy = mark?.operationId === wanted.operationId ? mark.generation : 1;
  if (origin === 'marked' && madeBy < wanted.generation) return { change: 'deploy' };
  if (origin === 'unknown' && wanted.generation > 1) return { change: 'deploy' };
  const { desiredCount, healthCheckGraceSeconds } = wanted;
  if (service.desiredCount !== desiredCount || service.healthCheckGraceSeconds !== healthCheckGraceSeconds)
    return { change: 'scale' };
  return { change: origin === 'lost-answer' ? 'mark' : 'none' };
}

/** Whether the service is in the network and behind the target group that are wanted now: both may have been corrected. */
function runsWhere({ network, targets }: EcsService, wanted: ServiceWanted): boolean {
  const [target, ...others] = targets;
  return (
    network?.assignPublicIp === false &&
    isSameSet(network.subnetIds, wanted.subnetIds) &&
    isSameSet(network.securityGroupIds, wanted.securityGroupIds) &&
    others.length === 0 &&
    target?.targetGroupArn === wanted.targetGroupArn &&
    target.containerName === wanted.containerName &&
    target.containerPort === wanted.containerPort
  );
}

function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  const plain = (list: readonly string[]) => [...new Set(list)].sort().join(' ');
  return plain(some) === plain(others);
}

function originOf(
  primary: EcsDeployment,
  service: EcsService,
  mark: DeploymentMark | undefined,
  now: Date,
): 'marked' | 'lost-answer' | 'unknown' {
  if (mark?.deploymentId === primary.id) return 'marked';
  const withService = Math.abs(primary.createdAt.getTime() - service.createdAt.getTime()) < WITH_SERVICE_MS;
  if (mark && mark.deploymentId === undefined && withService) return 'marked';
  return now.getTime() - primary.createdAt.getTime() < LOST_ANSWER_MS ? 'lost-answer' : 'unknown';
}
