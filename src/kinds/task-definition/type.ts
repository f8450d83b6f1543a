import type { SweptType } from '../framework/resource-type.ts';

export const definitionType: SweptType = {
  named: 'slug',
  list: ({ aws }) => aws.inventory.taskDefinitions,
  after: ['ecs:service'],
  hasUniqueIds: true,
  isKnownByUse: true,
  async takeAway({ aws, item }) {
    await aws.ecs.deregisterTaskDefinition(item.physicalId);
    return 'the revision was deregistered';
  },
  async useOf({ aws, item }) {
    const services = await aws.inventory.servicesUsing(item.physicalId);
    return services.length === 0 ? undefined : `service ${services.join(', ')} uses it`;
  },
};
