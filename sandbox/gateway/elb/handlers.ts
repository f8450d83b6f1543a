import { DescribeTargetGroupsCommand, type TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError, elbAnswer, errorAnswer, escapeXml, withBody } from '../answer.ts';
import type { Exclusion } from '../exclusion.ts';
import type { Handler } from '../pipeline.ts';
import { memberList, queryParams, scopeKey, withParams, type Answer, type Call } from '../request.ts';
import type { Upstream } from '../upstream.ts';
import type { DataPlane } from './data-plane.ts';
import { createRuleHandlers } from './rule-handlers.ts';
import type { Routes } from './routes.ts';
import type { TargetHealth } from './target-health.ts';
import { createTargetHandlers } from './target-handlers.ts';

export interface ElbParts {
  readonly upstream: Upstream;
  readonly routes: Routes;
  readonly targets: TargetHealth;
  readonly dataPlane: DataPlane;
  readonly exclusion: Exclusion;
}

/** ELBv2 calls that the gateway owns or corrects. */
export function createElbHandlers(parts: ElbParts): Record<string, Handler> {
  const reroute: Handler = (call) => rerouting(parts, call);
  return {
    ...createRuleHandlers(parts),
    ...createTargetHandlers(parts),
    CreateListener: reroute,
    ModifyListener: reroute,
    DeleteListener: reroute,
    DeleteLoadBalancer: reroute,
    CreateTargetGroup: (call) => createTargetGroup(parts, call),
    ModifyTargetGroup: async (call) => {
      const answer = await parts.upstream.forward(call);
      parts.targets.refresh(queryParams(call).get('TargetGroupArn') ?? '');
      return answer;
    },
    DeleteTargetGroup: (call) => deleteTargetGroup(parts, call),
    DescribeTargetGroups: (call) => describeTargetGroups(parts, call),
    DescribeListeners: (call) =>
      requireAll(parts, call, 'ListenerArns', 'ListenerArn', 'ListenerNotFound', 'One or more listeners not found'),
    DescribeRules: (call) =>
      requireAll(parts, call, 'RuleArns', 'RuleArn', 'RuleNotFound', 'One or more rules not found'),
  };
}

/** A change that opens or closes listeners. */
async function rerouting({ upstream, routes, dataPlane, exclusion }: ElbParts, call: Call): Promise<Answer> {
  return exclusion.run(`elb/${scopeKey(call.scope)}`, async () => {
    const answer = await upstream.forward(call);
    if (answer.status < 300) {
      routes.forget(call.scope);
      await dataPlane.sync(call.scope);
    }
    return answer;
  });
}

/** AWS answers a repeated creation with the same settings with the group that is there; MiniStack always refuses. */
async function createTargetGroup({ upstream }: ElbParts, call: Call): Promise<Answer> {
  const answer = await upstream.forward(call);
  if (answer.status < 300 || !answer.body.includes('DuplicateTargetGroupName')) return answer;
  const params = queryParams(call);
  const name = params.get('Name') ?? '';
  const { TargetGroups = [] } = await upstream
    .clients(call.scope)
    .elb.send(new DescribeTargetGroupsCommand({ Names: [name] }));
  const existing = TargetGroups[0];
  if (!existing || !hasSettings(existing, params)) {
    throw new AwsError(
      'DuplicateTargetGroupName',
      `A target group with the same name '${name}' exists, but with different settings`,
    );
  }
  const lookup = new URLSearchParams({ Action: 'DescribeTargetGroups', Version: '2015-12-01', 'Names.member.1': name });
  const described = await upstream.forward(withParams(call, lookup));
  return withBody(described, described.body.toString('utf8').replaceAll('DescribeTargetGroups', 'CreateTargetGroup'));
}

function hasSettings(group: TargetGroup, params: URLSearchParams): boolean {
  const actual: Readonly<Record<string, string | undefined>> = {
    Protocol: group.Protocol,
    Port: group.Port?.toString(),
    VpcId: group.VpcId,
    TargetType: group.TargetType,
    HealthCheckProtocol: group.HealthCheckProtocol,
    HealthCheckPort: group.HealthCheckPort,
    HealthCheckEnabled: group.HealthCheckEnabled?.toString(),
    HealthCheckPath: group.HealthCheckPath,
    HealthCheckIntervalSeconds: group.HealthCheckIntervalSeconds?.toString(),
    HealthCheckTimeoutSeconds: group.HealthCheckTimeoutSeconds?.toString(),
    HealthyThresholdCount: group.HealthyThresholdCount?.toString(),
    UnhealthyThresholdCount: group.UnhealthyThresholdCount?.toString(),
    'Matcher.HttpCode': group.Matcher?.HttpCode,
  };
  return Object.entries(actual).every(([name, value]) => !params.has(name) || params.get(name) === value);
}

async function deleteTargetGroup(parts: ElbParts, call: Call): Promise<Answer> {
  const arn = queryParams(call).get('TargetGroupArn') ?? '';
  return parts.exclusion.run(`elb/${scopeKey(call.scope)}`, async () => {
    if ((await parts.routes.loadBalancersOf(call.scope, arn)).length > 0) {
      throw new AwsError('ResourceInUse', `Target group '${arn}' is currently in use by a listener or a rule`);
    }
    const answer = await parts.upstream.forward(call);
    if (answer.status < 300) parts.targets.drop(arn);
    return answer;
  });
}

/** MiniStack leaves `LoadBalancerArns` empty, and answers an empty list where AWS says TargetGroupNotFound. */
async function describeTargetGroups(parts: ElbParts, call: Call): Promise<Answer> {
  const params = queryParams(call);
  const loadBalancerArn = params.get('LoadBalancerArn');
  params.delete('LoadBalancerArn');
  const answer = await parts.upstream.forward(withParams(call, params));
  if (answer.status >= 300) return answer;
  const members = await Promise.all(
    membersOf(answer, 'TargetGroups').map((xml) => withLoadBalancers(parts, call, xml)),
  );
  const wanted = [
    ...memberList(params, 'TargetGroupArns').map((arn) => `<TargetGroupArn>${escapeXml(arn)}</TargetGroupArn>`),
    ...memberList(params, 'Names').map((name) => `<TargetGroupName>${escapeXml(name)}</TargetGroupName>`),
  ];
  if (wanted.some((w) => !members.some((m) => m.includes(w)))) {
    return errorAnswer(call, new AwsError('TargetGroupNotFound', 'One or more target groups not found'));
  }
  const kept = loadBalancerArn
    ? members.filter((m) => m.includes(`<member>${escapeXml(loadBalancerArn)}</member>`))
    : members;
  return elbAnswer(call, `<TargetGroups>${kept.join('')}</TargetGroups>`);
}

async function withLoadBalancers({ routes }: ElbParts, call: Call, xml: string): Promise<string> {
  const arn = /<TargetGroupArn>([^<]*)<\/TargetGroupArn>/.exec(xml)?.[1] ?? '';
  const arns = await routes.loadBalancersOf(call.scope, arn);
  const list = arns.map((a) => `<member>${escapeXml(a)}</member>`).join('');
  return xml.replace(
    /<LoadBalancerArns>.*?<\/LoadBalancerArns>|<LoadBalancerArns ?\/>/s,
    `<LoadBalancerArns>${list}</LoadBalancerArns>`,
  );
}

/** The `<member>` elements of a list that holds nested lists too: split where the next target group begins. */
function membersOf(answer: Answer, list: string): string[] {
  const text = answer.body.toString('utf8');
  const inner = new RegExp(`<${list}>(.*)</${list}>`, 's').exec(text)?.[1] ?? '';
  return inner.split(/(?=<member>\s*<TargetGroupArn>)/).filter((m) => m.trim() !== '');
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
