import type { SweptType } from '../framework/resource-type.ts';
import { behind } from '../target-group/type.ts';

/** Of every kind that makes rules. */
export const rulePermissions = [
  'elasticloadbalancing:DescribeRules',
  'elasticloadbalancing:DescribeTags',
  'elasticloadbalancing:CreateRule',
  'elasticloadbalancing:AddTags',
  'elasticloadbalancing:ModifyRule',
  'elasticloadbalancing:SetRulePriorities',
  'elasticloadbalancing:DeleteRule',
] as const;

export const ruleType: SweptType = {
  named: 'host',
  list: ({ aws }) => aws.inventory.rules,
  after: ['route53:record'],
  hasUniqueIds: true,
  isListedIn: (other, _cell, { physicalId }) =>
    other.loadBalancers.some((lb) => physicalId.startsWith(ruleArnsOf(lb.httpsListenerArn))),
  async takeAway({ aws, item }) {
    await aws.loadBalancing.deleteRule(item.physicalId);
    return 'the rule was deleted';
  },
  async useOf({ aws, isListed, item }) {
    return isListed ? behind(aws, 'it', await aws.inventory.targetGroupsOfRule(item.physicalId)) : undefined;
  },
};

/** What the ARNs of a listener's rules begin with. */
function ruleArnsOf(listenerArn: string): string {
  return `${listenerArn.replace(':listener/', ':listener-rule/')}/`;
}
