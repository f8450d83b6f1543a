import type { TaskDefinition } from '@aws-sdk/client-ecs';
import type { Cell, SharedWithTemplate } from '../contracts/platform.ts';
import type { Blueprint } from '../contracts/blueprint.ts';
import type { SpecOf } from '../contracts/kinds.ts';
import { StepError } from '../contracts/step-error.ts';
import type { Ecs } from './ecs.ts';
import type { EcsService } from './ecs-service.ts';

/** A service that tenants are cloned from, with the revision that it runs. */
export interface Template {
  readonly service: Pick<EcsService, 'name' | 'targets'>;
  readonly definition: TaskDefinition;
  readonly arn: string;
}

/** What a clone of a template is for: what it takes over, and what it may. */
export interface TemplateUse {
  /** Names of variables and secrets that the tenant's own values take. */
  readonly given: ReadonlySet<string>;
  /** Names that the product gives to any container of a tenant. */
  readonly perTenant: ReadonlySet<string>;
  readonly shared: SharedWithTemplate;
  readonly allowedRoleArns: readonly string[];
  readonly allowedImageRepositories: readonly string[];
}

type CloneSpec = { readonly [K in 'environment' | 'secrets']: Readonly<Record<string, unknown>> };

/** The use that a step makes of its template. */
export function templateUse(spec: CloneSpec, { steps, product }: Pick<Blueprint, 'steps' | 'product'>, cell: Cell) {
  const given = namesIn(spec);
  const others = steps.flatMap((step) => (step.kind === 'task-definition' ? namesIn(step.spec) : []));
  return {
    given: new Set(given),
    perTenant: new Set([...given, ...others]),
    shared: cell.sharedWithTemplate?.[product] ?? {},
    allowedRoleArns: cell.allowedRoleArns,
    allowedImageRepositories: cell.allowedImageRepositories,
  } satisfies TemplateUse;
}

/** Every use that a blueprint makes of a template, by the template service's name. */
export function templateUses(blueprint: Pick<Blueprint, 'steps' | 'product'>, cell: Cell) {
  return blueprint.steps.flatMap((step) =>
    step.kind === 'task-definition'
      ? [{ service: step.spec.templateService, use: templateUse(step.spec, blueprint, cell) }]
      : [],
  );
}

function namesIn({ environment, secrets }: CloneSpec | SpecOf<'task-definition'>): string[] {
  return [...Object.keys(environment), ...Object.keys(secrets)];
}

/** @throws StepError TEMPLATE_NOT_FOUND, TEMPLATE_UNUSABLE */
export async function findTemplate(ecs: Ecs, name: string): Promise<Template> {
  const service = await ecs.findService(name);
  if (!service || service.status === 'INACTIVE') {
    throw new StepError('TEMPLATE_NOT_FOUND', `template service "${name}" does not exist: deploy it`);
  }
  const unusable = (why: string) => new StepError('TEMPLATE_UNUSABLE', `template service "${name}" ${why}`);
  if (service.status !== 'ACTIVE') throw unusable(`is ${service.status}: deploy it anew`);
  const { taskDefinitionArn: arn, deploymentController } = service;
  if (arn === undefined) {
    throw unusable(
      `names no task definition (its deployment controller is ${deploymentController}): let ECS deploy it`,
    );
  }
  const revision = await ecs.findTaskDefinition(arn);
  if (!revision) throw unusable(`runs ${arn}, which does not exist: deploy it anew`);
  return { service, definition: revision.definition, arn: revision.arn };
}
