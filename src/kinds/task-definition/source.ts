import type { TaskDefinitionRevision } from '../../aws/ecs-task-definitions.ts';
import { isOwnedBy, ownerOf, type Tags } from '../../aws/tags.ts';
import {
  appOf,
  cloneDefinition,
  cloneTaskDefinition,
  withoutNames,
  type Clone,
  type CloneRequest,
} from '../../aws/task-definition-clone.ts';
import { findTemplate, type Template } from '../../aws/template.ts';
import { StepError } from '../../contracts/step-error.ts';
import { definitionOutputs, type DefinitionContext, type DefinitionOutputs } from './spec.ts';
import { templateUse } from './template-use.ts';

type TaskDefinition = TaskDefinitionRevision['definition'];

/** What is to be registered, and the template's revision that it comes from. */
export interface MadeDefinition extends Clone {
  readonly templateArn: string;
}

/** Says what the step's revision is cloned from; of what is applied it asks nobody. */
export async function sourceMark(context: DefinitionContext): Promise<string> {
  const applied = await keptOutputs(context);
  if (applied) return markOf(applied);
  const template = await templateOf(context);
  return markOf({ templateArn: template.arn, ...appOf(template) });
}

function markOf({ templateArn, containerName, containerPort }: Omit<DefinitionOutputs, 'arn'>): string {
  return `${templateArn} ${containerName}:${containerPort}`;
}

/**
 * From what the template ran when the applied revision was cloned; from what it runs now while nothing is applied, and where that is
 * asked for. @throws StepError TEMPLATE_NOT_FOUND, TEMPLATE_UNUSABLE, OUTSIDE_CELL
 */
export async function makeDefinition(context: DefinitionContext): Promise<MadeDefinition> {
  const { blueprint, cell, spec } = context;
  const request = requestOf(context);
  const applied = await keptOutputs(context);
  const base = applied && (await baseOf(context, applied));
  if (!applied || !base) {
    const template = await templateOf(context);
    return { ...cloneTaskDefinition(template, templateUse(spec, blueprint, cell), request), templateArn: template.arn };
  }
  const { templateArn, containerName, containerPort } = applied;
  // It was looked at when it was cloned first: a stricter rule of today keeps no credentials from being rotated.
  return { definition: cloneDefinition(base, applied, request), templateArn, containerName, containerPort };
}

/** Outputs when an operation of the tenant succeeded last, all of them; undefined before. */
export function appliedOutputs({ applied }: DefinitionContext): DefinitionOutputs | undefined {
  return definitionOutputs.safeParse(applied).data;
}

export function isOwn(context: DefinitionContext, tags: Tags): boolean {
  return isOwnedBy(tags, ownerOf(context.tags));
}

/** The applied ones, unless the template of now, or another template, is asked for. */
async function keptOutputs(context: DefinitionContext): Promise<DefinitionOutputs | undefined> {
  const { goesBack, otherSpec, refreshes, spec } = context;
  if (refreshes) return undefined;
  const isSameTemplate =
    goesBack === true || !otherSpec || (await otherSpec())?.templateService === spec.templateService;
  return isSameTemplate ? appliedOutputs(context) : undefined;
}

/** ECS describes what was deregistered, but not what was deleted: then the tenant's own revision still has it all. */
async function baseOf(
  context: DefinitionContext,
  { arn, templateArn }: DefinitionOutputs,
): Promise<TaskDefinition | undefined> {
  const { aws } = context;
  const template = await aws.ecs.findTaskDefinition(templateArn);
  if (template) return template.definition;
  const revision = await aws.ecs.findTaskDefinition(arn);
  return revision && isOwn(context, revision.tags) ? withoutGiven(context, revision.definition) : undefined;
}

/**
 * A tenant's revision without what its own spec gave and the new one does not. Undefined where that stands in the place of something
 * of the template, which only the template knows.
 */
async function withoutGiven(
  { goesBack, otherSpec, spec }: DefinitionContext,
  definition: TaskDefinition,
): Promise<TaskDefinition | undefined> {
  const given = goesBack === true ? undefined : await otherSpec?.();
  if (!given) return definition;
  const isUnset = (field: 'image' | 'cpu' | 'memory') => given[field] !== undefined && spec[field] === undefined;
  if (isUnset('image') || isUnset('cpu') || isUnset('memory')) return undefined;
  const wanted = new Set([...Object.keys(spec.environment), ...Object.keys(spec.secrets)]);
  const names = [...Object.keys(given.environment), ...Object.keys(given.secrets)];
  return withoutNames(definition, new Set(names.filter((name) => !wanted.has(name))));
}

async function templateOf({ aws, cell, spec, tenant }: DefinitionContext): Promise<Template> {
  const name = spec.templateService;
  if (!Object.values(cell.templateServices[tenant.product] ?? {}).includes(name)) {
    throw new StepError('OUTSIDE_CELL', `cell ${cell.id} lists no template service "${name}" of ${tenant.product}`);
  }
  return findTemplate(aws.ecs, name);
}

function requestOf({ cell, spec, stepId }: DefinitionContext): CloneRequest {
  const environment = Object.fromEntries(Object.entries(spec.environment).map(([name, v]) => [name, String(v)]));
  return {
    family: spec.family,
    environment,
    secrets: spec.secrets,
    logGroup: spec.logGroup,
    logStreamPrefix: stepId.slice(stepId.indexOf(':') + 1),
    region: cell.region,
    image: spec.image,
    size: spec.cpu === undefined || spec.memory === undefined ? undefined : { cpu: spec.cpu, memory: spec.memory },
  };
}
