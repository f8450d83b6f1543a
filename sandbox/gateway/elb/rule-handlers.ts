import { DescribeRulesCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError } from '../answer.ts';
import type { Handler } from '../pipeline.ts';
import { queryParams, scopeKey, withParams, type Answer, type Call } from '../request.ts';
import { forwardedGroups, requireAttachable, ruleCount } from './attachments.ts';
import type { ElbParts } from './handlers.ts';
import { readRule, type Listener } from './routes.ts';
import { tagKeys } from './tag-rules.ts';

const maxPriority = 50_000;

/** Rules: priorities are unique per listener, as AWS has it and MiniStack does not. Changes take turns per scope. */
export function createRuleHandlers(parts: ElbParts): Record<string, Handler> {
  const inTurn =
    (handler: Handler): Handler =>
    (call) =>
      parts.exclusion.run(`elb/${scopeKey(call.scope)}`, () => handler(call));
  return {
    CreateRule: inTurn((call) => createRule(parts, call)),
    ModifyRule: inTurn((call) => modifyRule(parts, call)),
    DeleteRule: inTurn((call) => deleteRule(parts, call)),
    SetRulePriorities: inTurn((call) => setRulePriorities(parts, call)),
  };
}

async function createRule(parts: ElbParts, call: Call): Promise<Answer> {
  const { upstream, routes, quotas } = parts;
  const params = queryParams(call);
  const listener = (await routes.listeners(call.scope)).get(params.get('ListenerArn') ?? '');
  if (!listener) return upstream.forward(call);
  const { loadBalancerArn } = listener;
  refuseTaken([listener], new Map([['new', readPriority(params.get('Priority'))]]));
  await requireAttachable(parts, call, { loadBalancerArn, targetGroupArns: forwardedGroups(params, 'Actions') });
  quotas?.require('rules-per-load-balancer', (await ruleCount(routes, call.scope, loadBalancerArn)) + 1);
  quotas?.require('tags-per-resource', tagKeys(params).length);
  const answer = await upstream.forward(withParams(call, withPlainForwards(params)));
  const ruleArn = /<RuleArn>([^<]+)<\/RuleArn>/.exec(answer.body.toString('utf8'))?.[1];
  if (answer.status < 300 && ruleArn) {
    const { Rules = [] } = await upstream
      .clients(call.scope)
      .elb.send(new DescribeRulesCommand({ RuleArns: [ruleArn] }));
    await routes.setRules(call.scope, listener.arn, [...listener.rules, ...Rules.map(readRule)]);
  }
  return answer;
}

async function modifyRule(parts: ElbParts, call: Call): Promise<Answer> {
  const { upstream, routes } = parts;
  const params = queryParams(call);
  const ruleArn = params.get('RuleArn') ?? '';
  const listeners = [...(await routes.listeners(call.scope)).values()];
  const listener = listeners.find((l) => l.rules.some((r) => r.arn === ruleArn));
  if (listener) {
    const { loadBalancerArn } = listener;
    const targetGroupArns = forwardedGroups(params, 'Actions');
    await requireAttachable(parts, call, { loadBalancerArn, targetGroupArns, replaces: ruleArn });
  }
  const answer = await upstream.forward(withParams(call, withPlainForwards(params)));
  routes.forget(call.scope);
  return answer;
}

/** MiniStack keeps only the plain form of a forward; a ForwardConfig with one group means the same. */
function withPlainForwards(params: URLSearchParams): URLSearchParams {
  const plain = new URLSearchParams(params);
  for (const { action, targetGroupArn } of forwardsOf(params)) plain.set(`${action}.TargetGroupArn`, targetGroupArn);
  return plain;
}

function forwardsOf(params: URLSearchParams): { readonly action: string; readonly targetGroupArn: string }[] {
  const forwards: { readonly action: string; readonly targetGroupArn: string }[] = [];
  for (let i = 1; params.has(`Actions.member.${i}.Type`); i++) {
    const action = `Actions.member.${i}`;
    const configured = params.get(`${action}.ForwardConfig.TargetGroups.member.1.TargetGroupArn`);
    const targetGroupArn = params.get(`${action}.TargetGroupArn`) ?? configured;
    if (targetGroupArn !== null) forwards.push({ action, targetGroupArn });
  }
  return forwards;
}

async function deleteRule({ upstream, routes }: ElbParts, call: Call): Promise<Answer> {
  const arn = queryParams(call).get('RuleArn') ?? '';
  const listeners = [...(await routes.listeners(call.scope)).values()];
  const owner = listeners.find((l) => l.rules.some((r) => r.arn === arn));
  if (!owner && !(await isDefaultRule({ upstream }, call, arn)))
    throw new AwsError('RuleNotFound', 'One or more rules not found');
  const answer = await upstream.forward(call);
  if (answer.status < 300 && owner) {
    await routes.setRules(
      call.scope,
      owner.arn,
      owner.rules.filter((r) => r.arn !== arn),
    );
  }
  return answer;
}

async function isDefaultRule({ upstream }: Pick<ElbParts, 'upstream'>, call: Call, arn: string): Promise<boolean> {
  const { Rules = [] } = await upstream.clients(call.scope).elb.send(new DescribeRulesCommand({ RuleArns: [arn] }));
  return Rules.some((r) => r.IsDefault);
}

async function setRulePriorities({ upstream, routes }: ElbParts, call: Call): Promise<Answer> {
  const wanted = readPriorities(queryParams(call));
  const listeners = [...(await routes.listeners(call.scope)).values()];
  const touched = listeners.filter((l) => l.rules.some((r) => wanted.has(r.arn)));
  const known = new Set(touched.flatMap((l) => l.rules.map((r) => r.arn)));
  if ([...wanted.keys()].some((arn) => !known.has(arn)))
    throw new AwsError('RuleNotFound', 'One or more rules not found');
  refuseTaken(touched, wanted);
  const answer = await upstream.forward(call);
  routes.forget(call.scope);
  return answer;
}

/** @throws AwsError PriorityInUse when a wanted priority belongs to a rule that keeps it. */
function refuseTaken(listeners: readonly Listener[], wanted: ReadonlyMap<string, number>): void {
  for (const listener of listeners) {
    const staying = new Set(listener.rules.filter((r) => !wanted.has(r.arn)).map((r) => r.priority));
    for (const priority of wanted.values()) {
      if (staying.has(priority)) throw new AwsError('PriorityInUse', `Priority '${priority}' is currently in use`);
    }
  }
}

function readPriorities(params: URLSearchParams): Map<string, number> {
  const wanted = new Map<string, number>();
  for (let i = 1; params.has(`RulePriorities.member.${i}.RuleArn`); i++) {
    const priority = readPriority(params.get(`RulePriorities.member.${i}.Priority`));
    if ([...wanted.values()].includes(priority))
      throw new AwsError('PriorityInUse', `Priority '${priority}' is given twice`);
    wanted.set(params.get(`RulePriorities.member.${i}.RuleArn`) ?? '', priority);
  }
  return wanted;
}

function readPriority(text: string | null): number {
  const priority = Number(text);
  if (Number.isInteger(priority) && priority >= 1 && priority <= maxPriority) return priority;
  throw new AwsError('ValidationError', `Rule priority '${text ?? ''}' must be between 1 and ${maxPriority}`);
}
