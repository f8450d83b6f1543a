import { setTimeout as sleep } from 'node:timers/promises';
import type { EcsService } from '../../aws/ecs-services.ts';
import type { TaskDefinitionRevision } from '../../aws/ecs-task-definitions.ts';
import { describeHolder, isOwnedBy, ownerOf } from '../../aws/tags.ts';
import { cloneTaskDefinition, type Clone } from '../../aws/task-definition-clone.ts';
import { contentHash } from '../../naming.ts';
import type { Kind, StepContext } from '../kind.ts';
import { StepError } from '../../contracts/step-error.ts';

/** The template's revision that a tenant's was cloned from: for drift checks. */
export const TEMPLATE_TAG = 'tenantry:template';
/** Hash of template revision and resolved spec: tells a revision that an unclear answer left from one of other inputs. */
export const DEFINITION_TAG = 'tenantry:definition';

/** A revision cloned from what the template service runs now (requirements R-ECS-01/02, U-21). */
export const taskDefinition: Kind<'task-definition'> = {
  resources: ({ spec }) => [{ type: 'ecs:task-definition', name: spec.family }],

  async fingerprint(context) {
    return (await templateService(context)).taskDefinitionArn;
  },

  async ensure(context) {
    const { aws, spec, tags } = context;
    const template = await templateRevision(context);
    const clone = cloneFor(context, template);
    const hash = contentHash({ template: template.arn, spec });
    const arn =
      (await findRegistered(context, hash)) ??
      (await aws.ecs.registerTaskDefinition(clone.definition, {
        ...tags,
        [TEMPLATE_TAG]: template.arn,
        [DEFINITION_TAG]: hash,
      }));
    const { containerName, containerPort } = clone;
    return {
      status: 'ready',
      outputs: { arn, templateArn: template.arn, containerName, containerPort },
      physicalIds: { [spec.family]: arn },
    };
  },

  async observe(context) {
    const { own, others } = await activeRevisions(context);
    return own.length > 0
      ? { status: 'ready', detail: `${own.length} active revision(s) of ${context.spec.family}` }
      : { status: 'absent', detail: `no active revision of ${context.spec.family} of this tenant`, others };
  },

  async remove(context) {
    const { own, others, known } = await activeRevisions(context);
    const arns = new Set(own.map((revision) => revision.arn));
    for (const arn of arns) await context.aws.ecs.deregisterTaskDefinition(arn);
    // The list may not hold yet what was deregistered just now, or by the attempt before.
    const listed = (await ownRevisions(context, 'INACTIVE')).map((revision) => revision.arn);
    const inactive = new Set([...listed, ...arns, ...(known ? [known.arn] : [])]);
    const residues = [...inactive].map((arn) => ({
      type: 'ecs:task-definition',
      name: arn.slice(arn.lastIndexOf('/') + 1),
      reason: 'ECS keeps revisions that were deregistered as INACTIVE',
      expiresAt: null,
    }));
    return { status: 'removed', others, residues, ...(residues.length === 0 && { missing: true }) };
  },
};

/** How long a list may lack what an attempt without an answer registered a moment before, in ms. */
const LISTED_WITHIN_MS = 4_000;
const LOOK_AGAIN_MS = 1_000;

/**
 * RegisterTaskDefinition has no idempotency: what an attempt without an answer registered is found by its hash. After such an
 * attempt one list without it is not believed, because it would be registered twice.
 */
async function findRegistered(context: StepContext<'task-definition'>, hash: string): Promise<string | undefined> {
  const untilMs = context.mayExist ? Date.now() + LISTED_WITHIN_MS : 0;
  for (;;) {
    const own = await ownRevisions(context, 'ACTIVE');
    const found = own.find((revision) => revision.tags[DEFINITION_TAG] === hash);
    if (found || Date.now() + LOOK_AGAIN_MS > untilMs) return found?.arn;
    await sleep(LOOK_AGAIN_MS, undefined, { signal: context.signal });
  }
}

async function templateService(context: StepContext<'task-definition'>): Promise<EcsService> {
  const { aws, cell, spec, tenant } = context;
  const name = spec.templateService;
  if (!Object.values(cell.templateServices[tenant.product] ?? {}).includes(name)) {
    throw new StepError('OUTSIDE_CELL', `cell ${cell.id} lists no template service "${name}" of ${tenant.product}`);
  }
  const found = await aws.ecs.findService(name);
  if (!found) {
    throw new StepError('TEMPLATE_NOT_FOUND', `template service "${name}" does not exist in cluster ${cell.cluster}`);
  }
  if (found.status !== 'ACTIVE') {
    throw new StepError('TEMPLATE_UNUSABLE', `template service "${name}" is ${found.status}`);
  }
  return found;
}

async function templateRevision(context: StepContext<'task-definition'>): Promise<TaskDefinitionRevision> {
  const service = await templateService(context);
  const revision = await context.aws.ecs.findTaskDefinition(service.taskDefinitionArn);
  if (!revision || (revision.definition.containerDefinitions ?? []).length === 0) {
    throw new StepError(
      'TEMPLATE_UNUSABLE',
      `template service "${service.name}" runs ${service.taskDefinitionArn}, which ${revision ? 'has no container' : 'does not exist'}`,
    );
  }
  return revision;
}

function cloneFor({ cell, spec, stepId }: StepContext<'task-definition'>, template: TaskDefinitionRevision): Clone {
  const environment = Object.fromEntries(Object.entries(spec.environment).map(([name, v]) => [name, String(v)]));
  return cloneTaskDefinition(template.definition, {
    family: spec.family,
    environment,
    secrets: spec.secrets,
    logGroup: spec.logGroup,
    logStreamPrefix: stepId.slice(stepId.indexOf(':') + 1),
    region: cell.region,
    allowedRoleArns: cell.allowedRoleArns,
    allowedImageRepositories: cell.allowedImageRepositories,
  });
}

/** Ours of the family, the others judged, and the revision that we know to have registered: the list may not hold it yet. */
async function activeRevisions({ aws, notOurs, previous, spec, tags }: StepContext<'task-definition'>) {
  const listed = await aws.ecs.findRevisions(spec.family, 'ACTIVE');
  const last = previous.arn === undefined ? undefined : await aws.ecs.findTaskDefinition(previous.arn);
  const byArn = new Map(
    [...listed, ...(last?.active === true ? [last] : [])].map((revision) => [revision.arn, revision]),
  );
  const isOwn = (revision: TaskDefinitionRevision) => isOwnedBy(revision.tags, ownerOf(tags));
  const others = [...byArn.values()]
    .filter((revision) => !isOwn(revision))
    .map(({ arn, tags: held }) => ({
      type: 'ecs:task-definition',
      name: spec.family,
      physicalId: arn,
      mark: describeHolder(held),
    }));
  const known = last && isOwn(last) ? last : undefined;
  return { own: [...byArn.values()].filter(isOwn), others: await notOurs(others), known };
}

async function ownRevisions({ aws, spec, tags }: StepContext<'task-definition'>, status: 'ACTIVE' | 'INACTIVE') {
  const revisions = await aws.ecs.findRevisions(spec.family, status);
  return revisions.filter((revision) => isOwnedBy(revision.tags, ownerOf(tags)));
}
