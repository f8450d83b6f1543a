import { DescribeRulesCommand, type ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Cell } from '../../contracts/platform.ts';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { isAwsError, sent } from '../errors.ts';
import { toRule, type ListenerRule } from '../elbv2-rules.ts';
import type { Tags } from '../tags.ts';
import { allPages, retryTransient } from './pages.ts';
import { tagsByArn } from './target-groups.ts';

/** Rules of the cell's HTTPS listeners, but their default ones. */
export function ruleList(client: ElasticLoadBalancingV2Client, cell: Cell): TypeList {
  return {
    async list(isHeld) {
      const rules = await listRules(client, cell);
      const close = rules.filter((rule) => !isHeld('elbv2:rule', nameOf(rule), rule.arn));
      const tags = await tagsByArn(
        client,
        close.map((rule) => rule.arn),
      );
      return rules.flatMap((rule) =>
        close.includes(rule)
          ? tags.has(rule.arn)
            ? [toItem(rule, tags.get(rule.arn))]
            : []
          : [toItem(rule, undefined)],
      );
    },
    async find({ physicalId }) {
      const rule = await findRule(client, physicalId);
      const tags = rule && (await tagsByArn(client, [physicalId])).get(physicalId);
      // Gone between the two calls.
      return rule && tags && toItem(rule, tags);
    },
  };
}

const call = { service: 'elasticloadbalancing', action: 'DescribeRules' };

/** @throws StepError also when a listener is not there: an empty answer would say that its rules are gone */
export async function listRules(client: ElasticLoadBalancingV2Client, cell: Cell): Promise<ListenerRule[]> {
  const rules: ListenerRule[] = [];
  for (const { httpsListenerArn: ListenerArn } of cell.loadBalancers) {
    const raw = await allPages(async (Marker) => {
      const page = await client.send(new DescribeRulesCommand({ ListenerArn, Marker, PageSize: 400 }));
      return { items: sent(page.Rules, call, 'Rules'), next: page.NextMarker };
    });
    rules.push(...raw.filter((rule) => rule.Priority !== 'default').map((rule) => toRule(rule, call)));
  }
  return rules;
}

async function findRule(client: ElasticLoadBalancingV2Client, arn: string): Promise<ListenerRule | undefined> {
  try {
    const answer = await retryTransient(() => client.send(new DescribeRulesCommand({ RuleArns: [arn] })));
    const [found] = sent(answer.Rules, call, 'Rules');
    return found && toRule(found, call);
  } catch (error) {
    if (isAwsError(error, 'RuleNotFound')) return undefined;
    throw error;
  }
}

/** As the ledger names it. */
function nameOf(rule: ListenerRule): string {
  return rule.hosts.join(',') + rule.paths.join(',');
}

function toItem(rule: ListenerRule, tags: Tags | undefined): SweptItem {
  return {
    type: 'elbv2:rule',
    physicalId: rule.arn,
    name: nameOf(rule),
    tags,
    createdAt: undefined,
    passing: undefined,
    seen: { ...rule, tags },
  };
}
