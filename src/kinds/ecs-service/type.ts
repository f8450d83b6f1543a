import type { SweptType } from '../framework/resource-type.ts';
import { sharesAccount } from '../framework/resource-type.ts';
import { behind } from '../target-group/type.ts';

export const serviceType: SweptType = {
  named: 'slug',
  list: ({ aws }) => aws.inventory.services,
  after: ['route53:record', 'elbv2:rule'],
  isListedIn: (other, cell) => sharesAccount(other, cell) && other.cluster === cell.cluster,
  uses: ({ seen }) => (typeof seen['taskDefinition'] === 'string' ? [seen['taskDefinition']] : []),
  async takeAway({ aws, item }) {
    return (await aws.ecs.deleteService(item.name)) ? 'the service was deleted and drains' : 'it was gone already';
  },
  async useOf({ aws, isListed, item }) {
    const use = isListed ? await aws.inventory.serviceUse(item.physicalId) : undefined;
    if (!use || use.running === 0) return undefined;
    return behind(aws, `it runs ${use.running} tasks and`, use.targetGroupArns);
  },
};
