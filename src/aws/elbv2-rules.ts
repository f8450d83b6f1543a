import {
  CreateRuleCommand,
  DeleteRuleCommand,
  DescribeRulesCommand,
  ModifyRuleCommand,
  SetRulePrioritiesCommand,
  type Action,
  type ElasticLoadBalancingV2Client,
  type Rule,
  type RuleCondition,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { describeTags } from './elbv2-tags.ts';
import { isAwsError, sent, type AwsCall } from './errors.ts';
import { keyValueList, type Tags } from './tags.ts';
import { sharedLook } from './watcher.ts';

export interface ListenerRule {
  readonly arn: string;
  readonly priority: number;
  /** Patterns with `*` and `?`; empty: any host, unless there are regular expressions. */
  readonly hosts: readonly string[];
  readonly hostRegexes: readonly string[];
  /** Patterns with `*` and `?`; empty: any path, unless there are regular expressions. */
  readonly paths: readonly string[];
  readonly pathRegexes: readonly string[];
  /** Fields of the conditions besides host and path: `source-ip`, `http-header`, ... */
  readonly otherConditions: readonly string[];
  readonly targetGroupArns: readonly string[];
  /** True when all it does is forward: it asks for no login, redirects nowhere and rewrites nothing. */
  readonly onlyForwards: boolean;
  /** What it answers itself; undefined when it does not. */
  readonly fixedResponse?: FixedResponse | undefined;
}

export interface FixedResponse {
  /** `503`, ... */
  readonly status: string;
  readonly contentType: string;
  readonly body: string;
}

export interface RuleRequest {
  readonly listenerArn: string;
  readonly priority: number;
  readonly host: string;
  /** Empty: the host alone. */
  readonly paths: readonly string[];
  readonly targetGroupArn: string;
  readonly tags: Tags;
}

/** Of a rule that answers itself, for a host. */
export interface NoticeRequest extends Pick<RuleRequest, 'listenerArn' | 'priority' | 'host' | 'tags'> {
  readonly response: FixedResponse;
}

export interface ListenerRules {
  /** All rules of a listener but its default one; empty when there is no such listener. Shared look. */
  findRules(listenerArn: string): Promise<readonly ListenerRule[]>;
  /** Tags by ARN, of rules. */
  findRuleTags(arns: readonly string[]): Promise<ReadonlyMap<string, Tags>>;
  /** Undefined when the priority is taken. */
  createRule(request: RuleRequest): Promise<ListenerRule | undefined>;
  /** Undefined when the priority is taken. */
  createNotice(request: NoticeRequest): Promise<ListenerRule | undefined>;
  /** Makes a rule answer this itself, and do nothing else. */
  answerByRule(arn: string, response: FixedResponse): Promise<void>;
  /** Gives a rule the conditions of a host and its paths, and a forward to this target group, and nothing else. */
  routeRule(arn: string, route: Pick<RuleRequest, 'host' | 'paths' | 'targetGroupArn'>): Promise<void>;
  /** Gives a rule the conditions of a host alone. */
  routeNotice(arn: string, host: string): Promise<void>;
  /** Gives a rule another priority; false when another rule of the listener has it. */
  moveRule(arn: string, priority: number): Promise<boolean>;
  /** Missing is done. */
  deleteRule(arn: string): Promise<void>;
}

const service = 'elasticloadbalancing';

export function createListenerRules(client: ElasticLoadBalancingV2Client): ListenerRules {
  const findRules = sharedLook<string, readonly ListenerRule[]>({
    batchSize: 1,
    load: async ([arn = '']) => new Map([[arn, await listRules(client, arn)]]),
  });
  return {
    findRules: async (listenerArn) => (await findRules(listenerArn)) ?? [],
    findRuleTags: (arns) => describeTags(client, arns),

    createRule: (request) => create(client, request, forward(request.targetGroupArn)),
    createNotice: (request) => create(client, { ...request, paths: [] }, answer(request.response)),

    async routeRule(arn, { targetGroupArn, ...route }) {
      const request = { RuleArn: arn, Conditions: conditionsOf(route), Actions: forward(targetGroupArn) };
      await client.send(new ModifyRuleCommand({ ...request, ResetTransforms: true }));
    },

    async routeNotice(arn, host) {
      await client.send(new ModifyRuleCommand({ RuleArn: arn, Conditions: conditionsOf({ host, paths: [] }) }));
    },

    async moveRule(arn, priority) {
      try {
        const RulePriorities = [{ RuleArn: arn, Priority: priority }];
        await client.send(new SetRulePrioritiesCommand({ RulePriorities }));
        return true;
      } catch (error) {
        if (isAwsError(error, 'PriorityInUse')) return false;
        throw error;
      }
    },

    async answerByRule(arn, response) {
      await client.send(new ModifyRuleCommand({ RuleArn: arn, Actions: answer(response), ResetTransforms: true }));
    },

    async deleteRule(arn) {
      try {
        await client.send(new DeleteRuleCommand({ RuleArn: arn }));
      } catch (error) {
        if (!isAwsError(error, 'RuleNotFound')) throw error;
      }
    },
  };
}

async function create(
  client: ElasticLoadBalancingV2Client,
  request: Omit<RuleRequest, 'targetGroupArn'>,
  actions: Action[],
): Promise<ListenerRule | undefined> {
  try {
    const made = await client.send(new CreateRuleCommand({ ...createInput(request), Actions: actions }));
    const call = { service, action: 'CreateRule' };
    return toRule(sent(made.Rules?.[0], call, 'Rules[0]'), call);
  } catch (error) {
    if (isAwsError(error, 'PriorityInUse')) return undefined;
    throw error;
  }
}

function createInput({ listenerArn, priority, host, paths, tags }: Omit<RuleRequest, 'targetGroupArn'>) {
  return {
    ListenerArn: listenerArn,
    Priority: priority,
    Conditions: conditionsOf({ host, paths }),
    Tags: keyValueList(tags),
  };
}

function conditionsOf({ host, paths }: Pick<RuleRequest, 'host' | 'paths'>): RuleCondition[] {
  const ofHost = { Field: 'host-header', HostHeaderConfig: { Values: [host] } };
  return paths.length === 0 ? [ofHost] : [ofHost, { Field: 'path-pattern', PathPatternConfig: { Values: [...paths] } }];
}

function forward(targetGroupArn: string) {
  return [{ Type: 'forward' as const, TargetGroupArn: targetGroupArn }];
}

function answer({ status, contentType, body }: FixedResponse) {
  const FixedResponseConfig = { StatusCode: status, ContentType: contentType, MessageBody: body };
  return [{ Type: 'fixed-response' as const, FixedResponseConfig }];
}

async function listRules(client: ElasticLoadBalancingV2Client, listenerArn: string): Promise<readonly ListenerRule[]> {
  const rules: ListenerRule[] = [];
  const call = { service, action: 'DescribeRules' };
  let Marker: string | undefined;
  try {
    do {
      const answer = await client.send(new DescribeRulesCommand({ ListenerArn: listenerArn, Marker, PageSize: 400 }));
      const page = sent(answer.Rules, call, 'Rules');
      rules.push(...page.filter((raw) => raw.Priority !== 'default').map((raw) => toRule(raw, call)));
      Marker = answer.NextMarker;
    } while (Marker);
  } catch (error) {
    if (!isAwsError(error, 'ListenerNotFound')) throw error;
  }
  return rules;
}

/** Also for the sweep. */
export function toRule(raw: Rule, call: AwsCall): ListenerRule {
  const conditions = raw.Conditions ?? [];
  const actions = raw.Actions ?? [];
  const of = (field: string) => conditions.filter((c) => c.Field === field);
  const [hosts, paths] = [of('host-header'), of('path-pattern')];
  // AWS answers values in the field's own configuration, older answers (and emulators) in `Values`.
  return {
    arn: sent(raw.RuleArn, call, 'RuleArn'),
    priority: Number(sent(raw.Priority, call, 'Priority')),
    hosts: hosts.flatMap((c) => c.HostHeaderConfig?.Values ?? c.Values ?? []),
    hostRegexes: hosts.flatMap((c) => c.HostHeaderConfig?.RegexValues ?? c.RegexValues ?? []),
    paths: paths.flatMap((c) => c.PathPatternConfig?.Values ?? c.Values ?? []),
    pathRegexes: paths.flatMap((c) => c.PathPatternConfig?.RegexValues ?? c.RegexValues ?? []),
    otherConditions: conditions.map((c) => c.Field ?? 'unknown').filter((f) => !routedFields.includes(f)),
    targetGroupArns: actions.flatMap((action) => {
      const forwarded = (action.ForwardConfig?.TargetGroups ?? []).flatMap((t) => t.TargetGroupArn ?? []);
      return forwarded.length > 0 ? forwarded : (action.TargetGroupArn ?? []);
    }),
    fixedResponse: fixedResponseIn(raw),
    onlyForwards: actions.every((action) => action.Type === 'forward') && (raw.Transforms ?? []).length === 0,
  };
}

function fixedResponseIn({ Actions = [] }: Rule): FixedResponse | undefined {
  const config = Actions.find((action) => action.Type === 'fixed-response')?.FixedResponseConfig;
  if (!config) return undefined;
  const { StatusCode: status = '', ContentType: contentType = '', MessageBody: body = '' } = config;
  return { status, contentType, body };
}

const routedFields = ['host-header', 'path-pattern'];
