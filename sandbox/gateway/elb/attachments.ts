import { AwsError } from '../answer.ts';
import type { Quotas } from '../limits/quotas.ts';
import type { Call, Scope } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { targetGroupsOf, type Listener, type Routes } from './routes.ts';
import { loadTargetGroup } from './target-group.ts';

export interface AttachmentParts {
  readonly upstream: Upstream;
  readonly routes: Routes;
  readonly quotas?: Quotas | undefined;
}

/** A change of what a load balancer forwards to. */
export interface Attachment {
  readonly loadBalancerArn: string;
  readonly targetGroupArns: readonly string[];
  /** The rule or listener whose actions these take the place of. */
  readonly replaces?: string | undefined;
}

/**
 * What AWS asks before a rule or listener forwards somewhere; run it in the scope's turn, right before the change.
 * @throws AwsError TargetGroupNotFound, TargetGroupAssociationLimit, TooManyUniqueTargetGroupsPerLoadBalancer
 */
export async function requireAttachable(parts: AttachmentParts, call: Call, wanted: Attachment): Promise<void> {
  if (wanted.targetGroupArns.length === 0) return;
  for (const arn of wanted.targetGroupArns) {
    if (!(await loadTargetGroup(parts.upstream, call.scope, arn)))
      throw new AwsError('TargetGroupNotFound', `Target groups '${arn}' not found`);
  }
  const listeners = [...(await parts.routes.listeners(call.scope)).values()];
  const isHere = (listener: Listener) => listener.loadBalancerArn === wanted.loadBalancerArn;
  const elsewhere = attached(listeners.filter((l) => !isHere(l)));
  const shared = wanted.targetGroupArns.filter((arn) => elsewhere.has(arn));
  if (shared.length > 0) {
    throw new AwsError(
      'TargetGroupAssociationLimit',
      `The following target groups cannot be associated with more than one load balancer: ${shared.join(', ')}`,
    );
  }
  const here = attached(listeners.filter(isHere), wanted.replaces);
  const after = new Set([...here, ...wanted.targetGroupArns]);
  if (after.size > here.size) parts.quotas?.require('target-groups-per-load-balancer', after.size);
}

/** Rules of all the load balancer's listeners, without default ones. */
export async function ruleCount(routes: Routes, scope: Scope, loadBalancerArn: string): Promise<number> {
  const listeners = [...(await routes.listeners(scope)).values()];
  return listeners
    .filter((l) => l.loadBalancerArn === loadBalancerArn)
    .reduce((sum, listener) => sum + listener.rules.length, 0);
}

/** Target groups that the forward actions of a call name: `Actions.member.1.TargetGroupArn`, `...ForwardConfig...`. */
export function forwardedGroups(params: URLSearchParams, list: 'Actions' | 'DefaultActions'): string[] {
  const pattern = new RegExp(
    String.raw`^${list}\.member\.\d+\.(?:ForwardConfig\.TargetGroups\.member\.\d+\.)?TargetGroupArn$`,
  );
  return [...new Set([...params].filter(([name]) => pattern.test(name)).map(([, arn]) => arn))];
}

function attached(listeners: readonly Listener[], replaced?: string): Set<string> {
  const actions = listeners.flatMap((listener) => [
    ...(listener.arn === replaced ? [] : listener.defaultActions),
    ...listener.rules.filter((rule) => rule.arn !== replaced).flatMap((rule) => rule.actions),
  ]);
  return new Set(actions.flatMap(targetGroupsOf));
}
