import { liveTasks, type Deployment, type Service, type Task } from './model.ts';

/** A service as DescribeServices answers it: upstream's description with the gateway's state on top. */
export function serviceView(service: Service, described = service.described): Record<string, unknown> {
  const live = liveTasks(service);
  const primary = service.deployments.find((d) => d.status === 'PRIMARY');
  return {
    ...described,
    status: service.status,
    desiredCount: service.desiredCount,
    runningCount: running(live),
    pendingCount: pending(live),
    ...(primary && { taskDefinition: primary.taskDefinition.arn }),
    loadBalancers: service.loadBalancers,
    healthCheckGracePeriodSeconds: service.gracePeriodSeconds,
    deployments: service.deployments.map((d) => deploymentView(service, d, described)),
    events: service.events.map((e) => ({ id: e.id, createdAt: seconds(e.createdAtMs), message: e.message })),
  };
}

/** A task as DescribeTasks answers it. */
export function taskView(service: Service, task: Task): Record<string, unknown> {
  return {
    taskArn: task.arn,
    clusterArn: service.clusterArn,
    taskDefinitionArn: task.taskDefinition.arn,
    group: `service:${service.name}`,
    startedBy: task.deploymentId,
    launchType: 'FARGATE',
    platformVersion: '1.4.0',
    cpu: task.taskDefinition.cpu,
    memory: task.taskDefinition.memory,
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    connectivity: 'CONNECTED',
    createdAt: seconds(task.createdAtMs),
    startedAt: optionalSeconds(task.startedAtMs),
    stoppingAt: optionalSeconds(task.stoppingAtMs),
    stoppedAt: optionalSeconds(task.stoppedAtMs),
    stoppedReason: task.stoppedReason,
    stopCode: task.stopCode,
    attachments: [
      {
        id: task.id,
        type: 'ElasticNetworkInterface',
        status: task.lastStatus === 'STOPPED' ? 'DELETED' : 'ATTACHED',
        details: [
          { name: 'subnetId', value: task.subnetId },
          { name: 'networkInterfaceId', value: task.networkInterfaceId },
          { name: 'privateIPv4Address', value: task.address.ip },
        ],
      },
    ],
    containers: task.containers.map((c) => ({
      containerArn: `${task.arn.replace(':task/', ':container/')}/${c.name}`,
      taskArn: task.arn,
      name: c.name,
      image: c.image,
      lastStatus: c.status,
      exitCode: c.exitCode,
      reason: c.reason,
      networkInterfaces: [{ attachmentId: task.id, privateIpv4Address: task.address.ip }],
    })),
  };
}

/** Tags that the service gives to its tasks. */
export function taskTags(service: Service): unknown {
  return service.described['propagateTags'] === 'SERVICE' ? (service.described['tags'] ?? []) : [];
}

function deploymentView(
  service: Service,
  d: Deployment,
  described: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const tasks = liveTasks(service).filter((t) => t.deploymentId === d.id);
  return {
    id: d.id,
    status: d.status,
    taskDefinition: d.taskDefinition.arn,
    desiredCount: d.desiredCount,
    runningCount: running(tasks),
    pendingCount: pending(tasks),
    failedTasks: d.failedTasks,
    createdAt: seconds(d.createdAtMs),
    updatedAt: seconds(d.updatedAtMs),
    launchType: described['launchType'],
    networkConfiguration: described['networkConfiguration'],
    rolloutState: d.rolloutState,
    rolloutStateReason: d.rolloutStateReason,
  };
}

const running = (tasks: readonly Task[]) => tasks.filter((t) => t.lastStatus === 'RUNNING').length;
const pending = (tasks: readonly Task[]) =>
  tasks.filter((t) => t.lastStatus === 'PROVISIONING' || t.lastStatus === 'PENDING').length;
// awsJson timestamps are seconds with a fraction.
const seconds = (ms: number) => ms / 1000;
const optionalSeconds = (ms: number | undefined) => (ms === undefined ? undefined : seconds(ms));
