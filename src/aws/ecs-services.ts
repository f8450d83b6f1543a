import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeServicesCommand,
  TagResourceCommand,
  UpdateServiceCommand,
  type Deployment,
  type ECSClient,
  type Service,
} from '@aws-sdk/client-ecs';
import { isAwsError, sent, type AwsCall } from './errors.ts';
import { lowerKeyValueList, tagsOf, type Tags } from './tags.ts';
import { sharedLook } from './watcher.ts';

export interface EcsDeployment {
  readonly id: string;
  readonly isPrimary: boolean;
  readonly rolloutState: 'COMPLETED' | 'FAILED' | 'IN_PROGRESS' | 'STOPPED' | undefined;
  readonly rolloutStateReason: string | undefined;
  readonly taskDefinitionArn: string;
  readonly desiredCount: number;
  readonly runningCount: number;
  readonly failedTasks: number;
  readonly createdAt: Date;
}

export interface EcsService {
  readonly arn: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  readonly taskDefinitionArn: string;
  readonly desiredCount: number;
  readonly runningCount: number;
  readonly pendingCount: number;
  readonly deployments: readonly EcsDeployment[];
  readonly targetGroupArns: readonly string[];
  readonly createdAt: Date;
  readonly tags: Tags;
}

/** A Fargate service behind a load balancer, with the settings of requirement U-23. */
export interface ServiceRequest {
  readonly name: string;
  readonly taskDefinitionArn: string;
  readonly desiredCount: number;
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly targetGroupArn: string;
  readonly containerName: string;
  readonly containerPort: number;
  readonly healthCheckGraceSeconds: number;
  readonly tags: Tags;
  /** Idempotency token, at most 36 characters. */
  readonly token: string;
}

export interface ServiceChange {
  readonly name: string;
  readonly taskDefinitionArn?: string;
  readonly desiredCount?: number;
  readonly forceNewDeployment?: boolean;
}

export interface EcsServices {
  /** The service as it is, INACTIVE and DRAINING ones too; undefined when the cluster knows none of the name. Shared look. */
  findService(name: string): Promise<EcsService | undefined>;
  createService(request: ServiceRequest): Promise<EcsService>;
  updateService(change: ServiceChange): Promise<EcsService>;
  tagService(arn: string, tags: Tags): Promise<void>;
  /** Deletes with its tasks; missing and inactive ones are done (`false`: nothing was there to delete). */
  deleteService(name: string): Promise<boolean>;
}

const service = 'ecs';
const notThere = ['ServiceNotFoundException', 'ServiceNotActiveException', 'ClusterNotFoundException'] as const;

export function createEcsServices(client: ECSClient, cluster: string): EcsServices {
  const findService = sharedLook<string, EcsService>({
    batchSize: 10,
    load: async (names) => {
      const answer = await client.send(
        new DescribeServicesCommand({ cluster, services: [...names], include: ['TAGS'] }),
      );
      const call = { service, action: 'DescribeServices' };
      return new Map(
        sent(answer.services, call, 'services').map((s) => {
          const found = toService(s, call);
          return [found.name, found] as const;
        }),
      );
    },
  });

  return {
    findService,

    async createService(request) {
      const answer = await client.send(new CreateServiceCommand(createInput(cluster, request)));
      const call = { service, action: 'CreateService' };
      return toService(sent(answer.service, call, 'service'), call);
    },

    async updateService({ name, taskDefinitionArn, desiredCount, forceNewDeployment }) {
      const answer = await client.send(
        new UpdateServiceCommand({
          cluster,
          service: name,
          taskDefinition: taskDefinitionArn,
          desiredCount,
          forceNewDeployment,
        }),
      );
      const call = { service, action: 'UpdateService' };
      return toService(sent(answer.service, call, 'service'), call);
    },

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
    taskDefinition: request.taskDefinitionArn,
    desiredCount: request.desiredCount,
    launchType: 'FARGATE' as const,
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: [...request.subnetIds],
        securityGroups: [...request.securityGroupIds],
        assignPublicIp: 'DISABLED' as const,
      },
    },
    deploymentConfiguration: {
      deploymentCircuitBreaker: { enable: true, rollback: true },
      minimumHealthyPercent: 100,
      maximumPercent: 200,
    },
    healthCheckGracePeriodSeconds: request.healthCheckGraceSeconds,
    loadBalancers: [
      {
        targetGroupArn: request.targetGroupArn,
        containerName: request.containerName,
        containerPort: request.containerPort,
      },
    ],
    enableECSManagedTags: true,
    propagateTags: 'SERVICE' as const,
    tags: lowerKeyValueList(request.tags),
  };
}

function toService(raw: Service, call: AwsCall): EcsService {
  const status = sent(raw.status, call, 'service.status');
  return {
    arn: sent(raw.serviceArn, call, 'service.serviceArn'),
    name: sent(raw.serviceName, call, 'service.serviceName'),
    status: status === 'ACTIVE' || status === 'DRAINING' ? status : 'INACTIVE',
    taskDefinitionArn: sent(raw.taskDefinition, call, 'service.taskDefinition'),
    desiredCount: sent(raw.desiredCount, call, 'service.desiredCount'),
    runningCount: sent(raw.runningCount, call, 'service.runningCount'),
    pendingCount: raw.pendingCount ?? 0,
    deployments: (raw.deployments ?? []).map((d) => toDeployment(d, call)),
    targetGroupArns: (raw.loadBalancers ?? []).flatMap((l) => l.targetGroupArn ?? []),
    createdAt: sent(raw.createdAt, call, 'service.createdAt'),
    tags: tagsOf(raw.tags),
  };
}

function toDeployment(raw: Deployment, call: AwsCall): EcsDeployment {
  return {
    id: sent(raw.id, call, 'deployment.id'),
    isPrimary: sent(raw.status, call, 'deployment.status') === 'PRIMARY',
    rolloutState: rolloutStates.find((state) => state === raw.rolloutState),
    rolloutStateReason: raw.rolloutStateReason,
    taskDefinitionArn: sent(raw.taskDefinition, call, 'deployment.taskDefinition'),
    desiredCount: raw.desiredCount ?? 0,
    runningCount: raw.runningCount ?? 0,
    failedTasks: raw.failedTasks ?? 0,
    createdAt: sent(raw.createdAt, call, 'deployment.createdAt'),
  };
}

const rolloutStates = ['COMPLETED', 'FAILED', 'IN_PROGRESS', 'STOPPED'] as const;
