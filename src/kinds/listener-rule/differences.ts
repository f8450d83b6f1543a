import type { ListenerRule } from '../../aws/elbv2-rules.ts';
import type { Tags } from '../../aws/tags.ts';
import { isOwnedBy, ownerOf } from '../../aws/tags.ts';
import type { Difference } from '../../contracts/drift.ts';
import { asSet, changedFields, lostTags, missingThing, nameTaken } from '../framework/differences.ts';
import type { RuleContext } from './spec.ts';

/** Rules that may be the tenant's: of its host and paths, and the one that was made for it, whatever it matches now. */
export interface RulesSeen {
  readonly name: string;
  readonly same: readonly ListenerRule[];
  readonly tagsOf: (rule: ListenerRule) => Tags;
}

/** What sets the tenant's rule apart from its spec. Pure. */
export function ruleDifferences(
  { previous, spec, tags }: Pick<RuleContext, 'previous' | 'spec' | 'tags'>,
  { name, same, tagsOf }: RulesSeen,
): Difference[] {
  const isOwn = (rule: ListenerRule) => isOwnedBy(tagsOf(rule), ownerOf(tags));
  const made = same.find(({ arn }) => arn === previous.arn);
  const rule = made ?? same.filter(isOwn).sort((a, b) => a.priority - b.priority)[0];
  if (!rule) {
    const [other] = same;
    return [other ? nameTaken('elbv2:rule', name, tagsOf(other)) : missingThing('elbv2:rule', name)];
  }
  const others = same.filter((one) => one !== rule && isOwn(one));
  return [
    ...lostTags(tags, tagsOf(rule)),
    ...conditionDifferences(rule, spec),
    ...targetDifferences(rule, spec.targetGroupArn),
    ...(made ? movedRule(previous, made.priority) : []),
    ...others.map(({ arn }): Difference => ({ is: 'extra', field: 'rule', found: arn, remedy: 'hand' })),
  ];
}

/** Another priority may be another order among the listener's rules. */
export function movedRule({ priority: wanted }: { readonly priority?: number }, priority: number): Difference[] {
  if (wanted === undefined) return [];
  return changedFields({ priority: [wanted, priority] });
}

/** A rule of other conditions does not match the tenant's requests any more. */
function conditionDifferences(rule: ListenerRule, { host, paths }: RuleContext['spec']): Difference[] {
  return [
    ...changedFields({
      host: [[host.toLowerCase()], asSet(rule.hosts.map((one) => one.toLowerCase()))],
      paths: [asSet(paths), asSet(rule.paths)],
    }),
    ...furtherConditions(rule),
  ];
}

/** Conditions besides hosts and paths by their patterns: none is ever asked for. */
export function furtherConditions(
  rule: Pick<ListenerRule, 'hostRegexes' | 'otherConditions' | 'pathRegexes'>,
): Difference[] {
  const further = [
    ...rule.otherConditions,
    ...rule.hostRegexes.map((regex) => `host-header regex ${regex}`),
    ...rule.pathRegexes.map((regex) => `path-pattern regex ${regex}`),
  ];
  return further.map((found): Difference => ({ is: 'extra', field: 'conditions', found }));
}

function targetDifferences({ onlyForwards, targetGroupArns }: ListenerRule, wanted: string): Difference[] {
  const isReached = targetGroupArns.includes(wanted);
  const further = targetGroupArns.filter((arn) => arn !== wanted);
  return [
    ...(isReached ? [] : changedFields({ targetGroupArn: [wanted, further] })),
    ...(isReached ? further.map((found): Difference => ({ is: 'extra', field: 'targetGroupArn', found })) : []),
    ...changedFields({ onlyForwards: [true, onlyForwards] }),
  ];
}
