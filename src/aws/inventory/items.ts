import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeTableCommand, ScanCommand, type AttributeValue, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Cell } from '../../contracts/platform.ts';
import type { SweptItem, TypeList } from '../../contracts/sweep.ts';
import { StepError } from '../../contracts/step-error.ts';
import { itemName } from '../../naming.ts';
import { createItems, keySchemaOf } from '../dynamodb-items.ts';
import { MARK_ATTRIBUTE, markIn } from '../dynamodb-values.ts';
import { sent } from '../errors.ts';
import { INSTALLATION_TAG, type Tags } from '../tags.ts';
import { allPages, retryTransient } from './pages.ts';

/**
 * Items have no tags, and nothing lists them by their mark but a scan, which reads (and bills) the whole table: a larger one is not
 * scanned, and the sweep says so.
 */
const LARGEST_SCANNED_BYTES = 256 * 1024 * 1024;
const ITEMS_PER_PAGE = 1_000;
/** A page is 1 MB at most, which is 128 read units: so many ms between two leave a table of the usual size most of its capacity. */
export const BETWEEN_PAGES_MS = 100;

/** Items with a mark in the cell's shared tables. A tenant's own tables are not listed: they go with what is in them. */
export function itemList(client: DynamoDBClient, { sharedTables = [] }: Cell): TypeList {
  const items = createItems(client);
  return {
    async list() {
      const all: SweptItem[] = [];
      for (const table of sharedTables) all.push(...(await listTable(client, table)));
      return all;
    },
    async find({ name }) {
      const address = await retryTransient(() => items.locateItem(name));
      const found = address && (await retryTransient(() => items.findItem(address)));
      return found && toItem(name, found.mark);
    },
  };
}

/** The key of a table that is small enough. @throws StepError INVALID_REQUEST for another */
export async function findScannable(client: DynamoDBClient, table: string): Promise<ReturnType<typeof keySchemaOf>> {
  const answer = await retryTransient(() => client.send(new DescribeTableCommand({ TableName: table })));
  const described = sent(answer.Table, { service: 'dynamodb', action: 'DescribeTable' }, 'Table');
  const { TableSizeBytes: bytes = 0 } = described;
  if (bytes > LARGEST_SCANNED_BYTES)
    throw new StepError(
      'INVALID_REQUEST',
      `items of table ${table} cannot be listed: it holds ${bytes} bytes, and a scan of more than ${LARGEST_SCANNED_BYTES} costs too much`,
    );
  return keySchemaOf(described);
}

async function listTable(client: DynamoDBClient, table: string): Promise<SweptItem[]> {
  const { partition, sort } = await findScannable(client, table);
  const names = { '#mark': MARK_ATTRIBUTE, '#pk': partition.name, ...(sort && { '#sk': sort.name }) };
  const raw = await scan(client, table, names);
  return raw.flatMap((item) => {
    const key = [item[partition.name], sort && item[sort.name]].flatMap((value) => value?.S ?? value?.N ?? []);
    const mark = markIn(item[MARK_ATTRIBUTE]);
    const [first, second] = key;
    return first === undefined || mark[INSTALLATION_TAG] === undefined
      ? []
      : [toItem(itemName(table, first, second), mark)];
  });
}

function scan(client: DynamoDBClient, TableName: string, names: Record<string, string>) {
  let pages = 0;
  return allPages<Record<string, AttributeValue>, Record<string, AttributeValue>>(async (ExclusiveStartKey) => {
    if (pages++ > 0) await sleep(BETWEEN_PAGES_MS);
    const page = await client.send(
      new ScanCommand({
        TableName,
        Limit: ITEMS_PER_PAGE,
        FilterExpression: 'attribute_exists(#mark)',
        ProjectionExpression: Object.keys(names).join(', '),
        ExpressionAttributeNames: names,
        ExclusiveStartKey,
      }),
    );
    return {
      items: sent(page.Items, { service: 'dynamodb', action: 'Scan' }, 'Items'),
      next: page.LastEvaluatedKey,
    };
  });
}

function toItem(name: string, tags: Tags): SweptItem {
  const base = { type: 'dynamodb:item', physicalId: name, name, createdAt: undefined, passing: undefined };
  return { ...base, tags, seen: { name, tags } };
}
