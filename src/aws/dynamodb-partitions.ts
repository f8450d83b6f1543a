import {
  BatchGetItemCommand,
  DeleteItemCommand,
  QueryCommand,
  type AttributeValue,
  type DynamoDBClient,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { StepError } from '../contracts/step-error.ts';
import { pauseAfter, unlessThrottled, writeBatches } from './dynamodb-batches.ts';
import { findTable } from './dynamodb-description.ts';
import { keySchemaOf, unlessRefused } from './dynamodb-items.ts';
import { MARK_ATTRIBUTE } from './dynamodb-values.ts';
import { sent } from './errors.ts';
import { sortKeyOf } from './partition-rows.ts';
import type { Row } from './row-checksum.ts';

export { isMarked, sortKeyOf } from './partition-rows.ts';

/** A partition of a table whose key is two strings, by the names of its attributes. */
export interface Partition {
  readonly table: string;
  readonly partitionKey: { readonly name: string; readonly value: string };
  readonly sortKey: string;
}

export interface PageOptions {
  /** Sort key behind which it begins. */
  readonly after?: string | undefined;
  /** From the end. */
  readonly isBackward?: boolean | undefined;
  /** Rows that a page has at most. */
  readonly limit?: number | undefined;
  /** Rows that bear a mark, and no others. */
  readonly isOnlyMarked?: boolean | undefined;
  /** Default: all. */
  readonly attributes?: readonly string[] | undefined;
}

/** Names of the attributes of a table's key. */
export interface TableKeys {
  readonly partition: string;
  readonly sort: string | undefined;
}

/** Rows of partitions, as DynamoDB has them. Reads are consistent. Every method throws StepError. */
export interface Partitions {
  /** In the order of the sort keys, a page of DynamoDB each (1 MB at most); some may be empty. */
  pages(partition: Partition, options?: PageOptions): AsyncIterable<readonly Row[]>;
  /** Those of the rows that are there, by their sort keys. */
  readRows(partition: Partition, sortKeys: readonly string[]): Promise<ReadonlyMap<string, Row>>;
  /** Writes them over whatever is there, in no order; a key must not come twice. What is left undone is sent again, for minutes. */
  putRows(table: string, rows: readonly Row[]): Promise<void>;
  /** Deletes those of these keys, in no order, whatever they hold; what is left undone is sent again, for minutes. */
  removeRows(table: string, keys: readonly Row[]): Promise<void>;
  /** Undefined: there is no such table. */
  findKeys(table: string): Promise<TableKeys | undefined>;
  /** Deletes a row, or none. @returns false: it bears a mark, and was left */
  removeUnmarked(partition: Partition, sortKey: string): Promise<boolean>;
}

/** DynamoDB takes no more in a BatchGetItem. */
const MOST_KEYS = 100;
/** How often in a row a table may do nothing of a batch before the whole fails: some five minutes. */
const ROUNDS = 60;

export function createPartitions(client: DynamoDBClient): Partitions {
  return {
    pages: (partition, options = {}) => pages(client, partition, options),

    async readRows(partition, sortKeys) {
      const rows = new Map<string, Row>();
      for (let first = 0; first < sortKeys.length; first += MOST_KEYS)
        for (const row of await readBatch(client, partition, sortKeys.slice(first, first + MOST_KEYS)))
          rows.set(sortKeyOf(row, partition), row);
      return rows;
    },

    putRows: (table, rows) =>
      writeBatches(
        client,
        table,
        rows.map((row) => ({ PutRequest: { Item: { ...row } } })),
        ROUNDS,
      ),

    removeRows: (table, keys) =>
      writeBatches(
        client,
        table,
        keys.map((key) => ({ DeleteRequest: { Key: { ...key } } })),
        ROUNDS,
      ),

    async findKeys(table) {
      const found = await findTable(client, table);
      if (!found) return undefined;
      const { partition, sort } = keySchemaOf(found);
      return { partition: partition.name, sort: sort?.name };
    },

    removeUnmarked: (partition, sortKey) =>
      unlessRefused(() =>
        client.send(
          new DeleteItemCommand({
            TableName: partition.table,
            Key: keyOf(partition, sortKey),
            ConditionExpression: 'attribute_not_exists(#mark)',
            ExpressionAttributeNames: { '#mark': MARK_ATTRIBUTE },
          }),
        ),
      ),
  };
}

async function* pages(
  client: DynamoDBClient,
  partition: Partition,
  { after, attributes, isBackward = false, isOnlyMarked = false, limit }: PageOptions,
): AsyncGenerator<readonly Row[]> {
  const { partitionKey, table } = partition;
  const query: QueryCommandInput = {
    TableName: table,
    ConsistentRead: true,
    ScanIndexForward: !isBackward,
    KeyConditionExpression: '#partition = :partition',
    ExpressionAttributeNames: {
      '#partition': partitionKey.name,
      ...namesOf(attributes),
      ...(isOnlyMarked && { '#mark': MARK_ATTRIBUTE }),
    },
    ...(attributes && { ProjectionExpression: Object.keys(namesOf(attributes)).join(', ') }),
    ...(isOnlyMarked && { FilterExpression: 'attribute_exists(#mark)' }),
    ExpressionAttributeValues: { ':partition': { S: partitionKey.value } },
    ...(limit !== undefined && { Limit: limit }),
  };
  let from = after === undefined ? undefined : keyOf(partition, after);
  do {
    const page = new QueryCommand({ ...query, ExclusiveStartKey: from });
    const { Items, LastEvaluatedKey } = await unlessThrottled(() => client.send(page), ROUNDS);
    yield sent(Items, { service: 'dynamodb', action: 'Query' }, 'Items');
    from = LastEvaluatedKey;
  } while (from && Object.keys(from).length > 0);
}

function namesOf(attributes: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(attributes.map((name, i) => [`#a${i}`, name]));
}

async function readBatch(client: DynamoDBClient, partition: Partition, sortKeys: readonly string[]): Promise<Row[]> {
  const { table } = partition;
  const rows: Row[] = [];
  let left = sortKeys.map((sortKey) => keyOf(partition, sortKey));
  for (let idle = 0; left.length > 0;) {
    const batch = new BatchGetItemCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: true } } });
    const { Responses, UnprocessedKeys } = await unlessThrottled(() => client.send(batch), ROUNDS);
    rows.push(...(sent(Responses, { service: 'dynamodb', action: 'BatchGetItem' }, 'Responses')[table] ?? []));
    const unread = UnprocessedKeys?.[table]?.Keys ?? [];
    idle = unread.length < left.length ? 1 : idle + 1;
    if (idle >= ROUNDS)
      throw new StepError('THROTTLED', `dynamodb:BatchGetItem left ${unread.length} items of table ${table} unread`);
    left = unread;
    if (left.length > 0) await pauseAfter(idle);
  }
  return rows;
}

function keyOf({ partitionKey, sortKey }: Partition, value: string): Record<string, AttributeValue> {
  return { [partitionKey.name]: { S: partitionKey.value }, [sortKey]: { S: value } };
}
