import type { ECSClient } from '@aws-sdk/client-ecs';
import { createEcsServices, type EcsServices } from './ecs-services.ts';
import { createEcsTaskDefinitions, type EcsTaskDefinitions } from './ecs-task-definitions.ts';
import { createEcsTasks, type EcsTasks } from './ecs-tasks.ts';

/** ECS as a tenant's steps see it: one cluster, the cell's. */
export interface Ecs extends EcsServices, EcsTasks, EcsTaskDefinitions {
  /** The same in another cluster of the account: where a service was made before the cell got this one. */
  inCluster(cluster: string): Ecs;
}

export function createEcs(client: ECSClient, cluster: string): Ecs {
  return {
    ...createEcsServices(client, cluster),
    ...createEcsTasks(client, cluster),
    ...createEcsTaskDefinitions(client),
    inCluster: (other) => createEcs(client, other),
  };
}
