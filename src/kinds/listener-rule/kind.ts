import type { ListenerRule } from '../../aws/elbv2-rules.ts';
import { describeHolder, findOwner, isOfInstallation, isOwnedBy, ownerOf } from '../../aws/tags.ts';
import type { LoadBalancer } from '../../contracts/platform.ts';
import { markPriorityForeign, priorityBands, takeRulePriority, type PriorityBand } from '../../db/allocations.ts';
import type { Difference } from '../../contracts/drift.ts';
import { listMade } from '../../db/ledger.ts';
import { StepError } from '../../contracts/step-error.ts';
import { refusalOf } from '../framework/foreign.ts';
import type { Kind } from '../framework/kind.ts';
import { ruleDifferences } from './differences.ts';
import { madePriority, moveBack } from './place.ts';
import { refuseShadowed } from './precedence.ts';
import { describeRule, forwardsOnlyTo } from './reach.ts';
import { ruleOutputs, ruleSpec, type RuleContext as Context, type RuleOutputs, type RuleSpec } from './spec.ts';
import { rulePermissions, ruleType } from './type.ts';

/** CreateRule calls of one attempt that may find their priority taken; the next attempt goes on with the ones after. */
const MAX_CREATES = 4;
/** Priorities of one attempt that may be given up because the listener's list shows a foreign rule there. */
const MAX_FOREIGN = 200;

/** A rule of the cell's HTTPS listener: host and paths, or the host alone (design rule 14). */
export const listenerRule: Kind<RuleSpec, RuleOutputs, 'elbv2:rule'> = {
  name: 'listener-rule',
  spec: ruleSpec,
  outputs: ruleOutputs,
  changeable: ['targetGroupArn'],
  types: { 'elbv2:rule': ruleType },
  loadBalancerShare: { rules: 1 },
  permissions: rulePermissions,
  inCell: ({ loadBalancerArn, host }, within) => [...within.loadBalancer(loadBalancerArn), ...within.host(host)],
  physicalNames: ({ loadBalancerArn, host, paths }) => {
    const key = `${nameOf({ host: host.toLowerCase(), paths: [...paths].sort() })} on ${loadBalancerArn}`;
    return [{ type: 'elbv2:rule', name: nameOf({ host, paths }), key }];
  },
  resources: ({ spec }) => [{ type: 'elbv2:rule', name: nameOf(spec) }],

  fingerprint: (context) => Promise.resolve(loadBalancerOf(context).httpsListenerArn),

  async ensure(context) {
    const { httpsListenerArn } = loadBalancerOf(context);
    const rule = (await adoptRule(context, httpsListenerArn)) ?? (await createRule(context, httpsListenerArn));
    const { arn, priority } = rule;
    return { status: 'ready', outputs: { arn, priority }, physicalIds: { [nameOf(context.spec)]: arn } };
  },

  async observe(context) {
    const { listed, own, others } = await findSameRules(context);
    const { removingAt, spec } = context;
    const [any] = own;
    if (!any) return { status: 'absent', detail: `no rule for ${nameOf(spec)} of this tenant`, others };
    if (removingAt !== undefined) return { status: 'ready', detail: `${describeRule(any)} is there` };
    const rule = listed.find((one) => own.includes(one) && doesWhatIsAsked(one, spec));
    if (!rule) return { status: 'pending', detail: describeAstray(any, spec) };
    await refuseShadowedAt(context, listed, rule.priority);
    return { status: 'ready', detail: `rule for ${nameOf(spec)} at priority ${rule.priority}` };
  },

  async differs(context) {
    const { listed, same, tagsOf } = await lookAtSameRules(context);
    const found = ruleDifferences(context, { name: nameOf(context.spec), same, tagsOf });
    const rule = listed.find((one) => same.includes(one) && doesWhatIsAsked(one, context.spec));
    return [...found, ...(rule ? await shadowDifferences(context, listed, rule.priority) : [])];
  },

  async remove(context) {
    const { aws, previous } = context;
    const { same, own, others } = await findSameRules(context);
    // The one that we know to have made too: right after that the list may not hold it yet. No ARN is given twice.
    const arns = new Set([...own.map((rule) => rule.arn), ...(previous.arn === undefined ? [] : [previous.arn])]);
    for (const arn of arns) await aws.loadBalancing.deleteRule(arn);
    return { status: 'removed', others, ...(same.length + arns.size === 0 && { missing: true }) };
  },
};

/** As the ledger has it. */
function nameOf(spec: Pick<Context['spec'], 'host' | 'paths'>): string {
  return spec.host + spec.paths.join(',');
}

function loadBalancerOf({ cell, spec }: Context): LoadBalancer {
  const found = cell.loadBalancers.find((lb) => lb.arn === spec.loadBalancerArn);
  if (found) return found;
  throw new StepError('OUTSIDE_CELL', `${spec.loadBalancerArn} is no load balancer of cell ${cell.id}`);
}

/**
 * The tenant's rule: the one that was made, whatever became of it, or one of the same host and paths; brought to what the spec says.
 * Undefined when there is none.
 */
async function adoptRule(context: Context, listenerArn: string): Promise<ListenerRule | undefined> {
  const { aws, previous, spec, tags } = context;
  const listed = await aws.loadBalancing.findRules(listenerArn);
  const same = listed.filter((rule) => hasSameConditions(rule, spec) || rule.arn === previous.arn);
  const ruleTags = await aws.loadBalancing.findRuleTags(same.map((rule) => rule.arn));
  for (const rule of same) {
    const held = ruleTags.get(rule.arn) ?? {};
    if (isOwnedBy(held, ownerOf(tags))) continue;
    throw await refusalOf(context, {
      resource: { type: 'elbv2:rule', name: nameOf(spec) },
      message: `somebody else's rule of the listener is for ${nameOf(spec)}`,
      detail: `${rule.arn} at priority ${rule.priority}: ${describeHolder(held)}`,
      owner: findOwner(held),
    });
  }
  const rule = same.find(({ arn }) => arn === previous.arn) ?? same.sort((a, b) => a.priority - b.priority)[0];
  return rule && bringBack(context, listed, rule);
}

/** In its place: a second rule would leave this one behind. */
async function bringBack(
  context: Context,
  listed: readonly ListenerRule[],
  found: ListenerRule,
): Promise<ListenerRule> {
  const { aws, spec } = context;
  await refuseShadowedAt(context, listed, madePriority(context, found));
  const rule = { ...found, priority: await moveBack(context, found, bandOf(spec)) };
  if (!doesWhatIsAsked(rule, spec)) await aws.loadBalancing.routeRule(rule.arn, spec);
  return rule;
}

function bandOf({ paths }: Context['spec']): PriorityBand {
  return paths.length > 0 ? 'path' : 'host';
}

/** @throws StepError RULE_SHADOWED when an earlier rule would answer in the place of the tenant's at this priority */
function refuseShadowedAt(context: Context, listed: readonly ListenerRule[], priority: number): Promise<void> {
  const { host, paths } = context.spec;
  return refuseShadowed(context, loadBalancerOf(context), listed, { host, paths, priority });
}

async function createRule(context: Context, listenerArn: string): Promise<ListenerRule> {
  const { aws, spec, tags } = context;
  for (let created = 0; created < MAX_CREATES; created++) {
    const priority = await takeFreePriority(context, listenerArn);
    const { host, paths, targetGroupArn } = spec;
    const rule = await aws.loadBalancing.createRule({ listenerArn, priority, host, paths, targetGroupArn, tags });
    if (rule) return rule;
    // Taken between the look and the call: by a late effect of our own, or by somebody else.
    const own = await adoptRule(context, listenerArn);
    if (own) return own;
    await refuseUnlisted(context, listenerArn, priority);
    await giveUp(context, listenerArn, priority);
  }
  throw new StepError('CONFLICT_RETRYABLE', `${MAX_CREATES} priorities for ${nameOf(spec)} were taken by others`);
}

/**
 * A rule that is in the way and not in the list may be our own, made by an attempt without an answer a moment ago: to go on
 * to the next priority would make a second one.
 */
async function refuseUnlisted({ aws, spec }: Context, listenerArn: string, priority: number): Promise<void> {
  const listed = await aws.loadBalancing.findRules(listenerArn);
  if (listed.some((rule) => rule.priority === priority)) return;
  throw new StepError(
    'CONFLICT_RETRYABLE',
    `priority ${priority} for ${nameOf(spec)} is taken by a rule that the listener does not list yet`,
  );
}

/** A priority of ours at which the listener shows nobody. */
async function takeFreePriority(context: Context, listenerArn: string): Promise<number> {
  const { aws, db, cell, spec, stepId, tenant } = context;
  const listed = await aws.loadBalancing.findRules(listenerArn);
  if (listed.some((rule) => hasSameConditions(rule, spec))) {
    // The look for a rule to adopt was older than this one. At its priority it would pass for a foreign one.
    throw new StepError('CONFLICT_RETRYABLE', `a rule for ${nameOf(spec)} has come into sight only now`);
  }
  const holders = new Map(listed.map((rule) => [rule.priority, rule]));
  for (let foreign = 0; foreign <= MAX_FOREIGN; foreign++) {
    const request = { cell: cell.id, listenerArn, band: bandOf(spec), tenantId: tenant.id, stepId } as const;
    const priority = await takeRulePriority(db, request);
    const holder = holders.get(priority);
    // A rule of ours at a priority that is free again has been deleted, and the list is older than that. Where it has not,
    // AWS says so when the priority is asked for.
    if (!holder || (await isOfThisInstallation(context, holder))) {
      await refuseShadowedAt(context, listed, priority);
      return priority;
    }
    await giveUp(context, listenerArn, priority);
  }
  throw new StepError('CONFLICT_RETRYABLE', `${MAX_FOREIGN} priorities for ${nameOf(spec)} are held by others`);
}

/** @throws StepError CONFLICT_RETRYABLE when the rule is gone */
async function isOfThisInstallation({ aws, tags }: Context, { arn }: ListenerRule): Promise<boolean> {
  const held = (await aws.loadBalancing.findRuleTags([arn])).get(arn) ?? {};
  return isOfInstallation(held, ownerOf(tags).installationId);
}

function giveUp({ cell, db, log, stepId, tenant }: Context, listenerArn: string, priority: number): Promise<void> {
  log.warn({ listenerArn, priority }, 'a foreign rule holds the priority, the next one is taken');
  return markPriorityForeign(db, { cell: cell.id, listenerArn, priority, tenantId: tenant.id, stepId });
}

/** Rules of the same host and paths, and those that we made, whatever their conditions are now: all, ours, and the others judged. */
async function findSameRules(context: Context) {
  const { notOurs, spec, tags } = context;
  const { listed, same, tagsOf } = await lookAtSameRules(context);
  const own = same.filter((rule) => isOwnedBy(tagsOf(rule), ownerOf(tags)));
  const others = same
    .filter((rule) => !own.includes(rule))
    .map((rule) => ({
      type: 'elbv2:rule',
      name: nameOf(spec),
      physicalId: rule.arn,
      mark: describeHolder(tagsOf(rule)),
    }));
  return { listed, same, own, others: await notOurs(others) };
}

async function lookAtSameRules(context: Context) {
  const { aws, spec } = context;
  const made = await madeArns(context);
  const [listed = [], ...elsewhere] = await Promise.all(
    listenersOf(context).map((arn) => aws.loadBalancing.findRules(arn)),
  );
  const same = [...listed, ...elsewhere.flat()].filter(
    (rule) => hasSameConditions(rule, spec) || made.includes(rule.arn),
  );
  const ruleTags = await aws.loadBalancing.findRuleTags(same.map((rule) => rule.arn));
  return { listed, same, tagsOf: (rule: ListenerRule) => ruleTags.get(rule.arn) ?? {} };
}

/** Every rule that the step was ever made by, as far as the ledger knows. */
async function madeArns({ db, previous, stepId, tenant }: Context): Promise<string[]> {
  const rows = await listMade(db, { tenantId: tenant.id, stepId });
  const ids = rows.flatMap(({ earlierIds, physicalId }) => [physicalId, ...earlierIds]);
  return [previous.arn, ...ids].filter((arn) => typeof arn === 'string');
}

/** A rule that comes first answers in the tenant's place: the load balancer's owner has to say which is to. */
async function shadowDifferences(
  context: Context,
  listed: readonly ListenerRule[],
  priority: number,
): Promise<Difference[]> {
  try {
    await refuseShadowedAt(context, listed, priority);
    return [];
  } catch (error) {
    if (!(error instanceof StepError) || error.code !== 'RULE_SHADOWED') throw error;
    return [{ is: 'extra', field: 'earlier rule', found: error.detail ?? error.message, remedy: 'hand' }];
  }
}

/** The listener of today, and those where a rule of this step was made or a priority taken. */
function listenersOf({ cell, previous, recorded, spec }: Context): string[] {
  const now = cell.loadBalancers.find((lb) => lb.arn === spec.loadBalancerArn)?.httpsListenerArn;
  const ofRule = previous.arn?.replace(':listener-rule/', ':listener/').replace(/\/[^/]+$/, '');
  return [...new Set([now, ofRule, ...recorded.listenerArns])].filter((arn) => arn !== undefined);
}

function doesWhatIsAsked(rule: ListenerRule, spec: Context['spec']): boolean {
  return hasSameConditions(rule, spec) && forwardsOnlyTo(rule, spec.targetGroupArn);
}

/** What was changed at a rule of ours since it was made. */
function describeAstray(rule: ListenerRule, spec: Context['spec']): string {
  const targets = rule.targetGroupArns.join(', ') || 'no target group';
  return `${describeRule(rule)} leads to ${targets}; asked for: ${nameOf(spec)}, to ${spec.targetGroupArn} alone`;
}

function hasSameConditions(rule: ListenerRule, spec: Context['spec']): boolean {
  const sameSet = (a: readonly string[], b: readonly string[]) =>
    a.length === b.length && a.every((value) => b.includes(value));
  // A notice is for the host, too.
  if (rule.priority <= priorityBands.notice.last) return false;
  const hosts = rule.hosts.map((host) => host.toLowerCase());
  const isPlain = rule.otherConditions.length + rule.hostRegexes.length + rule.pathRegexes.length === 0;
  return isPlain && sameSet(hosts, [spec.host.toLowerCase()]) && sameSet(rule.paths, spec.paths);
}
