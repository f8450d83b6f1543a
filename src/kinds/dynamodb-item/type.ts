import { MARK_ATTRIBUTE } from '../../aws/dynamodb-values.ts';
import { dynamodbTable } from '../../formats.ts';
import { isOfTenantAlone, itemNameParts, ownershipTags, parseOwnershipMarker, tenantIdWord } from '../../naming.ts';
import { sharesAccount, type SweptType } from '../framework/resource-type.ts';

/** A tenant's id is in the value of the partition key. */
const pattern = new RegExp(`^${dynamodbTable}/[^/]*${tenantIdWord}`);

export const itemType: SweptType = {
  named: {
    pattern,
    isOf: (name, { tenantId }) => pattern.test(name) && isOfTenantAlone(itemNameParts(name).partition, tenantId),
  },
  list: ({ aws }) => aws.inventory.items,
  isListedIn: (other, cell, { physicalId }) =>
    sharesAccount(other, cell) && other.sharedTables?.includes(itemNameParts(physicalId).table) === true,
  isFoundByName: true,
  markOf(_name, marker) {
    const mark = parseOwnershipMarker(marker);
    return `its attribute "${MARK_ATTRIBUTE}", a map: ${JSON.stringify(mark ? ownershipTags(mark) : {})}`;
  },
  async takeAway({ aws, item }) {
    const address = await aws.items.locateItem(item.name);
    const isRemoved = address !== undefined && (await aws.items.removeItem(address, item.tags ?? {}));
    return isRemoved ? 'the item was deleted' : 'it was gone, or another, already';
  },
};
