import { setTimeout as sleep } from 'node:timers/promises';
import { CreateLogGroupCommand, PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeClustersCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
  type Service,
  type TaskDefinition,
} from '@aws-sdk/client-ecs';
import type { Roles } from './account.ts';
import { required, unlessFailed, type SeedClients } from './clients.ts';
import { clusterName, imageRepository, templates, type TemplateComponent } from './names.ts';
import type { Network } from './network.ts';

export interface TemplateSettings {
  readonly accountId: string;
  readonly region: string;
  readonly network: Network;
  readonly roles: Roles;
}

const readyWithinMs = 180_000;
const logRetentionDays = 30;

export async function ensureCluster({ ecs }: SeedClients): Promise<void> {
  const answer = await unlessFailed(
    ecs.send(new DescribeClustersCommand({ clusters: [clusterName] })),
    'ClusterNotFoundException',
  );
  if (answer?.clusters?.some((c) => c.status === 'ACTIVE')) return;
  await ecs.send(new CreateClusterCommand({ clusterName }));
}

/** A template service that runs; one that is there and idle (its gateway was restarted) is woken. */
export async function ensureTemplate(
  clients: SeedClients,
  component: TemplateComponent,
  settings: TemplateSettings,
): Promise<void> {
  await ensureLogGroup(clients, logGroupOf(component));
  const existing = await findService(clients, component);
  if (existing?.status !== 'ACTIVE') await createService(clients, component, settings);
  else if (existing.desiredCount === 0) {
    const { service } = templates[component];
    await clients.ecs.send(
      new UpdateServiceCommand({ cluster: clusterName, service, desiredCount: 1, forceNewDeployment: true }),
    );
  }
}

/** Waits until the template's PRIMARY deployment is complete. @throws Error with the last state seen. */
export async function untilTemplateRuns(clients: SeedClients, component: TemplateComponent): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    const service = await findService(clients, component);
    const primary = service?.deployments?.find((d) => d.status === 'PRIMARY');
    if (primary?.rolloutState === 'COMPLETED') return;
    if (Date.now() > deadline) {
      throw new Error(
        `template ${templates[component].service} does not run: ${JSON.stringify(primary ?? service?.status)}`,
      );
    }
    await sleep(100);
  }
}

/** Registers a new revision of the template with this image tag and deploys it. Returns the revision's ARN. */
export async function deployTemplateImage(
  clients: SeedClients,
  component: TemplateComponent,
  tag: string,
): Promise<string> {
  const { service } = templates[component];
  const running = await findService(clients, component);
  const { taskDefinition } = await clients.ecs.send(
    new DescribeTaskDefinitionCommand({
      taskDefinition: required(running?.taskDefinition, `template service ${service}`),
    }),
  );
  const arn = await registerWithTag(clients, required(taskDefinition, 'the template task definition'), tag);
  await clients.ecs.send(new UpdateServiceCommand({ cluster: clusterName, service, taskDefinition: arn }));
  return arn;
}

async function registerWithTag({ ecs }: SeedClients, current: TaskDefinition, tag: string): Promise<string> {
  const { family, taskRoleArn, executionRoleArn, networkMode, requiresCompatibilities, cpu, memory } = current;
  const containerDefinitions = current.containerDefinitions?.map((c) => ({
    ...c,
    image: `${(c.image ?? '').replace(/:[^:/]+$/, '')}:${tag}`,
  }));
  const made = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family,
      taskRoleArn,
      executionRoleArn,
      networkMode,
      requiresCompatibilities,
      cpu,
      memory,
      containerDefinitions,
    }),
  );
  return required(made.taskDefinition?.taskDefinitionArn, 'the ARN of the new revision');
}

async function createService(
  { ecs }: SeedClients,
  component: TemplateComponent,
  settings: TemplateSettings,
): Promise<void> {
  const { service } = templates[component];
  const { region, accountId, network, roles } = settings;
  const made = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: service,
      ...roles,
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '256',
      memory: '512',
      containerDefinitions: [containerOf(component, `${imageRepository(accountId, region, component)}:1.0`, region)],
    }),
  );
  await ecs.send(
    new CreateServiceCommand({
      cluster: clusterName,
      serviceName: service,
      taskDefinition: required(made.taskDefinition?.taskDefinitionArn, `the ARN of template ${service}`),
      desiredCount: 1,
      launchType: 'FARGATE',
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: [...network.subnetIds],
          securityGroups: [network.taskGroupId],
          assignPublicIp: 'DISABLED',
        },
      },
    }),
  );
}

function containerOf(component: TemplateComponent, image: string, region: string) {
  return {
    name: component,
    image,
    essential: true,
    portMappings: [{ containerPort: templates[component].containerPort, protocol: 'tcp' as const }],
    environment: [
      { name: 'ENVIRONMENT', value: 'template' },
      { name: 'AWS_REGION', value: region },
    ],
    logConfiguration: {
      logDriver: 'awslogs' as const,
      options: { 'awslogs-group': logGroupOf(component), 'awslogs-region': region, 'awslogs-stream-prefix': component },
    },
  };
}

function logGroupOf(component: TemplateComponent): string {
  return `/ecs/${templates[component].service}`;
}

async function ensureLogGroup({ logs }: SeedClients, logGroupName: string): Promise<void> {
  await unlessFailed(logs.send(new CreateLogGroupCommand({ logGroupName })), 'ResourceAlreadyExistsException');
  await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: logRetentionDays }));
}

async function findService({ ecs }: SeedClients, component: TemplateComponent): Promise<Service | undefined> {
  const command = new DescribeServicesCommand({ cluster: clusterName, services: [templates[component].service] });
  return (await ecs.send(command)).services?.[0];
}
