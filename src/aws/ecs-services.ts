import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeServicesCommand,
  TagResourceCommand,
  UpdateServiceCommand,
  type ECSClient,
  type Service,
} from '@aws-sdk/client-ecs';
import { ROLLOUT, toService, type EcsService } from './ecs-service.ts';
import { isAwsError, sent } from './errors.ts';
import { lowerKeyValueList, type Tags } from './tags.ts';
import { sharedLook } from './watcher.ts';

/** What of a Fargate service behind a load balancer a new deployment takes over (requirement U-23). */
export interface ServiceSettings {
  readonly taskDefinitionArn: string;
  readonly desiredCount: number;
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly targetGroupArn: string;
  readonly containerName: string;
  readonly containerPort: number;
  readonly healthCheckGraceSeconds: number;
}

export interface ServiceRequest extends ServiceSettings {
  readonly name: string;
  readonly tags: Tags;
  /** Idempotency token, at most 36 characters. */
  readonly token: string;
}

/** What changes without a new deployment. */
export type ServiceScale = Pick<ServiceSettings, 'desiredCount' | 'healthCheckGraceSeconds'>;

export interface EcsServices {
  /** The service as it is, INACTIVE and DRAINING ones too; undefined when the cluster knows none of the name. Shared look. */
  findService(name: string): Promise<EcsService | undefined>;
  createService(request: ServiceRequest): Promise<EcsService>;
  /** A new deployment, also when the settings are those that the service has. */
  deployService(name: string, settings: ServiceSettings): Promise<EcsService>;
  scaleService(name: string, scale: ServiceScale): Promise<EcsService>;
  tagService(arn: string, tags: Tags): Promise<void>;
  /** Deletes with its tasks; missing and inactive ones are done (`false`: nothing was there to delete). */
  deleteService(name: string): Promise<boolean>;
}

const service = 'ecs';
const notThere = ['ServiceNotFoundException', 'ServiceNotActiveException', 'ClusterNotFoundException'] as const;

export function createEcsServices(client: ECSClient, cluster: string): EcsServices {
  const described = { service, action: 'DescribeServices' };
  // Shared as AWS answers them: one that cannot be read is the error of those who asked for it, not of the whole batch.
  const look = sharedLook<string, Service>({
    batchSize: 10,
    load: async (names) => {
      const answer = await client.send(
        new DescribeServicesCommand({ cluster, services: [...names], include: ['TAGS'] }),
      );
      const services = sent(answer.services, described, 'services');
      return new Map(services.flatMap((s) => (s.serviceName === undefined ? [] : [[s.serviceName, s] as const])));
    },
  });

  const update = async (name: string, changes: object) => {
    const answer = await client.send(new UpdateServiceCommand({ cluster, service: name, ...changes }));
    const call = { service, action: 'UpdateService' };
    return toService(sent(answer.service, call, 'service'), call);
  };

  return {
    async findService(name) {
      const found = await look(name);
      return found && toService(found, described);
    },

    async createService(request) {
      const answer = await client.send(new CreateServiceCommand(createInput(cluster, request)));
      const call = { service, action: 'CreateService' };
      return toService(sent(answer.service, call, 'service'), call);
    },

    deployService: (name, settings) => update(name, { ...settingsInput(settings), forceNewDeployment: true }),

    scaleService: (name, { desiredCount, healthCheckGraceSeconds }) =>
      update(name, { desiredCount, healthCheckGracePeriodSeconds: healthCheckGraceSeconds }),

    async tagService(arn, tags) {
      await client.send(new TagResourceCommand({ resourceArn: arn, tags: lowerKeyValueList(tags) }));
    },

    async deleteService(name) {
      try {
        await client.send(new DeleteServiceCommand({ cluster, service: name, force: true }));
        return true;
      } catch (error) {
        if (isAwsError(error, ...notThere)) return false;
        throw error;
      }
    },
  };
}

function createInput(cluster: string, request: ServiceRequest) {
  return {
    cluster,
    serviceName: request.name,
    clientToken: request.token,
    launchType: 'FARGATE' as const,
    tags: lowerKeyValueList(request.tags),
    ...settingsInput(request),
  };
}

/** The fields that CreateService and UpdateService have in common. */
function settingsInput(settings: ServiceSettings) {
  return {
    taskDefinition: settings.taskDefinitionArn,
    desiredCount: settings.desiredCount,
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: [...settings.subnetIds],
        securityGroups: [...settings.securityGroupIds],
        assignPublicIp: 'DISABLED' as const,
      },
    },
    deploymentConfiguration: {
      deploymentCircuitBreaker: { enable: ROLLOUT.circuitBreaker, rollback: ROLLOUT.circuitBreaker },
      minimumHealthyPercent: ROLLOUT.minimumHealthyPercent,
      maximumPercent: ROLLOUT.maximumPercent,
    },
    healthCheckGracePeriodSeconds: settings.healthCheckGraceSeconds,
    loadBalancers: [
      {
        targetGroupArn: settings.targetGroupArn,
        containerName: settings.containerName,
        containerPort: settings.containerPort,
      },
    ],
    enableECSManagedTags: true,
    propagateTags: 'SERVICE' as const,
  };
}
