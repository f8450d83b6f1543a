import type { ContainerDefinition, TaskDefinition } from '@aws-sdk/client-ecs';
import { StepError } from '../contracts/step-error.ts';
import type { TaskDefinitionInput } from './ecs-task-definitions.ts';

export interface CloneRequest {
  readonly family: string;
  /** Wins over what the template gives. */
  readonly environment: Readonly<Record<string, string>>;
  /** Container secret name to secret ARN; wins over what the template gives. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly logGroup: string;
  readonly logStreamPrefix: string;
  readonly region: string;
  /** What containers of tenants may use (the cell's lists). */
  readonly allowedRoleArns: readonly string[];
  readonly allowedImageRepositories: readonly string[];
}

export interface Clone {
  readonly definition: TaskDefinitionInput;
  /** The container that the load balancer talks to: the first essential one with a port mapping. */
  readonly containerName: string;
  readonly containerPort: number;
}

/**
 * A tenant's task definition from a template's (requirements R-ECS-01/02, U-21). Pure.
 * @throws StepError TEMPLATE_UNUSABLE when Fargate could not run it behind a load balancer, OUTSIDE_CELL when it names a
 * role or an image that tenants of the cell may not use
 */
export function cloneTaskDefinition(template: TaskDefinition, request: CloneRequest): Clone {
  const { main, port } = mainContainer(template);
  refuseOutsideCell(template, request);
  return {
    definition: {
      ...writableFields(template),
      family: request.family,
      requiresCompatibilities: ['FARGATE'],
      containerDefinitions: (template.containerDefinitions ?? []).map((container) =>
        cloneContainer(container, container === main, request),
      ),
    },
    containerName: main.name,
    containerPort: port,
  };
}

/** All fields but those that AWS answers and does not take. Naming the read-only ones keeps what AWS adds later. */
function writableFields(template: TaskDefinition): Omit<TaskDefinitionInput, 'family' | 'containerDefinitions'> {
  const {
    taskDefinitionArn: _arn,
    family: _family,
    revision: _revision,
    status: _status,
    requiresAttributes: _requiresAttributes,
    compatibilities: _compatibilities,
    registeredAt: _registeredAt,
    registeredBy: _registeredBy,
    deregisteredAt: _deregisteredAt,
    deleteRequestedAt: _deleteRequestedAt,
    containerDefinitions: _containers,
    ...writable
  } = template;
  return writable;
}

type NamedContainer = ContainerDefinition & { name: string };

function mainContainer(template: TaskDefinition): { main: NamedContainer; port: number } {
  const unusable = (why: string) =>
    new StepError('TEMPLATE_UNUSABLE', `task definition ${template.taskDefinitionArn ?? '?'} of the template ${why}`);
  if (template.networkMode !== 'awsvpc') throw unusable('has no network mode awsvpc, which Fargate needs');
  if (!template.cpu || !template.memory) throw unusable('sets no cpu and memory for the task, which Fargate needs');
  for (const container of template.containerDefinitions ?? []) {
    const port = container.portMappings?.[0]?.containerPort;
    if (isNamed(container) && container.essential !== false && port !== undefined) return { main: container, port };
  }
  throw unusable('has no essential container with a port mapping');
}

function isNamed(container: ContainerDefinition): container is NamedContainer {
  return container.name !== undefined;
}

function refuseOutsideCell(template: TaskDefinition, request: CloneRequest): void {
  const from = template.taskDefinitionArn ?? '?';
  for (const role of [template.taskRoleArn, template.executionRoleArn]) {
    if (role && !request.allowedRoleArns.includes(role)) {
      throw new StepError('OUTSIDE_CELL', `${from} names role ${role}, which tenants of the cell may not use`);
    }
  }
  for (const { image } of template.containerDefinitions ?? []) {
    if (!image || !request.allowedImageRepositories.includes(imageRepository(image))) {
      throw new StepError(
        'OUTSIDE_CELL',
        `${from} names image ${image ?? '(none)'}, which is in none of the cell's image repositories`,
      );
    }
  }
}

/** An image's repository: the reference without tag and digest. */
export function imageRepository(image: string): string {
  const [reference = ''] = image.split('@');
  const colon = reference.lastIndexOf(':');
  // A colon before the last slash belongs to a registry's port.
  return colon > reference.lastIndexOf('/') ? reference.slice(0, colon) : reference;
}

function cloneContainer(container: ContainerDefinition, isMain: boolean, request: CloneRequest): ContainerDefinition {
  const has = new Set([
    ...(container.environment ?? []).map((e) => e.name),
    ...(container.secrets ?? []).map((s) => s.name),
  ]);
  // The main container gets every name; a sidecar only those that it had, so that none goes on with the template's.
  const given = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).filter(([name]) => isMain || has.has(name));
  const environment = given(request.environment);
  const secrets = given(request.secrets);
  // ECS refuses a name that is both; what is given wins over either.
  const overridden = new Set([...environment, ...secrets].map(([name]) => name));
  const kept = <T extends { name?: string | undefined }>(list: readonly T[] | undefined) =>
    (list ?? []).filter((entry) => !overridden.has(entry.name ?? ''));
  return {
    ...container,
    environment: [...kept(container.environment), ...environment.map(([name, value]) => ({ name, value }))],
    secrets: [...kept(container.secrets), ...secrets.map(([name, valueFrom]) => ({ name, valueFrom }))],
    logConfiguration: logConfiguration(container, request),
  };
}

function logConfiguration(container: ContainerDefinition, request: CloneRequest) {
  const template = container.logConfiguration?.logDriver === 'awslogs' ? container.logConfiguration.options : {};
  // The group is ours, with its retention; a container must not make one of another name by itself.
  const { 'awslogs-create-group': _createGroup, ...options } = template ?? {};
  return {
    logDriver: 'awslogs' as const,
    options: {
      ...options,
      'awslogs-group': request.logGroup,
      'awslogs-region': request.region,
      'awslogs-stream-prefix': request.logStreamPrefix,
    },
  };
}
