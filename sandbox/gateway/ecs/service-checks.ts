import { DescribeClustersCommand } from '@aws-sdk/client-ecs';
import { AwsError } from '../answer.ts';
import { loadTargetGroup } from '../elb/target-group.ts';
import type { Call } from '../request.ts';
import type { ServiceParts } from './service-handlers.ts';
import type { CreateServiceInput } from './service-input.ts';

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
