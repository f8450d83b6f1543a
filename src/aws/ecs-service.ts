import type { Deployment, Service } from '@aws-sdk/client-ecs';
import { sent, type AwsCall } from './errors.ts';
import { tagsOf, type Tags } from './tags.ts';

export interface EcsDeployment {
  readonly id: string;
  readonly isPrimary: boolean;
  readonly rolloutState: 'COMPLETED' | 'FAILED' | 'IN_PROGRESS' | 'STOPPED' | undefined;
  readonly rolloutStateReason: string | undefined;
  readonly taskDefinitionArn: string;
  readonly desiredCount: number;
  readonly runningCount: number;
  readonly failedTasks: number;
  readonly createdAt: Date;
}

/** Where a load balancer's requests for a service go. */
export interface ServiceTarget {
  readonly targetGroupArn: string | undefined;
  readonly containerName: string;
  readonly containerPort: number;
}

export interface ServiceNetwork {
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly assignPublicIp: boolean;
}

/** How a service goes from one deployment to the next. */
export interface ServiceRollout {
  /** A deployment whose tasks keep failing is given up, and the one before is taken up again. */
  readonly circuitBreaker: boolean;
  readonly minimumHealthyPercent: number | undefined;
  readonly maximumPercent: number | undefined;
}

/** How each service of a tenant goes from one deployment to the next (requirement U-23). */
export const ROLLOUT: ServiceRollout = { circuitBreaker: true, minimumHealthyPercent: 100, maximumPercent: 200 };

/** One line of a service's own log. */
export interface ServiceEvent {
  readonly at: Date | undefined;
  readonly message: string;
}

export interface EcsService {
  readonly arn: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  /** Undefined when something else than ECS deploys the service (CODE_DEPLOY, EXTERNAL): its task sets name theirs. */
  readonly taskDefinitionArn: string | undefined;
  readonly deploymentController: string;
  readonly desiredCount: number;
  readonly runningCount: number;
  readonly pendingCount: number;
  readonly deployments: readonly EcsDeployment[];
  readonly targets: readonly ServiceTarget[];
  /** Undefined for a service whose tasks have no network interface of their own. */
  readonly network: ServiceNetwork | undefined;
  readonly healthCheckGraceSeconds: number | undefined;
  /** Undefined where AWS does not say it. */
  readonly rollout?: ServiceRollout | undefined;
  /** Newest first, the last hundred. */
  readonly events: readonly ServiceEvent[];
  readonly createdAt: Date;
  readonly tags: Tags;
}

/** @throws StepError when a field is missing that AWS sends for every service */
export function toService(raw: Service, call: AwsCall): EcsService {
  const status = sent(raw.status, call, 'service.status');
  return {
    arn: sent(raw.serviceArn, call, 'service.serviceArn'),
    name: sent(raw.serviceName, call, 'service.serviceName'),
    status: status === 'ACTIVE' || status === 'DRAINING' ? status : 'INACTIVE',
    taskDefinitionArn: raw.taskDefinition,
    deploymentController: raw.deploymentController?.type ?? 'ECS',
    desiredCount: sent(raw.desiredCount, call, 'service.desiredCount'),
    runningCount: sent(raw.runningCount, call, 'service.runningCount'),
    pendingCount: raw.pendingCount ?? 0,
    deployments: (raw.deployments ?? []).map((d) => toDeployment(d, call)),
    targets: toTargets(raw),
    network: toNetwork(raw),
    healthCheckGraceSeconds: raw.healthCheckGracePeriodSeconds,
    rollout: toRollout(raw),
    events: (raw.events ?? []).map(({ createdAt, message }) => ({ at: createdAt, message: message ?? '' })),
    createdAt: sent(raw.createdAt, call, 'service.createdAt'),
    tags: tagsOf(raw.tags),
  };
}

function toTargets({ loadBalancers = [] }: Service): ServiceTarget[] {
  return loadBalancers.flatMap(({ targetGroupArn, containerName, containerPort }) =>
    containerName === undefined || containerPort === undefined
      ? []
      : [{ targetGroupArn, containerName, containerPort }],
  );
}

function toNetwork({ networkConfiguration }: Service): ServiceNetwork | undefined {
  const vpc = networkConfiguration?.awsvpcConfiguration;
  return (
    vpc && {
      subnetIds: vpc.subnets ?? [],
      securityGroupIds: vpc.securityGroups ?? [],
      assignPublicIp: vpc.assignPublicIp === 'ENABLED',
    }
  );
}

function toRollout({ deploymentConfiguration: config }: Service): ServiceRollout | undefined {
  if (!config) return undefined;
  const { deploymentCircuitBreaker: breaker, minimumHealthyPercent, maximumPercent } = config;
  return {
    circuitBreaker: breaker?.enable === true && breaker.rollback === true,
    minimumHealthyPercent,
    maximumPercent,
  };
}

function toDeployment(raw: Deployment, call: AwsCall): EcsDeployment {
  return {
    id: sent(raw.id, call, 'deployment.id'),
    isPrimary: sent(raw.status, call, 'deployment.status') === 'PRIMARY',
    rolloutState: rolloutStates.find((state) => state === raw.rolloutState),
    rolloutStateReason: raw.rolloutStateReason,
    taskDefinitionArn: sent(raw.taskDefinition, call, 'deployment.taskDefinition'),
    desiredCount: raw.desiredCount ?? 0,
    runningCount: raw.runningCount ?? 0,
    failedTasks: raw.failedTasks ?? 0,
    createdAt: sent(raw.createdAt, call, 'deployment.createdAt'),
  };
}

const rolloutStates = ['COMPLETED', 'FAILED', 'IN_PROGRESS', 'STOPPED'] as const;
