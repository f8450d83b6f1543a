import type { QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import type { AccountScope } from './table-keys.ts';
import type { CallOptions, Fields, Table } from './table.ts';

/**
 * One page of a query that was guarded. A page of an index may end at a row of somebody else which the filter drops: its key is not
 * given away as the end of the page, but read on from, up to a row of the account.
 */
export async function queryOwnPage(
  table: Table,
  { partition, partitionKey }: AccountScope,
  fields: Fields,
  options?: CallOptions,
): Promise<QueryCommandOutput> {
  let page = await table.query(fields, options);
  const limit = fields['Limit'];
  while (page.LastEvaluatedKey && page.LastEvaluatedKey[partitionKey] !== partition) {
    const rest = {
      ...fields,
      ExclusiveStartKey: page.LastEvaluatedKey,
      // The row at the end was evaluated and dropped: less than the limit was found.
      ...(typeof limit === 'number' && { Limit: Math.max(1, limit - (page.Count ?? 0)) }),
    };
    page = joined(page, await table.query(rest, options));
  }
  return page;
}

function joined(page: QueryCommandOutput, next: QueryCommandOutput): QueryCommandOutput {
  const units = (page.ConsumedCapacity?.CapacityUnits ?? 0) + (next.ConsumedCapacity?.CapacityUnits ?? 0);
  return {
    ...next,
    ...(page.Items && { Items: [...page.Items, ...(next.Items ?? [])] }),
    Count: (page.Count ?? 0) + (next.Count ?? 0),
    ScannedCount: (page.ScannedCount ?? 0) + (next.ScannedCount ?? 0),
    ...(next.ConsumedCapacity && { ConsumedCapacity: { ...next.ConsumedCapacity, CapacityUnits: units } }),
  };
}
