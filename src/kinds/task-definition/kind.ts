import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskDefinitionRevision } from '../../aws/ecs-task-definitions.ts';
import { describeHolder, findOwner } from '../../aws/tags.ts';
import { refuseUnclonable } from '../../aws/template-check.ts';
import { findTemplate } from '../../aws/template.ts';
import { wasRemoved } from '../../db/ledger.ts';
import type { Difference } from '../../contracts/drift.ts';
import { contentHash } from '../../naming.ts';
import { StepError } from '../../contracts/step-error.ts';
import { changedFields, lostTags, missingThing } from '../framework/differences.ts';
import type { Kind } from '../framework/kind.ts';
import { fieldsOf } from '../framework/within.ts';
import { inputDifferences } from './differences.ts';
import { appliedOutputs, isOwn, makeDefinition, sourceMark } from './source.ts';
import {
  definitionOutputs,
  definitionSpec,
  type DefinitionContext,
  type DefinitionOutputs,
  type DefinitionSpec,
} from './spec.ts';
import { DEFINITION_KIND, templateUse } from './template-use.ts';
import { definitionType } from './type.ts';

/** The template's revision that a tenant's was cloned from: for drift checks. */
export const TEMPLATE_TAG = 'tenantry:template';
/** Hash of what was registered: tells a revision that an unclear answer left from one of other inputs. */
export const DEFINITION_TAG = 'tenantry:definition';

const inactiveReason =
  'ECS keeps revisions that were deregistered as INACTIVE, and AWS names no time at which it forgets them';

/**
 * A revision cloned from what the template service runs when the tenant is made (requirements R-ECS-01/02, U-21), and from the same
 * until an update refreshes it (docs/adr/0018).
 */
export const taskDefinition: Kind<DefinitionSpec, DefinitionOutputs, 'ecs:task-definition'> = {
  name: DEFINITION_KIND,
  spec: definitionSpec,
  outputs: definitionOutputs,
  // Each change is one more revision of the family.
  changeable: ['templateService', 'environment', 'secrets', 'logGroup', 'image', 'cpu', 'memory'],
  types: { 'ecs:task-definition': definitionType },
  calls: {
    // A repair retires the revision that it replaces.
    ensure: ['ecs:RegisterTaskDefinition', 'ecs:TagResource', 'ecs:DeregisterTaskDefinition'],
    remove: ['ecs:DeregisterTaskDefinition'],
  },
  residues: [{ type: 'ecs:task-definition', reason: inactiveReason, days: null }],
  permissions: [
    'ecs:DescribeServices',
    'ecs:DescribeTaskDefinition',
    'ecs:ListTaskDefinitions',
    'ecs:RegisterTaskDefinition',
    'ecs:TagResource',
    'ecs:DeregisterTaskDefinition',
    'iam:PassRole',
  ],
  inCell: ({ family, image, logGroup, secrets, templateService }, within) => [
    ...within.tenantName(family),
    ...within.templateService(templateService),
    ...Object.values(fieldsOf(secrets)).flatMap((arn) => within.secret(arn)),
    ...(logGroup === undefined ? [] : within.tenantName(logGroup, '/ecs/')),
    ...(image === undefined ? [] : within.image(image)),
  ],
  physicalNames: ({ family }) => [{ type: 'ecs:task-definition', name: family }],

  async foresee({ aws, blueprint, cell, spec }) {
    refuseUnclonable(await findTemplate(aws.ecs, spec.templateService), templateUse(spec, blueprint, cell));
  },

  resources: ({ spec }) => [{ type: 'ecs:task-definition', name: spec.family }],

  fingerprint: sourceMark,

  async ensure(context) {
    const { aws, spec, tags } = context;
    const before = context.goesBack ? await findApplied(context) : undefined;
    if (before) return before;
    const { definition, ...origin } = await makeDefinition(context);
    const hash = contentHash({ template: origin.templateArn, definition });
    const { found, own } = await findRegistered(context, hash);
    const arn =
      found ??
      (await aws.ecs.registerTaskDefinition(definition, {
        ...tags,
        [TEMPLATE_TAG]: origin.templateArn,
        [DEFINITION_TAG]: hash,
      }));
    return {
      status: 'ready',
      outputs: { arn, ...origin },
      physicalIds: { [spec.family]: arn },
      earlierIds: { [spec.family]: await retireAllBut(context, [arn, context.applied?.arn], own) },
    };
  },

  async observe(context) {
    const { previous, removingAt, spec } = context;
    const { own, others } = await activeRevisions(context);
    // An older revision beside the one that was made is not what was made.
    const made = removingAt === undefined ? previous.arn : undefined;
    const seen = made === undefined ? own : own.filter(({ arn }) => arn === made);
    return seen.length > 0
      ? { status: 'ready', detail: `${seen.length} active revision(s) of ${spec.family}` }
      : { status: 'absent', detail: `no active revision ${made ?? `of ${spec.family}`} of this tenant`, others };
  },

  async differs(context) {
    const { aws, previous, spec, tags } = context;
    const revision = previous.arn === undefined ? undefined : await aws.ecs.findTaskDefinition(previous.arn);
    if (revision?.active !== true) return [missingThing('ecs:task-definition', previous.arn ?? spec.family)];
    return [
      ...lostTags(tags, revision.tags),
      ...inputDifferences(spec, revision.definition, previous.containerName),
      ...(await templateDifferences(context)),
    ];
  },

  async remove(context) {
    const { own, others, known } = await activeRevisions(context);
    const arns = new Set(own.map((revision) => revision.arn));
    for (const arn of arns) await context.aws.ecs.deregisterTaskDefinition(arn);
    // The list may not hold yet what was deregistered just now, or by the attempt before.
    const listed = await context.aws.ecs.findLatestInactive(context.spec.family, ({ tags }) => isOwn(context, tags));
    const inactive = new Set([...listed.map(({ arn }) => arn), ...arns, ...(known ? [known.arn] : [])]);
    const residues = [...inactive].map((arn) => ({
      type: 'ecs:task-definition',
      name: arn.slice(arn.lastIndexOf('/') + 1),
      reason: inactiveReason,
      expiresAt: null,
    }));
    return { status: 'removed', others, residues, ...(residues.length === 0 && { missing: true }) };
  },
};

/** A template that went on is another release: a repair must not bring it. */
async function templateDifferences({ aws, previous, spec }: DefinitionContext): Promise<Difference[]> {
  const service = await aws.ecs.findService(spec.templateService);
  const runs = service?.status === 'ACTIVE' ? service.taskDefinitionArn : undefined;
  return changedFields({ template: [runs, previous.templateArn] }).map((one) => ({
    ...one,
    remedy: runs === undefined ? 'hand' : 'refresh',
  }));
}

/**
 * The revision that was applied, which an update leaves ACTIVE. Undefined where somebody deregistered it, and where it names what is no
 * more (a secret that had to be made anew has another ARN): then another is made of the same.
 */
async function findApplied(context: DefinitionContext) {
  const { aws, spec } = context;
  const outputs = appliedOutputs(context);
  if (!outputs) return undefined;
  const { arn, containerName } = outputs;
  const revision = await aws.ecs.findTaskDefinition(arn);
  if (revision?.active !== true || !isOwn(context, revision.tags)) return undefined;
  if (inputDifferences(spec, revision.definition, containerName).length > 0) return undefined;
  const active = await aws.ecs.findRevisions(spec.family, 'ACTIVE');
  await retireAllBut(
    context,
    [arn],
    active.filter(({ tags }) => isOwn(context, tags)).map((own) => own.arn),
  );
  return {
    status: 'ready' as const,
    outputs,
    physicalIds: { [spec.family]: arn },
  };
}

/**
 * Deregisters the tenant's revisions but these: while nothing is applied, none, because a service may run any of them. A service that
 * still runs one goes on (aws-facts). @returns those that stay beside the first
 */
async function retireAllBut(
  { applied, aws }: DefinitionContext,
  [made, ...others]: readonly (string | undefined)[],
  own: readonly string[],
): Promise<string[]> {
  const rest = own.filter((arn) => arn !== made);
  if (applied?.arn === undefined) return rest;
  const kept = rest.filter((arn) => others.includes(arn));
  for (const arn of rest) if (!kept.includes(arn)) await aws.ecs.deregisterTaskDefinition(arn);
  return kept;
}

/** How long a list may lack what an attempt without an answer registered a moment before, in ms. */
const LISTED_WITHIN_MS = 4_000;
const LOOK_AGAIN_MS = 1_000;

/**
 * RegisterTaskDefinition has no idempotency: what an attempt without an answer registered is found by its hash. After such an
 * attempt one list without it is not believed, because it would be registered twice.
 */
async function findRegistered(
  context: DefinitionContext,
  hash: string,
): Promise<{ found: string | undefined; own: string[] }> {
  const untilMs = context.mayExist ? Date.now() + LISTED_WITHIN_MS : 0;
  for (;;) {
    const active = await context.aws.ecs.findRevisions(context.spec.family, 'ACTIVE');
    await refuseForeign(context, active);
    const own = active.filter(({ tags }) => isOwn(context, tags));
    const alike = own.filter(({ tags }) => tags[DEFINITION_TAG] === hash);
    // A late answer may have left a second one. The one that was given to the service stays.
    const found = alike.find(({ arn }) => arn === context.previous.arn) ?? alike[0];
    if (found) await dropDuplicates(context, found, alike);
    if (found || Date.now() + LOOK_AGAIN_MS > untilMs) return { found: found?.arn, own: own.map(({ arn }) => arn) };
    await sleep(LOOK_AGAIN_MS, undefined, { signal: context.signal });
  }
}

/** Only beside one that is known: another attempt may be about to tell of one that is not. */
async function dropDuplicates(
  { aws, previous }: DefinitionContext,
  kept: TaskDefinitionRevision,
  alike: readonly TaskDefinitionRevision[],
): Promise<void> {
  if (kept.arn !== previous.arn) return;
  for (const { arn } of alike) if (arn !== kept.arn) await aws.ecs.deregisterTaskDefinition(arn);
}

/**
 * Whoever runs "the newest revision of the family" would run the tenant's. INACTIVE ones keep nobody from a name; nor do those of
 * an earlier tenant of the slug that was removed, which nothing of ours runs.
 */
async function refuseForeign(context: DefinitionContext, active: readonly TaskDefinitionRevision[]): Promise<void> {
  const { db, installationId, spec } = context;
  const resource = { type: 'ecs:task-definition', name: spec.family };
  for (const { arn, tags } of active) {
    if (isOwn(context, tags)) continue;
    const owner = findOwner(tags);
    if (owner?.installationId === installationId && (await wasRemoved(db, owner.tenantId, resource))) continue;
    throw new StepError('OWNERSHIP_CONFLICT', `task definition family "${spec.family}" is somebody else's`, {
      detail: `${arn} is ACTIVE: ${describeHolder(tags)}`,
    });
  }
}

/** Ours of the family, the others judged, and the revision that we know to have registered: the list may not hold it yet. */
async function activeRevisions(context: DefinitionContext) {
  const { aws, notOurs, previous, spec } = context;
  const listed = await aws.ecs.findRevisions(spec.family, 'ACTIVE');
  const last = previous.arn === undefined ? undefined : await aws.ecs.findTaskDefinition(previous.arn);
  const byArn = new Map(
    [...listed, ...(last?.active === true ? [last] : [])].map((revision) => [revision.arn, revision]),
  );
  const isOurs = ({ tags }: TaskDefinitionRevision) => isOwn(context, tags);
  const others = [...byArn.values()]
    .filter((revision) => !isOurs(revision))
    .map(({ arn, tags: held }) => ({
      type: 'ecs:task-definition',
      name: spec.family,
      physicalId: arn,
      mark: describeHolder(held),
    }));
  const known = last && isOurs(last) ? last : undefined;
  return { own: [...byArn.values()].filter(isOurs), others: await notOurs(others), known };
}
