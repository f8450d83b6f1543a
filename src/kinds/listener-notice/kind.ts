import { z } from 'zod';
import type { FixedResponse, ListenerRule } from '../../aws/elbv2-rules.ts';
import { isOwnedBy, ownerOf, type Tags } from '../../aws/tags.ts';
import type { LoadBalancer } from '../../contracts/platform.ts';
import { StepError } from '../../contracts/step-error.ts';
import { markPriorityForeign, takeRulePriority, type PriorityBand } from '../../db/allocations.ts';
import { ownerIn } from '../../naming.ts';
import { defineKind } from '../framework/define-kind.ts';
import { changedFields } from '../framework/differences.ts';
import type { StepContext } from '../framework/kind.ts';
import { text } from '../framework/values.ts';
import { furtherConditions, movedRule } from '../listener-rule/differences.ts';
import { madePriority, moveBack } from '../listener-rule/place.ts';
import { rulePermissions, ruleType } from '../listener-rule/type.ts';
import { hasHostAlone, isNoticeOf } from './notice.ts';

/** `message` is what the tenant's users read, at most 1024 characters (AWS). */
const spec = z.strictObject({
  loadBalancerArn: text,
  host: text,
  message: z.string().min(1).max(1_024),
  /** Comes before every other notice. */
  isolates: z.literal(true).optional(),
});
const outputs = z.strictObject({ arn: z.string(), priority: z.number() });

type Context = StepContext<z.output<typeof spec>, z.output<typeof outputs>>;

/** Priorities of one attempt that may turn out to be somebody else's. */
const MAX_FOREIGN = 50;

/**
 * A rule that answers 503 at a tenant's host before any other rule of it (requirement U-37): its forwarding rules stay, so that ECS
 * keeps their target groups attached.
 */
export const listenerNotice = defineKind({
  name: 'listener-notice',
  type: 'elbv2:rule',
  noun: 'notice',
  spec,
  outputs,
  changeable: ['message'],
  swept: ruleType,
  permissions: rulePermissions,
  inCell: ({ loadBalancerArn, host }, within) => [...within.loadBalancer(loadBalancerArn), ...within.host(host)],
  namedBy: ({ host }) => host,
  nameOf: ({ spec: of }) => of.host,
  find,
  create,
  converge: async (context, found) => {
    const { aws, spec: of } = context;
    await moveBack(context, found, bandOf(of));
    if (!hasHostAlone(found, of.host)) await aws.loadBalancing.routeNotice(found.arn, of.host);
    if (!isSame(found.fixedResponse, responseOf(of))) await aws.loadBalancing.answerByRule(found.arn, responseOf(of));
  },
  status: ({ spec: of }, found) =>
    isNoticeOf(found, of.host) && isSame(found.fixedResponse, responseOf(of))
      ? { status: 'ready', detail: `answers 503 at priority ${found.priority}` }
      : { status: 'pending', detail: `rule at priority ${found.priority} answers something else, or for others` },
  differs({ previous, spec: of }, { fixedResponse: answered, hosts, paths, priority, ...rule }) {
    const wanted = responseOf(of);
    return [
      ...changedFields({
        status: [wanted.status, answered?.status],
        contentType: [wanted.contentType, answered?.contentType],
        message: [wanted.body, answered?.body],
      }),
      ...changedFields({
        host: [[of.host.toLowerCase()], hosts.map((host) => host.toLowerCase())],
        paths: [[], paths],
      }),
      ...movedRule(previous, priority),
      ...furtherConditions(rule),
    ];
  },
  outputsOf: (context, found) => ({ arn: found.arn, priority: madePriority(context, found) }),
  remove: ({ aws }, arn) => aws.loadBalancing.deleteRule(arn),
  idIn: ({ arn }) => arn,
});

type Found = ListenerRule & { readonly physicalId: string; readonly tags: Tags };

/**
 * The one that was made, whatever became of it, and rules of the host in the bands of notices: the step's own first. A tenant may have
 * another notice, of another step.
 */
async function find({ aws, previous, stepId, tags, ...context }: Context): Promise<Found | undefined> {
  const listed = await aws.loadBalancing.findRules(loadBalancerOf(context).httpsListenerArn);
  const same = listed
    .filter((rule) => isNoticeOf(rule, context.spec.host) || rule.arn === previous.arn)
    .sort((a, b) => Number(b.arn === previous.arn) - Number(a.arn === previous.arn));
  const held = await aws.loadBalancing.findRuleTags(same.map(({ arn }) => arn));
  const isOwn = (rule: Found) => isOwnedBy(rule.tags, ownerOf(tags));
  const isOfStep = (rule: Found) => rule.arn === previous.arn || !isOwn(rule) || ownerIn(rule.tags).stepId === stepId;
  const found = same
    .map((rule) => ({ ...rule, physicalId: rule.arn, tags: held.get(rule.arn) ?? {} }))
    .filter(isOfStep);
  return found.find(isOwn) ?? found[0];
}

function bandOf({ isolates }: Context['spec']): PriorityBand {
  return isolates ? 'isolation' : 'notice';
}

async function create(context: Context): Promise<Found> {
  const { aws, cell, db, spec: of, stepId, tags, tenant } = context;
  const { httpsListenerArn: listenerArn } = loadBalancerOf(context);
  const taken = new Set((await aws.loadBalancing.findRules(listenerArn)).map(({ priority }) => priority));
  const place = { cell: cell.id, listenerArn, tenantId: tenant.id, stepId };
  for (let foreign = 0; foreign < MAX_FOREIGN; foreign++) {
    const priority = await takeRulePriority(db, { ...place, band: bandOf(of) });
    if (!taken.has(priority)) {
      const response = responseOf(of);
      const rule = await aws.loadBalancing.createNotice({ listenerArn, priority, host: of.host, response, tags });
      if (rule) return { ...rule, physicalId: rule.arn, tags };
      // Made by an attempt without an answer, or by somebody else: the next attempt's look tells.
      throw new StepError('CONFLICT_RETRYABLE', `priority ${priority} for the notice of ${of.host} was taken just now`);
    }
    await markPriorityForeign(db, { ...place, priority });
  }
  throw new StepError(
    'CONFLICT_RETRYABLE',
    `${MAX_FOREIGN} priorities for the notice of ${of.host} are held by others`,
  );
}

function loadBalancerOf({ cell, spec: of }: Pick<Context, 'cell' | 'spec'>): LoadBalancer {
  const found = cell.loadBalancers.find((lb) => lb.arn === of.loadBalancerArn);
  if (found) return found;
  throw new StepError('OUTSIDE_CELL', `${of.loadBalancerArn} is no load balancer of cell ${cell.id}`);
}

function responseOf({ message }: Context['spec']): FixedResponse {
  return { status: '503', contentType: 'text/plain', body: message };
}

function isSame(found: FixedResponse | undefined, wanted: FixedResponse): boolean {
  return found?.status === wanted.status && found.contentType === wanted.contentType && found.body === wanted.body;
}
