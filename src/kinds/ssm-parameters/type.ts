import { isOfTenantAlone, tenantIdWord } from '../../naming.ts';
import type { SweptType } from '../framework/resource-type.ts';

/** A path with a tenant's id in it; not the worker's own (the mark of the ledger), which has an installation's. */
const pattern = new RegExp(`^/(?!tenantry/).*${tenantIdWord}`);

export const parameterType: SweptType = {
  named: { pattern, isOf: (name, { tenantId }) => pattern.test(name) && isOfTenantAlone(name, tenantId) },
  list: ({ aws }) => aws.inventory.parameters,
  isFoundByName: true,
  async takeAway({ aws, item }) {
    await aws.markedParameters.removeParameters([item.name]);
    return 'the parameter was deleted';
  },
};
