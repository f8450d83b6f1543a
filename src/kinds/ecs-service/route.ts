import type { ListenerRule } from '../../aws/elbv2-rules.ts';
import { StepError } from '../../contracts/step-error.ts';
import { isNoticeOf } from '../listener-notice/notice.ts';
import { refuseShadowed } from '../listener-rule/precedence.ts';
import { describeRule, forwardsOnlyTo, reachOf } from '../listener-rule/reach.ts';
import type { ServiceContext } from './spec.ts';
import type { ProbeResult } from './verdict.ts';

/**
 * Who would answer the tenant's address, by the listener's own rules (docs/adr/0007): the first rule that matches must forward
 * to the service's target group and do nothing else, and no rule of others may stand before it.
 * @throws StepError RULE_SHADOWED
 */
export async function routeProbe(context: ServiceContext): Promise<ProbeResult & { readonly isBehindNotice?: true }> {
  const { aws, cell, spec } = context;
  const { host, loadBalancerArn, path } = spec.probe;
  const loadBalancer = cell.loadBalancers.find((lb) => lb.arn === loadBalancerArn);
  if (!loadBalancer) throw new StepError('OUTSIDE_CELL', `${loadBalancerArn} is no load balancer of cell ${cell.id}`);
  const listed = await aws.loadBalancing.findRules(loadBalancer.httpsListenerArn);
  const asked = { host, paths: [path] };
  const ours = firstOf(listed, (rule) => serves(rule, host, spec.targetGroupArn) && reachOf(rule, asked) === 'all');
  if (!ours) return { status: 'pending', detail: `no rule forwards ${host}${path} to ${spec.targetGroupArn} alone` };
  // Not the path that is asked for alone: all that the rule is for.
  await refuseShadowed(context, loadBalancer, listed, { host, paths: ours.paths, priority: ours.priority });
  const first = firstOf(listed, (rule) => reachOf(rule, asked) === 'all');
  // While a tenant is resumed its notice answers: what is behind it is judged by the rule that comes next.
  if (first && first !== ours && isNoticeOf(first, host))
    return { status: 'ok', detail: `rule at priority ${ours.priority}, behind the notice`, isBehindNotice: true };
  if (first && first !== ours)
    return { status: 'pending', detail: `${host}${path} is answered by ${describeRule(first)}` };
  return { status: 'ok', detail: `rule at priority ${ours.priority}` };
}

function serves(rule: ListenerRule, host: string, targetGroupArn: string): boolean {
  const isForHost = rule.hosts.length === 1 && rule.hosts[0]?.toLowerCase() === host.toLowerCase();
  return isForHost && forwardsOnlyTo(rule, targetGroupArn);
}

function firstOf(rules: readonly ListenerRule[], isWanted: (rule: ListenerRule) => boolean): ListenerRule | undefined {
  return rules.filter(isWanted).sort((a, b) => a.priority - b.priority)[0];
}
