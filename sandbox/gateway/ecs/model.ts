import type { Scope } from '../request.ts';

export type RolloutState = 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
export type ServiceStatus = 'ACTIVE' | 'DRAINING' | 'INACTIVE';
export type TaskStatus = 'PROVISIONING' | 'PENDING' | 'RUNNING' | 'DEACTIVATING' | 'STOPPING' | 'STOPPED';
/** What became of a deployment, as ListServiceDeployments has it. */
export type DeploymentOutcome =
  'IN_PROGRESS' | 'SUCCESSFUL' | 'STOPPED' | 'ROLLBACK_IN_PROGRESS' | 'ROLLBACK_SUCCESSFUL';
export type StopCode = 'TaskFailedToStart' | 'EssentialContainerExited' | 'UserInitiated' | 'ServiceSchedulerInitiated';

/** What the gateway needs of a registered task definition. */
export interface TaskDefinition {
  readonly arn: string;
  readonly family: string;
  readonly cpu: string | undefined;
  readonly memory: string | undefined;
  readonly containers: readonly ContainerDefinition[];
  /** Volumes that whoever runs it has to configure. */
  readonly volumesAtLaunch: readonly string[];
}

export interface ContainerDefinition {
  readonly name: string;
  readonly image: string;
  readonly essential: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly { readonly name: string; readonly valueFrom: string }[];
  readonly tcpPorts: readonly number[];
  /** CloudWatch group that must be there before the task can start (not one that the task itself creates). */
  readonly logGroup: string | undefined;
}

export interface LoadBalancerTarget {
  readonly targetGroupArn: string;
  readonly containerName: string;
  readonly containerPort: number;
}

/** One deployment of a service; the scheduler changes it in place. */
export interface Deployment {
  readonly id: string;
  status: 'PRIMARY' | 'ACTIVE' | 'INACTIVE';
  readonly taskDefinition: TaskDefinition;
  /** Where its tasks are registered: the service's when it began. */
  readonly loadBalancers: readonly LoadBalancerTarget[];
  readonly subnetIds: readonly string[];
  desiredCount: number;
  failedTasks: number;
  rolloutState: RolloutState;
  rolloutStateReason: string;
  outcome: DeploymentOutcome;
  finishedAtMs: number | undefined;
  readonly createdAtMs: number;
  updatedAtMs: number;
  /** No launch before this moment (a task of this deployment failed just now). */
  nextLaunchAtMs: number;
}

export interface TaskContainer {
  readonly name: string;
  readonly image: string;
  readonly runId: string;
  status: 'PENDING' | 'RUNNING' | 'STOPPED';
  /** Set once the task host was asked to run it: from then on it ends with a report. */
  requested: boolean;
  exitCode: number | undefined;
  reason: string | undefined;
}

/** One task of a service; the task runner changes it in place. */
export interface Task {
  readonly arn: string;
  readonly id: string;
  readonly deploymentId: string;
  readonly taskDefinition: TaskDefinition;
  readonly loadBalancers: readonly LoadBalancerTarget[];
  /** Filled in once the address is taken; empty before. */
  readonly address: { ip: string };
  readonly subnetId: string;
  readonly networkInterfaceId: string;
  lastStatus: TaskStatus;
  desiredStatus: 'RUNNING' | 'STOPPED';
  readonly containers: TaskContainer[];
  readonly createdAtMs: number;
  startedAtMs: number | undefined;
  stoppingAtMs: number | undefined;
  stoppedAtMs: number | undefined;
  stoppedReason: string | undefined;
  stopCode: StopCode | undefined;
  /** Set once its targets are registered. */
  registered: boolean;
}

/** A service that the gateway owns. Its other fields live upstream. */
export interface Service {
  readonly scope: Scope;
  readonly cluster: string;
  readonly clusterArn: string;
  readonly name: string;
  readonly arn: string;
  /** The settings that it was created with, for idempotency. */
  readonly creation: { readonly clientToken: string | undefined; readonly fingerprint: string };
  status: ServiceStatus;
  desiredCount: number;
  subnetIds: readonly string[];
  loadBalancers: readonly LoadBalancerTarget[];
  gracePeriodSeconds: number;
  minimumHealthyPercent: number;
  maximumPercent: number;
  circuitBreaker: { readonly enable: boolean; readonly rollback: boolean };
  /** Newest first; the PRIMARY is the first. */
  deployments: Deployment[];
  /** Every deployment so far (the last hundred), newest first. */
  history: Deployment[];
  /** The deployment that a circuit breaker returns to. */
  lastCompleted: Deployment | undefined;
  tasks: Task[];
  events: { readonly id: string; readonly createdAtMs: number; readonly message: string }[];
  /** Upstream's description, overlaid when answered. */
  described: Readonly<Record<string, unknown>>;
}

/** The deployment that the service is meant to run. */
export function primaryOf(service: Service): Deployment {
  const primary = service.deployments.find((d) => d.status === 'PRIMARY');
  if (!primary) throw new Error(`service ${service.name} has no PRIMARY deployment`);
  return primary;
}

/** Tasks that still exist in some way. */
export function liveTasks(service: Service): Task[] {
  return service.tasks.filter((t) => t.lastStatus !== 'STOPPED');
}
