import type { ListenerRule } from '../../aws/elbv2-rules.ts';
import { describeHolder, findOwner, isOwnedBy, ownerOf } from '../../aws/tags.ts';
import type { LoadBalancer } from '../../contracts/platform.ts';
import { targetGroupPrefix } from '../../naming.ts';
import { refusalOf } from '../framework/foreign.ts';
import type { StepContext } from '../framework/kind.ts';
import { describeRule, reachOf, type Route } from './reach.ts';

/** A tenant's rule, made or about to be. */
export interface Placed extends Route {
  readonly priority: number;
}

type Context = Pick<StepContext, 'aws' | 'db' | 'installationId' | 'tags' | 'tenant'>;

/**
 * Refuses when a rule with a better priority catches requests that the tenant's rule is for, all or some: the load balancer
 * takes the first rule that matches, so somebody else would answer them. Rules that lead to the tenant's own target groups may come
 * first (paths before the host, design rule 14), those with the tenant's mark, and those that the platform description allows.
 * @throws StepError RULE_SHADOWED; CONFLICT_RETRYABLE when it is the rule of an earlier tenant, removed and still listed
 */
export async function refuseShadowed(
  context: Context,
  { allowedRuleArns = [] }: LoadBalancer,
  listed: readonly ListenerRule[],
  ours: Placed,
): Promise<void> {
  const earlier = listed
    .filter((rule) => rule.priority < ours.priority && !allowedRuleArns.includes(rule.arn))
    .filter((rule) => reachOf(rule, ours) !== 'none' && !leadsToTenant(rule, context))
    .sort((a, b) => a.priority - b.priority);
  if (earlier.length === 0) return;
  // A rule that is gone and only still listed ends here: its tags cannot be read, which is tried again.
  const tags = await context.aws.loadBalancing.findRuleTags(earlier.map((rule) => rule.arn));
  for (const rule of earlier) {
    const held = tags.get(rule.arn) ?? {};
    if (isOwnedBy(held, ownerOf(context.tags))) continue;
    const share = reachOf(rule, ours) === 'all' ? 'the' : 'some';
    const what = ours.host + ours.paths.join(',');
    throw await refusalOf(context, {
      code: 'RULE_SHADOWED',
      resource: { type: 'elbv2:rule', name: rule.hosts.join(',') + rule.paths.join(',') },
      message: `an earlier rule of the listener catches ${share} requests for ${what}`,
      detail: `${describeRule(rule)}: ${describeHolder(held)}; the tenant's rule has priority ${ours.priority}`,
      owner: findOwner(held),
    });
  }
}

/** Whether all that a rule does is forward to target groups of the tenant; their names tell, so nobody has to be asked. */
function leadsToTenant(rule: ListenerRule, { installationId, tenant }: Context): boolean {
  const own = `:targetgroup/${targetGroupPrefix(installationId, tenant.id)}`;
  return rule.onlyForwards && rule.targetGroupArns.length > 0 && rule.targetGroupArns.every((arn) => arn.includes(own));
}
