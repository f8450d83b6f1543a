import { listAws } from '../inventory/aws/listing.ts';
import type {
  OwnedScalableTarget,
  OwnedScalingPolicy,
  OwnedService,
  OwnedStack,
} from '../inventory/aws/owned-things.ts';
import type { AwsScope, InventoryItem, InventoryScope } from '../inventory/inventory.ts';
import type { Stack } from './cloudformation/model.ts';
import type { StackStore } from './cloudformation/stack-store.ts';
import type { Service } from './ecs/model.ts';
import type { ServiceStore } from './ecs/service-store.ts';
import type { TargetHealth } from './elb/target-health.ts';
import type { ScalableTarget, ScalingPolicy } from './scaling/model.ts';
import type { Scaling } from './scaling/scaling.ts';
import type { TaskHost } from './task-host/task-host.ts';
import { anonymous, type Upstream } from './upstream.ts';

export interface InventoryParts {
  readonly upstream: Upstream;
  readonly services: ServiceStore;
  readonly stacks: StackStore;
  readonly scaling: Scaling;
  readonly host: TaskHost;
  readonly targets: TargetHealth;
}

/** Which part of AWS an inventory is of. */
export interface InventoryQuery {
  readonly scope?: InventoryScope | undefined;
  /** Accounts and regions besides those that have made a call to this gateway; those alone when absent. */
  readonly accounts?: readonly AwsScope[] | undefined;
}

/** The oracle's listing of AWS: asked straight of the upstream, past stages and call log, with what the gateway itself keeps. */
export async function takeInventory(parts: InventoryParts, query: InventoryQuery = {}): Promise<InventoryItem[]> {
  const { upstream, services, stacks, scaling, host, targets } = parts;
  const listeners = await host.listeners();
  const called = upstream.scopes().filter((scope) => scope.accountId !== anonymous);
  return listAws({
    endpointUrl: upstream.url.href,
    scopes: query.accounts?.length ? query.accounts : called,
    scope: query.scope,
    owned: {
      services: services.all().map(ownedService),
      stacks: stacks
        .all()
        .filter(({ deletedAt }) => !deletedAt)
        .map(ownedStack),
      scalableTargets: scaling.targets().map(ownedScalableTarget),
      scalingPolicies: scaling.policies().map(ownedScalingPolicy),
      targets: targets
        .all()
        .map(({ targetGroupArn, id, port, state }) => ({ targetGroupArn, address: `${id}:${port}`, state })),
      taskListeners: listeners.map(({ runId }) => ({ id: runId, serviceArn: serviceOfRun(services, runId)?.arn })),
    },
  });
}

/** Reads `?scope=tenants&account=<id>/<region>` of the control surface. */
export function inventoryQueryOf(params: URLSearchParams): InventoryQuery {
  const accounts = params.getAll('account').map((text) => {
    const [accountId = '', region = ''] = text.split('/');
    return { accountId, region };
  });
  return { scope: params.get('scope') === 'tenants' ? 'tenants' : 'all', accounts };
}

/** A container's run is `<task id>/<container>`. */
function serviceOfRun(services: ServiceStore, runId: string): Service | undefined {
  const [taskId] = runId.split('/');
  return services.all().find((service) => service.tasks.some((task) => task.id === taskId));
}

function ownedService(service: Service): OwnedService {
  const primary = service.deployments.find((d) => d.status === 'PRIMARY');
  return {
    scope: service.scope,
    arn: service.arn,
    status: service.status,
    desiredCount: service.desiredCount,
    taskDefinition: primary?.taskDefinition.arn ?? '',
    tasks: service.tasks.map((task) => ({
      arn: task.arn,
      status: task.lastStatus,
      taskDefinition: task.taskDefinition.arn,
    })),
  };
}

function ownedStack({ scope, id, name, status, terminationProtection, wish }: Stack): OwnedStack {
  return { scope, id, name, status, isProtected: terminationProtection, parameters: wish.parameters, tags: wish.tags };
}

function ownedScalableTarget({ scope, arn, key, minCapacity, maxCapacity, tags }: ScalableTarget): OwnedScalableTarget {
  const { ResourceId: resourceId, ScalableDimension: dimension } = key;
  return { scope, arn, resourceId, dimension, minCapacity, maxCapacity, tags };
}

function ownedScalingPolicy({ scope, arn, key, name, tracking }: ScalingPolicy): OwnedScalingPolicy {
  const { ResourceId: resourceId, ScalableDimension: dimension } = key;
  const metric = tracking.PredefinedMetricSpecification?.PredefinedMetricType;
  return { scope, arn, resourceId, dimension, name, targetValue: tracking.TargetValue, metric };
}
