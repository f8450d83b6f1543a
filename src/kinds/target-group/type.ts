import { isTargetGroupNameOf, targetGroupPattern } from '../../naming.ts';
import type { SweepAws, SweptType } from '../framework/resource-type.ts';

export const targetGroupType: SweptType = {
  named: {
    pattern: targetGroupPattern,
    isOf: (name, { installationId, tenantId }) => isTargetGroupNameOf(name, installationId, tenantId),
  },
  list: ({ aws }) => aws.inventory.targetGroups,
  after: ['elbv2:rule', 'ecs:service'],
  hasUniqueIds: true,
  isFoundByName: true,
  async takeAway({ aws, item }) {
    await aws.loadBalancing.deleteTargetGroup(item.physicalId);
    return 'the target group was deleted';
  },
  async useOf({ aws, isListed, item }) {
    const serving = isListed ? await servingTarget(aws, item.physicalId) : undefined;
    return serving === undefined ? undefined : `its target ${serving}`;
  },
};

/** What is said of the first target group that serves anybody; undefined when none does. */
export async function behind(
  aws: SweepAws,
  what: string,
  targetGroupArns: readonly string[],
): Promise<string | undefined> {
  for (const arn of targetGroupArns) {
    const serving = await servingTarget(aws, arn);
    if (serving !== undefined) return `${what} forwards to ${arn}, whose target ${serving}`;
  }
  return undefined;
}

/** A load balancer whose targets are all unhealthy sends to every one of them ("fails open"): they serve. */
async function servingTarget({ inventory, loadBalancing }: SweepAws, arn: string): Promise<string | undefined> {
  const [serving] = await inventory.servingTargets(arn);
  if (serving !== undefined) return serving;
  const unhealthy = (await loadBalancing.findTargetHealth(arn))?.find(({ state }) => state === 'unhealthy');
  return unhealthy && `${unhealthy.target} is unhealthy, as all are: the load balancer sends to them all the same`;
}
