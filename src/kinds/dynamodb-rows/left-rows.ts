import { accountOf } from '../../accounts-router/account-id.ts';
import { MARK_ATTRIBUTE } from '../../aws/dynamodb-values.ts';
import { isUnmarked } from '../../aws/partition-rows.ts';
import { dynamodbTable } from '../../formats.ts';
import { itemNameParts, tenantIdWord } from '../../naming.ts';
import { sharesAccount, type SweptType } from '../framework/resource-type.ts';
import { keyIn } from './rows.ts';

const pattern = new RegExp(`^${dynamodbTable}/ACCOUNT#${tenantIdWord}$`);

const tenantIn = (name: string) => accountOf(itemNameParts(name).partition);

/**
 * What services wrote into the partition of an account, by its table and key. No step makes it; where none of the account's removes it any
 * more, a write landed late, and the sweep tells of it.
 */
export const leftRows: SweptType = {
  named: { pattern, isOf: (name, { tenantId }) => tenantIn(name) === tenantId },
  tenantIn,
  list: ({ aws }) => aws.inventory.rows,
  isListedIn: (other, cell, { physicalId }) =>
    sharesAccount(other, cell) && other.sharedTables?.includes(itemNameParts(physicalId).table) === true,
  async takeAway({ aws, item }) {
    const { partition: value, table } = itemNameParts(item.name);
    const found = await aws.partitions.findKeys(table);
    if (!found) return 'its table was gone already';
    const keys = found.sort === undefined ? [found.partition] : [found.partition, found.sort];
    const of = { table, partitionKey: { name: found.partition, value }, sortKey: found.sort ?? found.partition };
    let removed = 0;
    for await (const page of aws.partitions.pages(of, { attributes: [...keys, MARK_ATTRIBUTE] })) {
      const rows = page.filter(isUnmarked).map(keyIn(keys));
      await aws.partitions.removeRows(table, rows);
      removed += rows.length;
    }
    return `${removed} rows were deleted`;
  },
};
