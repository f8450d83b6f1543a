import type { ContainerDefinition, TaskDefinition } from '@aws-sdk/client-ecs';
import { StepError } from '../contracts/step-error.ts';
import type { TaskDefinitionInput } from './ecs-task-definitions.ts';
import { findApp, type AppContainer } from './template-app.ts';
import { refuseUnclonable } from './template-check.ts';
import type { Template, TemplateUse } from './template.ts';

export interface CloneRequest {
  readonly family: string;
  /** Wins over what the template gives. */
  readonly environment: Readonly<Record<string, string>>;
  /** Container secret name to secret ARN; wins over what the template gives. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly logGroup: string;
  readonly logStreamPrefix: string;
  readonly region: string;
  /** Of the application's container; default: the template's. */
  readonly image?: string | undefined;
  /** Of the task, CPU in units and memory in MiB; default: the template's. */
  readonly size?: { readonly cpu: number; readonly memory: number } | undefined;
}

/** With the container that the load balancer talks to. */
export interface Clone extends AppContainer {
  readonly definition: TaskDefinitionInput;
}

/**
 * A tenant's task definition from a template's (requirements R-ECS-01/02, U-21). Pure.
 * @throws StepError TEMPLATE_UNUSABLE, OUTSIDE_CELL
 */
export function cloneTaskDefinition(template: Template, use: TemplateUse, request: CloneRequest): Clone {
  refuseUnclonable(template, use);
  const app = appOf(template);
  return { definition: cloneDefinition(template.definition, app, request), ...app };
}

/** The same from a definition that was looked at when it was cloned first. Pure. */
export function cloneDefinition(
  definition: TaskDefinition,
  { containerName }: Pick<AppContainer, 'containerName'>,
  request: CloneRequest,
): TaskDefinitionInput {
  return {
    ...writableFields(definition),
    ...(request.size && { cpu: String(request.size.cpu), memory: String(request.size.memory) }),
    family: request.family,
    requiresCompatibilities: ['FARGATE'],
    containerDefinitions: (definition.containerDefinitions ?? []).map((container) =>
      cloneContainer(container, container.name === containerName, request),
    ),
  };
}

/** Without the variables and secrets of these names. Pure. */
export function withoutNames(definition: TaskDefinition, names: ReadonlySet<string>): TaskDefinition {
  const kept = <T extends { name?: string | undefined }>(list: readonly T[] = []) =>
    list.filter(({ name = '' }) => !names.has(name));
  return {
    ...definition,
    containerDefinitions: definition.containerDefinitions?.map(({ environment, secrets, ...container }) => ({
      ...container,
      environment: kept(environment),
      secrets: kept(secrets),
    })),
  };
}

/** @throws StepError TEMPLATE_UNUSABLE */
export function appOf(template: Template): AppContainer {
  const app = findApp(template);
  if (!('problem' in app)) return app;
  throw new StepError('TEMPLATE_UNUSABLE', `template service "${template.service.name}" ${app.problem}`);
}

/**
 * All fields but those that AWS answers and does not take. Naming the read-only ones keeps every field that the SDK knows; a
 * template with one that it does not know was refused (`Template.unknownFields`).
 */
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

function cloneContainer(container: ContainerDefinition, isApp: boolean, request: CloneRequest): ContainerDefinition {
  const has = new Set([
    ...(container.environment ?? []).map((e) => e.name),
    ...(container.secrets ?? []).map((s) => s.name),
  ]);
  // The application gets every name; a sidecar only those that it had, so that none goes on with the template's.
  const given = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).filter(([name]) => isApp || has.has(name));
  const environment = given(request.environment);
  const secrets = given(request.secrets);
  // ECS refuses a name that is both; what is given wins over either.
  const overridden = new Set([...environment, ...secrets].map(([name]) => name));
  const kept = <T extends { name?: string | undefined }>(list: readonly T[] | undefined) =>
    (list ?? []).filter((entry) => !overridden.has(entry.name ?? ''));
  return {
    ...(isApp ? resized(container, request) : container),
    environment: [...kept(container.environment), ...environment.map(([name, value]) => ({ name, value }))],
    secrets: [...kept(container.secrets), ...secrets.map(([name, valueFrom]) => ({ name, valueFrom }))],
    logConfiguration: logConfiguration(container, request),
  };
}

/** Beside a size of the task the template's limits of the container would keep it from using that. */
function resized(container: ContainerDefinition, { image, size }: CloneRequest): ContainerDefinition {
  const { cpu: _cpu, memory: _memory, memoryReservation: _reservation, ...rest } = container;
  return { ...(size ? rest : container), ...(image !== undefined && { image }) };
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
