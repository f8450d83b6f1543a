import { DescribeServicesCommand, ListServicesCommand, type ECSClient, type Service } from '@aws-sdk/client-ecs';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import type { Cell } from '../../contracts/platform.ts';
import { isAwsError, sent } from '../errors.ts';
import { tagsOf } from '../tags.ts';
import { allPages, chunks, retryTransient } from './pages.ts';

/** DescribeServices takes so many names a call (API reference). */
const NAMES_PER_CALL = 10;

export function serviceList(client: ECSClient, { cluster }: Cell): TypeList {
  return {
    async list() {
      const services = await describeServices(client, cluster, await listServiceArns(client, cluster));
      return services.map(toItem);
    },
    async find({ physicalId }) {
      const [found] = await describeServices(client, cluster, [physicalId]);
      return found && toItem(found);
    },
  };
}

/** ARNs of the cluster's services. */
export function listServiceArns(client: ECSClient, cluster: string): Promise<string[]> {
  return allPages(async (nextToken) => {
    const page = await client.send(new ListServicesCommand({ cluster, maxResults: 100, nextToken }));
    return {
      items: sent(page.serviceArns, { service: 'ecs', action: 'ListServices' }, 'serviceArns'),
      next: page.nextToken,
    };
  });
}

/** The services of these names or ARNs that are not INACTIVE, with their tags. */
export async function describeServices(
  client: ECSClient,
  cluster: string,
  services: readonly string[],
): Promise<Service[]> {
  const found: Service[] = [];
  for (const some of chunks(services, NAMES_PER_CALL)) {
    try {
      const answer = await retryTransient(() =>
        client.send(new DescribeServicesCommand({ cluster, services: some, include: ['TAGS'] })),
      );
      found.push(...sent(answer.services, call, 'services'));
    } catch (error) {
      if (!isAwsError(error, 'ServiceNotFoundException')) throw error;
    }
  }
  return found.filter((service) => service.status !== 'INACTIVE');
}

const call = { service: 'ecs', action: 'DescribeServices' };

function toItem(raw: Service): SweptItem {
  const physicalId = sent(raw.serviceArn, call, 'serviceArn');
  const tags = tagsOf(raw.tags);
  const status = sent(raw.status, call, 'status');
  return {
    type: 'ecs:service',
    physicalId,
    name: sent(raw.serviceName, call, 'serviceName'),
    tags,
    createdAt: raw.createdAt,
    passing: status === 'DRAINING' ? 'the service drains' : undefined,
    // Without its counts of tasks, which change by themselves.
    seen: {
      physicalId,
      tags,
      status,
      createdAt: raw.createdAt,
      taskDefinition: raw.taskDefinition,
      desiredCount: raw.desiredCount,
      targetGroups: (raw.loadBalancers ?? []).map((lb) => lb.targetGroupArn),
      deployment: raw.deployments?.find((d) => d.status === 'PRIMARY')?.id,
    },
  };
}
