import { DescribeClustersCommand } from '@aws-sdk/client-ecs';
import { AwsError } from '../answer.ts';
import { loadTargetGroup } from '../elb/target-group.ts';
import type { Call } from '../request.ts';
import type { ServiceParts } from './service-handlers.ts';
import type { LoadBalancerTarget, Service, TaskDefinition } from './model.ts';
import type { CreateServiceInput, UpdateServiceInput } from './service-input.ts';

/** MiniStack makes unknown clusters on the fly; AWS refuses them. @throws AwsError ClusterNotFoundException */
export async function requireCluster(parts: ServiceParts, call: Call, cluster: string): Promise<void> {
  await activeServices(parts, call, cluster);
}

/** A service's target groups must be there and receive traffic from a load balancer. */
export async function requireAttached(
  { upstream, routes }: ServiceParts,
  call: Call,
  input: Pick<CreateServiceInput, 'loadBalancers'>,
): Promise<void> {
  for (const { targetGroupArn } of input.loadBalancers ?? []) {
    if (!(await loadTargetGroup(upstream, call.scope, targetGroupArn))) {
      throw new AwsError(
        'InvalidParameterException',
        `The target group with targetGroupArn ${targetGroupArn} does not exist.`,
      );
    }
    if ((await routes.loadBalancersOf(call.scope, targetGroupArn)).length === 0) {
      throw new AwsError(
        'InvalidParameterException',
        `The target group with targetGroupArn ${targetGroupArn} does not have an associated load balancer.`,
      );
    }
  }
}

/** Whoever a service's requests go to must be in the task definition that it runs. */
export function requireContainers(targets: readonly LoadBalancerTarget[], { containers }: TaskDefinition): void {
  for (const { containerName, containerPort } of targets) {
    const container = containers.find(({ name }) => name === containerName);
    if (!container) {
      throw new AwsError(
        'InvalidParameterException',
        `The container ${containerName} does not exist in the task definition.`,
      );
    }
    if (!container.tcpPorts.includes(containerPort)) {
      throw new AwsError(
        'InvalidParameterException',
        `The container ${containerName} did not have a container port ${containerPort} defined.`,
      );
    }
  }
}

/** A volume that is configured at launch is configured by the service. */
export function requireVolumes(
  { volumeConfigurations }: Pick<CreateServiceInput, 'volumeConfigurations'>,
  { volumesAtLaunch }: TaskDefinition,
): void {
  const missing = volumesAtLaunch.find((name) => !volumeConfigurations?.some((volume) => volume.name === name));
  if (missing === undefined) return;
  throw new AwsError(
    'InvalidParameterException',
    `The task definition is configured with the launch volume ${missing}, which volumeConfigurations does not name.`,
  );
}

/** What only ECS's own deployments change; with another controller these settings belong to its task sets. */
const ofRollingDeployments = {
  taskDefinition: 'task definition',
  networkConfiguration: 'network parameters',
  loadBalancers: 'load balancers',
  forceNewDeployment: 'deployment',
} as const satisfies Partial<Record<keyof UpdateServiceInput, string>>;

/** A service that CodeDeploy or somebody else deploys takes no deployment from UpdateService (API reference). */
export function requireRolling({ described }: Pick<Service, 'described'>, input: UpdateServiceInput): void {
  const controller = controllerOf(described);
  if (controller === 'ECS') return;
  for (const [field, what] of Object.entries(ofRollingDeployments)) {
    const value = input[field as keyof typeof ofRollingDeployments];
    if (value === undefined || value === false) continue;
    throw new AwsError(
      'InvalidParameterException',
      `Unable to update ${what} on services with a ${controller} deployment controller.`,
    );
  }
}

/** `ECS`, `CODE_DEPLOY` or `EXTERNAL`. */
export function controllerOf(described: Readonly<Record<string, unknown>>): string {
  const { deploymentController: controller } = described;
  const type: unknown =
    typeof controller === 'object' && controller !== null ? Reflect.get(controller, 'type') : undefined;
  return typeof type === 'string' ? type : 'ECS';
}

/** Quotas of a service that is to be made; services that drain still count. */
export async function requireServiceRoom(parts: ServiceParts, call: Call, input: CreateServiceInput): Promise<void> {
  const { quotas, services } = parts;
  if (!quotas?.isOn) return;
  quotas.require('tasks-per-service', input.desiredCount ?? 1);
  const draining = services.inCluster(call.scope, input.cluster).filter((s) => s.status === 'DRAINING').length;
  quotas.require('services-per-cluster', (await activeServices(parts, call, input.cluster)) + draining + 1);
}

async function activeServices({ upstream }: ServiceParts, call: Call, cluster: string): Promise<number> {
  const { clusters = [] } = await upstream
    .clients(call.scope)
    .ecs.send(new DescribeClustersCommand({ clusters: [cluster] }));
  const found = clusters.find((c) => c.status === 'ACTIVE');
  if (!found) throw new AwsError('ClusterNotFoundException', 'Cluster not found.');
  return found.activeServicesCount ?? 0;
}
