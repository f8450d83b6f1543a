import { DescribeTaskDefinitionCommand, type ContainerDefinition as SdkContainer } from '@aws-sdk/client-ecs';
import { AwsError } from '../answer.ts';
import type { UpstreamClients } from '../upstream.ts';
import type { Behavior, DemoPart } from '../task-host/messages.ts';
import type { ContainerDefinition, TaskDefinition } from './model.ts';

/** Reads a task definition upstream. @throws AwsError ClientException when it is missing or INACTIVE. */
export async function loadTaskDefinition(clients: UpstreamClients, reference: string): Promise<TaskDefinition> {
  const found = await clients.ecs
    .send(new DescribeTaskDefinitionCommand({ taskDefinition: reference }))
    .then((answer) => answer.taskDefinition)
    .catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ClientException') return undefined;
      throw error;
    });
  if (!found?.taskDefinitionArn) throw new AwsError('ClientException', 'TaskDefinition not found.');
  if (found.status === 'INACTIVE') throw new AwsError('ClientException', 'TaskDefinition is inactive');
  return {
    arn: found.taskDefinitionArn,
    family: found.family ?? '',
    cpu: found.cpu,
    memory: found.memory,
    containers: (found.containerDefinitions ?? []).map(readContainer),
    volumesAtLaunch: (found.volumes ?? []).flatMap((v) => (v.configuredAtLaunch === true ? [v.name ?? ''] : [])),
  };
}

function readContainer(container: SdkContainer): ContainerDefinition {
  const log = container.logConfiguration?.logDriver === 'awslogs' ? container.logConfiguration.options : undefined;
  return {
    name: container.name ?? '',
    image: container.image ?? '',
    essential: container.essential ?? true,
    environment: Object.fromEntries((container.environment ?? []).map((e) => [e.name ?? '', e.value ?? ''])),
    secrets: (container.secrets ?? []).map((s) => ({ name: s.name ?? '', valueFrom: s.valueFrom ?? '' })),
    tcpPorts: (container.portMappings ?? []).flatMap((p) =>
      p.containerPort === undefined || p.protocol === 'udp' ? [] : [p.containerPort],
    ),
    logGroup: log?.['awslogs-create-group'] === 'true' ? undefined : log?.['awslogs-group'],
  };
}

/** What an image does here, or why it cannot be pulled. */
export type Image = { readonly part: DemoPart; readonly behavior: Behavior } | { readonly pullError: string };

/**
 * The sandbox's registry: repositories whose name ends in `app`, `backend` or `frontend` hold that part of the demo application; tag
 * `unhealthy` fails its health checks, `crash` exits, `missing` is not there, any other tag is well.
 */
export function resolveImage(image: string): Image {
  const parsed = /^(?<repository>[^@]+?)(?::(?<tag>[\w][\w.-]*))?(?:@sha256:[0-9a-f]+)?$/.exec(image);
  const repository = parsed?.groups?.['repository'] ?? '';
  const tag = parsed?.groups?.['tag'] ?? 'latest';
  const part = demoParts.find((name) => new RegExp(`(?:^|[/-])${name}$`).test(repository));
  if (tag === 'missing' || part === undefined) return { pullError: pullError(image) };
  return { part, behavior: tag === 'unhealthy' || tag === 'crash' ? tag : 'healthy' };
}

const demoParts: readonly DemoPart[] = ['app', 'backend', 'frontend'];

/** Paths on which an unhealthy container of this part fails. */
export function healthPathsOf(part: DemoPart): readonly string[] {
  switch (part) {
    case 'app':
      return ['/', '/health', '/api/health'];
    case 'backend':
      return ['/health', '/api/health'];
    case 'frontend':
      return ['/', '/health'];
  }
}

function pullError(image: string): string {
  return `CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ${image}: ${image}: not found`;
}
