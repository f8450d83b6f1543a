import { DescribeClustersCommand, type ECSClient } from '@aws-sdk/client-ecs';
import { createEcsServices, type EcsServices } from './ecs-services.ts';
import { createEcsTaskDefinitions, type EcsTaskDefinitions } from './ecs-task-definitions.ts';
import { createEcsTasks, type EcsTasks } from './ecs-tasks.ts';
import { sent } from './errors.ts';

/** ECS as a tenant's steps see it: one cluster, the cell's. */
export interface Ecs extends EcsServices, EcsTasks, EcsTaskDefinitions {
  /** The cell's cluster; undefined when there is none of its name. */
  findCluster(): Promise<{ readonly arn: string; readonly active: boolean } | undefined>;
}

export function createEcs(client: ECSClient, cluster: string): Ecs {
  return {
    ...createEcsServices(client, cluster),
    ...createEcsTasks(client, cluster),
    ...createEcsTaskDefinitions(client),
    async findCluster() {
      const answer = await client.send(new DescribeClustersCommand({ clusters: [cluster] }));
      const call = { service: 'ecs', action: 'DescribeClusters' };
      const [found] = answer.clusters ?? [];
      return found && { arn: sent(found.clusterArn, call, 'clusterArn'), active: found.status === 'ACTIVE' };
    },
  };
}
