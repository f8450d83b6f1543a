import type { Facts, InventoryItem } from '../item.ts';
import { AnswerTree } from './answer-tree.ts';
import { AwsReadError, readPages, type AwsCaller } from './caller.ts';
import { chunks, facts, lastPart, tagged, tagsOf } from './facts.ts';
import type { OwnedThings } from './owned-things.ts';

/** Load balancers, listeners, rules, target groups and registered targets. */
export async function listElb(caller: AwsCaller, owned: OwnedThings): Promise<InventoryItem[]> {
  const [balancers, groups] = await Promise.all([listBalancers(caller), listGroups(caller)]);
  const groupNames = new Map(groups.map((group) => [group.id, group.name ?? group.id]));
  const listeners = (await Promise.all(balancers.map((b) => listListeners(caller, b)))).flat();
  const rules = (await Promise.all(listeners.map((l) => listRules(caller, l, groupNames)))).flat();
  const [tags, settings] = await Promise.all([
    readTags(
      caller,
      [...balancers, ...listeners, ...rules, ...groups].map((item) => item.id),
    ),
    Promise.all(groups.map((group) => readAttributes(caller, group.id))),
  ]);
  const items = [
    ...balancers,
    ...listeners,
    ...rules,
    ...groups.map((group, i) => ({ ...group, settings: { ...group.settings, ...settings[i] } })),
  ].map((item) => tagged(item, tags.get(item.id)));
  return [...items, ...targetItems(owned, new Map(items.map((item) => [item.id, item])), caller)];
}

async function listBalancers(caller: AwsCaller): Promise<InventoryItem[]> {
  const balancers = await listMembers(caller, 'DescribeLoadBalancers', 'LoadBalancers');
  return balancers.map((b) => ({
    kind: 'elbv2:load-balancer',
    id: b.text('LoadBalancerArn'),
    name: b.text('LoadBalancerName'),
    detail: facts({ state: b.text('State.Code'), scheme: b.text('Scheme'), type: b.text('Type') }),
  }));
}

async function listListeners(caller: AwsCaller, balancer: InventoryItem): Promise<InventoryItem[]> {
  const listeners = await listMembers(caller, 'DescribeListeners', 'Listeners', { LoadBalancerArn: balancer.id });
  return listeners.map((l) => ({
    kind: 'elbv2:listener',
    id: l.text('ListenerArn'),
    name: `${balancer.name ?? ''}:${l.text('Port')}`,
    detail: facts({ protocol: l.text('Protocol') }),
    settings: facts({
      defaultAction: l
        .list('DefaultActions')
        .map((action) => actionText(action))
        .join(' '),
      certificates: l
        .list('Certificates')
        .map((c) => c.text('CertificateArn'))
        .join(' '),
    }),
  }));
}

/** But for the default rule, which is the listener's own. */
async function listRules(
  caller: AwsCaller,
  listener: InventoryItem,
  groupNames: ReadonlyMap<string, string>,
): Promise<InventoryItem[]> {
  const rules = await listMembers(caller, 'DescribeRules', 'Rules', { ListenerArn: listener.id });
  return rules
    .filter((rule) => rule.text('IsDefault') !== 'true')
    .map((rule) => ({
      kind: 'elbv2:rule',
      id: rule.text('RuleArn'),
      name: `${listener.name ?? ''} priority ${rule.text('Priority')}`,
      detail: facts({
        when: rule.list('Conditions').map(conditionText).join(' '),
        then: rule
          .list('Actions')
          .map((action) => actionText(action, groupNames))
          .join(' '),
      }),
    }));
}

async function listGroups(caller: AwsCaller): Promise<InventoryItem[]> {
  const groups = await listMembers(caller, 'DescribeTargetGroups', 'TargetGroups');
  return groups.map((g) => ({
    kind: 'elbv2:target-group',
    id: g.text('TargetGroupArn'),
    name: g.text('TargetGroupName'),
    detail: facts({ port: g.text('Port'), health: g.text('HealthCheckPath') }),
    settings: facts({
      protocol: g.text('Protocol'),
      vpc: g.text('VpcId'),
      targetType: g.text('TargetType'),
      healthPort: g.text('HealthCheckPort'),
      healthIntervalSeconds: g.text('HealthCheckIntervalSeconds'),
      healthTimeoutSeconds: g.text('HealthCheckTimeoutSeconds'),
      healthyThreshold: g.text('HealthyThresholdCount'),
      unhealthyThreshold: g.text('UnhealthyThresholdCount'),
      matcher: g.text('Matcher.HttpCode'),
    }),
  }));
}

function targetItems(
  { targets }: OwnedThings,
  items: ReadonlyMap<string, InventoryItem>,
  { scope }: AwsCaller,
): InventoryItem[] {
  return targets
    .filter(
      ({ targetGroupArn }) => targetGroupArn.split(':').slice(3, 5).join() === `${scope.region},${scope.accountId}`,
    )
    .map(({ targetGroupArn, address, state }) => {
      const group = items.get(targetGroupArn);
      const name = `${address} in ${group?.name ?? lastPart(targetGroupArn)}`;
      const item = { kind: 'elbv2:target', id: `${targetGroupArn} ${address}`, name, detail: { state } };
      return group?.owner ? { ...item, owner: group.owner } : item;
    });
}

function conditionText(condition: AnswerTree): string {
  const configs = ['HostHeaderConfig', 'PathPatternConfig', 'HttpHeaderConfig', 'SourceIpConfig'];
  const values = [condition.list('Values'), ...configs.map((name) => condition.list(`${name}.Values`))];
  const texts = new Set(values.flat().map((value) => value.value));
  return `${condition.text('Field')}=${[...texts].join('|')}`;
}

function actionText(action: AnswerTree, groupNames: ReadonlyMap<string, string> = new Map()): string {
  const forwarded = [
    action.text('TargetGroupArn'),
    ...action.list('ForwardConfig.TargetGroups').map((group) => group.text('TargetGroupArn')),
  ].filter((arn) => arn !== '');
  const names = [...new Set(forwarded)].map((arn) => groupNames.get(arn) ?? arn);
  const status = action.text('FixedResponseConfig.StatusCode') || action.text('RedirectConfig.StatusCode');
  const message = action.text('FixedResponseConfig.MessageBody');
  return [action.text('Type'), ...names, status, message && `"${message}"`].filter((text) => text !== '').join(' ');
}

/** Tags by ARN; DescribeTags takes 20 of them. */
async function readTags(caller: AwsCaller, arns: readonly string[]): Promise<Map<string, Facts>> {
  const answers = await Promise.all(chunks(arns, 20).map((some) => describeTags(caller, some)));
  return new Map(
    answers.flat().map((description) => [description.text('ResourceArn'), tagsOf(description.list('Tags'))]),
  );
}

/** One that went since it was listed fails the call for all of them: then each is asked alone. */
async function describeTags(caller: AwsCaller, arns: readonly string[]): Promise<readonly AnswerTree[]> {
  const input = Object.fromEntries(arns.map((arn, i) => [`ResourceArns.member.${i + 1}`, arn]));
  const answer = await unlessGone(call(caller, 'DescribeTags', input));
  if (answer) return answer.list('DescribeTagsResult.TagDescriptions');
  if (arns.length === 1) return [];
  return (await Promise.all(arns.map((arn) => describeTags(caller, [arn])))).flat();
}

async function readAttributes(caller: AwsCaller, TargetGroupArn: string): Promise<Facts> {
  const answer = await unlessGone(call(caller, 'DescribeTargetGroupAttributes', { TargetGroupArn }));
  const attributes = answer?.list('DescribeTargetGroupAttributesResult.Attributes') ?? [];
  return Object.fromEntries(attributes.map((a) => [a.text('Key'), a.text('Value')]));
}

async function unlessGone(answer: Promise<AnswerTree>): Promise<AnswerTree | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AwsReadError && error.code.includes('NotFound')) return undefined;
    throw error;
  }
}

/** All members of a Describe call's list; none when what it asks of went meanwhile. */
async function listMembers(
  caller: AwsCaller,
  action: string,
  list: string,
  input: Readonly<Record<string, string>> = {},
): Promise<AnswerTree[]> {
  const answers = await readPages(
    async (Marker) => {
      const page = call(caller, action, { ...input, ...(Marker && { Marker }) });
      // Listeners and rules of a load balancer that was deleted since it was listed.
      return Object.keys(input).length === 0 ? page : ((await unlessGone(page)) ?? AnswerTree.empty);
    },
    (answer) => answer.text(`${action}Result.NextMarker`) || undefined,
  );
  return answers.flatMap((answer) => answer.list(`${action}Result.${list}`));
}

function call(caller: AwsCaller, action: string, input: Readonly<Record<string, string>>): Promise<AnswerTree> {
  return caller.read({ protocol: 'query', service: 'elasticloadbalancing', version: '2015-12-01', action, input });
}
