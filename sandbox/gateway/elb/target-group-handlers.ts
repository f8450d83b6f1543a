import { DescribeTargetGroupsCommand, type TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError, elbAnswer, errorAnswer, escapeXml, withBody } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import { memberList, queryParams, scopeKey, withParams, type Answer, type Call } from '../request.ts';
import type { ElbParts } from './handlers.ts';
import { tagKeys } from './tag-rules.ts';

/** Target groups: repeatable creation, none removed while in use, and the load balancers that they belong to. */
export function createTargetGroupHandlers(parts: ElbParts): Record<string, Handler> {
  const counts = new Map<string, number>();
  return {
    CreateTargetGroup: (call) =>
      parts.exclusion.run(`elb/${scopeKey(call.scope)}`, () => createTargetGroup(parts, counts, call)),
    ModifyTargetGroup: async (call) => {
      const answer = await parts.upstream.forward(call);
      parts.targets.refresh(queryParams(call).get('TargetGroupArn') ?? '');
      return answer;
    },
    DeleteTargetGroup: (call) => deleteTargetGroup(parts, counts, call),
    DescribeTargetGroups: (call) => describeTargetGroups(parts, call),
  };
}

/** AWS answers a repeated creation with the same settings with the group that is there; MiniStack always refuses. */
async function createTargetGroup(parts: ElbParts, counts: Map<string, number>, call: Call): Promise<Answer> {
  const { upstream, quotas } = parts;
  const params = queryParams(call);
  quotas?.require('tags-per-resource', tagKeys(params).length);
  if (quotas?.isOn) await requireRoom(parts, counts, call, params.get('Name') ?? '');
  const answer = await upstream.forward(call);
  if (answer.status < 300) count(counts, call, 1);
  if (answer.status < 300 || !answer.body.includes('DuplicateTargetGroupName')) return answer;
  const name = params.get('Name') ?? '';
  const existing = await findByName(parts, call, name);
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

/** A group that is there already needs no room. */
async function requireRoom(parts: ElbParts, counts: Map<string, number>, call: Call, name: string): Promise<void> {
  const key = scopeKey(call.scope);
  const known = counts.get(key) ?? (await upstreamCount(parts, call));
  counts.set(key, known);
  if (known + 1 > (parts.quotas?.limitOf('target-groups') ?? Number.POSITIVE_INFINITY)) {
    if (!(await findByName(parts, call, name))) parts.quotas?.require('target-groups', known + 1);
  }
}

async function upstreamCount({ upstream }: ElbParts, call: Call): Promise<number> {
  let total = 0;
  let Marker: string | undefined;
  do {
    const page = await upstream.clients(call.scope).elb.send(new DescribeTargetGroupsCommand({ Marker }));
    total += page.TargetGroups?.length ?? 0;
    Marker = page.NextMarker;
  } while (Marker);
  return total;
}

/** Only a scope that was counted once is counted on. */
function count(counts: Map<string, number>, call: Call, difference: number): void {
  const key = scopeKey(call.scope);
  const known = counts.get(key);
  if (known !== undefined) counts.set(key, known + difference);
}

async function findByName({ upstream }: ElbParts, call: Call, name: string): Promise<TargetGroup | undefined> {
  try {
    const { TargetGroups = [] } = await upstream
      .clients(call.scope)
      .elb.send(new DescribeTargetGroupsCommand({ Names: [name] }));
    return TargetGroups[0];
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('TargetGroupNotFound')) return undefined;
    throw error;
  }
}

/** What a group has when its creation does not say (CreateTargetGroup, API reference; targets other than Lambda). */
const defaults: Readonly<Record<string, string>> = {
  TargetType: 'instance',
  HealthCheckPort: 'traffic-port',
  HealthCheckEnabled: 'true',
  HealthCheckPath: '/',
  HealthCheckIntervalSeconds: '30',
  HealthCheckTimeoutSeconds: '5',
  HealthyThresholdCount: '5',
  UnhealthyThresholdCount: '2',
  'Matcher.HttpCode': '200',
};

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
  return Object.entries(actual).every(([name, value]) => {
    const wanted = params.get(name) ?? defaults[name];
    return wanted === undefined || wanted === value;
  });
}

async function deleteTargetGroup(parts: ElbParts, counts: Map<string, number>, call: Call): Promise<Answer> {
  const arn = queryParams(call).get('TargetGroupArn') ?? '';
  return parts.exclusion.run(`elb/${scopeKey(call.scope)}`, async () => {
    if ((await parts.routes.loadBalancersOf(call.scope, arn)).length > 0) {
      throw new AwsError('ResourceInUse', `Target group '${arn}' is currently in use by a listener or a rule`);
    }
    const answer = await parts.upstream.forward(call);
    if (answer.status < 300) {
      parts.targets.drop(arn);
      counts.delete(scopeKey(call.scope));
    }
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
