import type { ECSClient } from '@aws-sdk/client-ecs';
import { createEcsServices, type EcsServices } from './ecs-services.ts';

/** ECS as a tenant's steps see it: one cluster, the cell's. */
export type Ecs = EcsServices;

export function createEcs(client: ECSClient, cluster: string): Ecs {
  return createEcsServices(client, cluster);
}
