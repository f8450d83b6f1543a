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
import { clusterName, imageRepository, type SeededTemplate } from './names.ts';
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
  template: SeededTemplate,
  settings: TemplateSettings,
): Promise<void> {
  await ensureLogGroup(clients, logGroupOf(template));
  const existing = await findService(clients, template);
  if (existing?.status !== 'ACTIVE') await createService(clients, template, settings);
  else if (existing.desiredCount === 0) {
    const { service } = template;
    await clients.ecs.send(
      new UpdateServiceCommand({ cluster: clusterName, service, desiredCount: 1, forceNewDeployment: true }),
    );
  }
}

/** Waits until the template's PRIMARY deployment is complete. @throws Error with the last state seen. */
export async function untilTemplateRuns(clients: SeedClients, template: SeededTemplate): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    const service = await findService(clients, template);
    const primary = service?.deployments?.find((d) => d.status === 'PRIMARY');
    if (primary?.rolloutState === 'COMPLETED') return;
    if (Date.now() > deadline) {
      throw new Error(`template ${template.service} does not run: ${JSON.stringify(primary ?? service?.status)}`);
    }
    await sleep(100);
  }
}

/** Registers a new revision of the template with this image tag and deploys it. Returns the revision's ARN. */
export async function deployTemplateImage(
  clients: SeedClients,
  template: SeededTemplate,
  tag: string,
): Promise<string> {
  const { service } = template;
  const running = await findService(clients, template);
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
  template: SeededTemplate,
  settings: TemplateSettings,
): Promise<void> {
  const { service } = template;
  const { region, accountId, network, roles } = settings;
  const made = await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: service,
      ...roles,
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '256',
      memory: '512',
      containerDefinitions: [containerOf(template, `${imageRepository(accountId, region, template)}:1.0`, region)],
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

function containerOf(template: SeededTemplate, image: string, region: string) {
  return {
    name: template.component,
    image,
    essential: true,
    portMappings: [{ containerPort: template.containerPort, protocol: 'tcp' as const }],
    environment: [
      { name: 'ENVIRONMENT', value: 'sandbox' },
      { name: 'AWS_REGION', value: region },
    ],
    logConfiguration: {
      logDriver: 'awslogs' as const,
      options: {
        'awslogs-group': logGroupOf(template),
        'awslogs-region': region,
        'awslogs-stream-prefix': template.component,
      },
    },
  };
}

function logGroupOf(template: SeededTemplate): string {
  return `/ecs/${template.service}`;
}

async function ensureLogGroup({ logs }: SeedClients, logGroupName: string): Promise<void> {
  await unlessFailed(logs.send(new CreateLogGroupCommand({ logGroupName })), 'ResourceAlreadyExistsException');
  await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: logRetentionDays }));
}

async function findService({ ecs }: SeedClients, template: SeededTemplate): Promise<Service | undefined> {
  const command = new DescribeServicesCommand({ cluster: clusterName, services: [template.service] });
  return (await ecs.send(command)).services?.[0];
}
