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
import { BETWEEN_PAGES_MS, findScannable } from './items.ts';
import { retryTransient } from './pages.ts';

/**
 * Rows of accounts in the cell's shared tables that bear no mark: what services wrote. One thing for each account and table, however many
 * rows it has: only keys of partitions are read, and how many rows have each is kept.
 */
export function rowList(client: DynamoDBClient, { sharedTables = [] }: Cell): TypeList {
  const partitions = createPartitions(client);
  return {
    async list() {
      const all: SweptItem[] = [];
      for (const table of sharedTables)
        for (const [partition, rows] of await countRows(client, table)) all.push(toItem(table, partition, rows));
      return all;
    },
    async find({ name }) {
      const { partition: value, table } = itemNameParts(name);
      const keys = await partitions.findKeys(table);
      if (!keys) return undefined;
      const of = { table, partitionKey: { name: keys.partition, value }, sortKey: keys.sort ?? keys.partition };
      let rows = 0;
      for await (const page of partitions.pages(of, { attributes: [keys.partition, MARK_ATTRIBUTE] }))
        rows += page.filter(isUnmarked).length;
      return rows === 0 ? undefined : toItem(table, value, rows);
    },
  };
}

async function countRows(client: DynamoDBClient, TableName: string): Promise<ReadonlyMap<string, number>> {
  const { partition } = await findScannable(client, TableName);
  const counts = new Map<string, number>();
  let from: ScanCommandOutput['LastEvaluatedKey'];
  do {
    const command = new ScanCommand({
      TableName,
      FilterExpression: 'begins_with(#pk, :account)',
      ProjectionExpression: '#pk, #mark',
      ExpressionAttributeNames: { '#pk': partition.name, '#mark': MARK_ATTRIBUTE },
      ExpressionAttributeValues: { ':account': { S: 'ACCOUNT#' } },
      ExclusiveStartKey: from,
    });
    const page = await retryTransient(() => client.send(command));
    for (const row of sent(page.Items, { service: 'dynamodb', action: 'Scan' }, 'Items')) {
      const value = row[partition.name]?.S;
      if (value === undefined)
        throw new StepError('AWS_ANSWER_UNREADABLE', 'dynamodb:Scan answered a row without its key');
      if (accountOf(value) !== undefined && isUnmarked(row)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    from = page.LastEvaluatedKey;
    if (from) await sleep(BETWEEN_PAGES_MS, undefined, { signal: currentCallContext()?.signal });
  } while (from);
  return counts;
}

function toItem(table: string, partition: string, rows: number): SweptItem {
  const name = itemName(table, partition);
  const base = { type: 'dynamodb:rows', physicalId: name, name, createdAt: undefined, passing: undefined };
  return { ...base, tags: {}, seen: { name, rows } };
}
