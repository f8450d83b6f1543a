import { setTimeout as sleep } from 'node:timers/promises';
import { ScanCommand, type DynamoDBClient, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { accountOf } from '../../accounts-router/account-id.ts';
import type { Cell } from '../../contracts/platform.ts';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { StepError } from '../../contracts/step-error.ts';
import { itemName, itemNameParts } from '../../naming.ts';
import { currentCallContext } from '../call-context.ts';
import { createPartitions } from '../dynamodb-partitions.ts';
import { MARK_ATTRIBUTE } from '../dynamodb-values.ts';
import { sent } from '../errors.ts';
import { isUnmarked } from '../partition-rows.ts';
import { createRowChecksum, type Row, type RowChecksum } from '../row-checksum.ts';
import { BETWEEN_PAGES_MS, findScannable } from './items.ts';
import { retryTransient } from './pages.ts';

/**
 * Rows of accounts in the cell's shared tables that bear no mark: what services wrote. One thing for each account and table, however many
 * rows it has: only keys are read, and of each partition their count and checksum are kept, so that other rows are another finding.
 */
export function rowList(client: DynamoDBClient, { sharedTables = [] }: Cell): TypeList {
  const partitions = createPartitions(client);
  return {
    async list() {
      const all: SweptItem[] = [];
      for (const table of sharedTables)
        for (const [partition, keys] of await sumUp(client, table)) all.push(toItem(table, partition, keys));
      return all;
    },
    async find({ name }) {
      const { partition: value, table } = itemNameParts(name);
      const keys = await partitions.findKeys(table);
      if (!keys) return undefined;
      const of = { table, partitionKey: { name: keys.partition, value }, sortKey: keys.sort ?? keys.partition };
      const names = namesOf(keys.partition, keys.sort);
      const sum = createRowChecksum();
      for await (const page of partitions.pages(of, { attributes: [...names, MARK_ATTRIBUTE] }))
        for (const row of page.filter(isUnmarked)) sum.add(pick(row, names));
      return sum.count === 0 ? undefined : toItem(table, value, sum);
    },
  };
}

/** Of the keys of each partition's rows. */
async function sumUp(client: DynamoDBClient, TableName: string): Promise<ReadonlyMap<string, RowChecksum>> {
  const { partition, sort } = await findScannable(client, TableName);
  const names = namesOf(partition.name, sort?.name);
  const sums = new Map<string, RowChecksum>();
  let from: ScanCommandOutput['LastEvaluatedKey'];
  do {
    const command = new ScanCommand({
      TableName,
      FilterExpression: 'begins_with(#pk, :account)',
      ProjectionExpression: sort ? '#pk, #sk, #mark' : '#pk, #mark',
      ExpressionAttributeNames: {
        '#pk': partition.name,
        '#mark': MARK_ATTRIBUTE,
        ...(sort && { '#sk': sort.name }),
      },
      ExpressionAttributeValues: { ':account': { S: 'ACCOUNT#' } },
      ExclusiveStartKey: from,
    });
    const page = await retryTransient(() => client.send(command));
    for (const row of sent(page.Items, { service: 'dynamodb', action: 'Scan' }, 'Items')) {
      const value = row[partition.name]?.S;
      if (value === undefined)
        throw new StepError('AWS_ANSWER_UNREADABLE', 'dynamodb:Scan answered a row without its key');
      if (accountOf(value) === undefined || !isUnmarked(row)) continue;
      const sum = sums.get(value) ?? createRowChecksum();
      sum.add(pick(row, names));
      sums.set(value, sum);
    }
    from = page.LastEvaluatedKey;
    if (from) await sleep(BETWEEN_PAGES_MS, undefined, { signal: currentCallContext()?.signal });
  } while (from);
  return sums;
}

function namesOf(partition: string, sort: string | undefined): readonly string[] {
  return sort === undefined ? [partition] : [partition, sort];
}

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name)));
}

function toItem(table: string, partition: string, keys: RowChecksum): SweptItem {
  const name = itemName(table, partition);
  const base = { type: 'dynamodb:rows', physicalId: name, name, createdAt: undefined, passing: undefined };
  return { ...base, tags: {}, seen: { name, rows: keys.count, keys: keys.digest() } };
}
