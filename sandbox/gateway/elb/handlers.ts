import { AwsError, escapeXml } from '../answer.ts';
import type { Exclusion } from '../exclusion.ts';
import type { Quotas } from '../limits/quotas.ts';
import type { Handler } from '../pipeline.ts';
import { memberList, queryParams, scopeKey, type Answer, type Call } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import { forwardedGroups, requireAttachable } from './attachments.ts';
import type { DataPlane } from './data-plane.ts';
import { createCertificateHandlers, requireCertificate, type ListenerCertificates } from './listener-certificates.ts';
import { createRuleHandlers } from './rule-handlers.ts';
import type { Routes } from './routes.ts';
import { createTagHandlers } from './tag-rules.ts';
import { createTargetGroupHandlers } from './target-group-handlers.ts';
import type { TargetHealth } from './target-health.ts';
import { createTargetHandlers } from './target-handlers.ts';

export interface ElbParts {
  readonly upstream: Upstream;
  readonly routes: Routes;
  readonly targets: TargetHealth;
  readonly dataPlane: DataPlane;
  readonly exclusion: Exclusion;
  readonly certificates: ListenerCertificates;
  /** Account quotas; none when absent. */
  readonly quotas?: Quotas | undefined;
}

/** ELBv2 calls that the gateway owns or corrects. */
export function createElbHandlers(parts: ElbParts): Record<string, Handler> {
  const reroute: Handler = (call) => rerouting(parts, call);
  return {
    ...createRuleHandlers(parts),
    ...createTargetHandlers(parts),
    ...createTargetGroupHandlers(parts),
    ...createTagHandlers(parts),
    ...createCertificateHandlers(parts),
    CreateListener: reroute,
    ModifyListener: reroute,
    DeleteListener: reroute,
    DeleteLoadBalancer: reroute,
    DescribeListeners: (call) =>
      requireAll(parts, call, 'ListenerArns', 'ListenerArn', 'ListenerNotFound', 'One or more listeners not found'),
    DescribeRules: (call) =>
      requireAll(parts, call, 'RuleArns', 'RuleArn', 'RuleNotFound', 'One or more rules not found'),
  };
}

/** A change that opens or closes listeners. */
async function rerouting(parts: ElbParts, call: Call): Promise<Answer> {
  const { upstream, routes, dataPlane, exclusion } = parts;
  return exclusion.run(`elb/${scopeKey(call.scope)}`, async () => {
    if (call.action === 'CreateListener' || call.action === 'ModifyListener') {
      const before = (await routes.listeners(call.scope)).get(queryParams(call).get('ListenerArn') ?? '');
      await requireCertificate(parts.certificates.namesOf, call, before);
    }
    await requireListenerAttachable(parts, call);
    const answer = await upstream.forward(call);
    if (answer.status < 300) {
      routes.forget(call.scope);
      await dataPlane.sync(call.scope);
    }
    return answer;
  });
}

async function requireListenerAttachable(parts: ElbParts, call: Call): Promise<void> {
  const params = queryParams(call);
  const targetGroupArns = forwardedGroups(params, 'DefaultActions');
  if (targetGroupArns.length === 0) return;
  const listenerArn = params.get('ListenerArn') ?? undefined;
  const listener = (await parts.routes.listeners(call.scope)).get(listenerArn ?? '');
  const loadBalancerArn = params.get('LoadBalancerArn') ?? listener?.loadBalancerArn;
  if (loadBalancerArn === undefined) return;
  await requireAttachable(parts, call, { loadBalancerArn, targetGroupArns, replaces: listenerArn });
}

/** MiniStack leaves out what it does not find; AWS refuses the whole question. */
async function requireAll(
  parts: ElbParts,
  call: Call,
  list: string,
  field: string,
  code: string,
  message: string,
): Promise<Answer> {
  const answer = await parts.upstream.forward(call);
  if (answer.status >= 300) return answer;
  const text = answer.body.toString('utf8');
  const missing = memberList(queryParams(call), list).some(
    (arn) => !text.includes(`<${field}>${escapeXml(arn)}</${field}>`),
  );
  if (missing) throw new AwsError(code, message);
  return answer;
}
