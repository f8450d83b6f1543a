import type { SweptType } from '../framework/resource-type.ts';

export const logGroupType: SweptType = {
  named: 'slug',
  list: ({ aws }) => aws.inventory.logGroups,
  after: ['ecs:service'],
  async takeAway({ aws, item }) {
    await aws.logs.deleteLogGroup(item.name);
    return 'the log group was deleted';
  },
  async useOf({ aws, item }) {
    // Every log group of ours is named after the service that writes to it.
    const use = await aws.inventory.serviceUse(item.name.replace(/^\/ecs\//, ''));
    return use && use.running > 0 ? `the service of its name runs ${use.running} tasks` : undefined;
  },
};
