import {
  BatchGetItemCommand,
  QueryCommand,
  ScanCommand,
  type AttributeValue,
  type DynamoDBClient,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import { StepError } from '../contracts/step-error.ts';
import { writeBatches } from './dynamodb-batches.ts';
import { findTable } from './dynamodb-description.ts';
import { keySchemaOf } from './dynamodb-items.ts';
import { MARK_ATTRIBUTE } from './dynamodb-values.ts';
import { sent } from './errors.ts';
import { chunks } from './inventory/pages.ts';
import { sortKeyOf } from './partition-rows.ts';
import { pauseAfter, untilAnswered } from './repeats.ts';
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
  /** Rows that have the attribute of marks, and no others. */
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
  /** All rows of a table, whosever, by pages as above. */
  scan(table: string): AsyncIterable<readonly Row[]>;
  /** Those of the rows that are there, by their sort keys. */
  readRows(partition: Partition, sortKeys: readonly string[]): Promise<ReadonlyMap<string, Row>>;
  /** Those of these keys that are there, in no order; a key must not come twice. */
  findRows(table: string, keys: readonly Row[]): Promise<Row[]>;
  /** Writes them over whatever is there, in no order; a key must not come twice. What is left undone is sent again, for minutes. */
  putRows(table: string, rows: readonly Row[]): Promise<void>;
  /** Deletes those of these keys, in no order, whatever they hold; what is left undone is sent again, for minutes. */
  removeRows(table: string, keys: readonly Row[]): Promise<void>;
  /** Undefined: there is no such table. */
  findKeys(table: string): Promise<TableKeys | undefined>;
}

/** DynamoDB takes no more in a BatchGetItem. */
const MOST_KEYS = 100;
/** How often in a row a table may do nothing of a batch before the whole fails: some five minutes. */
const ROUNDS = 60;

export function createPartitions(client: DynamoDBClient): Partitions {
  return {
    pages: (partition, options = {}) => pages(client, partition, options),

    scan: (table) =>
      allRows((ExclusiveStartKey) =>
        client.send(new ScanCommand({ TableName: table, ConsistentRead: true, ExclusiveStartKey })),
      ),

    findRows: (table, keys) => findRows(client, table, keys),

    async readRows(partition, sortKeys) {
      const keys = sortKeys.map((sortKey) => keyOf(partition, sortKey));
      const rows = await findRows(client, partition.table, keys);
      return new Map(rows.map((row) => [sortKeyOf(row, partition), row]));
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
  };
}

function pages(
  client: DynamoDBClient,
  partition: Partition,
  { after, attributes, isBackward = false, isOnlyMarked = false, limit }: PageOptions,
): AsyncIterable<readonly Row[]> {
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
  const first = after === undefined ? undefined : keyOf(partition, after);
  return allRows((ExclusiveStartKey) => client.send(new QueryCommand({ ...query, ExclusiveStartKey })), first);
}

interface RowsAnswer {
  readonly Items?: readonly Row[] | undefined;
  readonly LastEvaluatedKey?: Record<string, AttributeValue> | undefined;
}

/** A page that fails for a moment must not cost all those before it. */
async function* allRows(
  ask: (from: Record<string, AttributeValue> | undefined) => Promise<RowsAnswer>,
  first?: Record<string, AttributeValue>,
): AsyncGenerator<readonly Row[]> {
  let from = first;
  do {
    const at = from;
    const { Items, LastEvaluatedKey } = await untilAnswered(() => ask(at), { rounds: ROUNDS });
    yield sent(Items, { service: 'dynamodb', action: 'Query' }, 'Items');
    from = LastEvaluatedKey;
  } while (from && Object.keys(from).length > 0);
}

function namesOf(attributes: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(attributes.map((name, i) => [`#a${i}`, name]));
}

async function findRows(client: DynamoDBClient, table: string, keys: readonly Row[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const batch of chunks(keys, MOST_KEYS)) rows.push(...(await readBatch(client, table, batch)));
  return rows;
}

async function readBatch(client: DynamoDBClient, table: string, keys: readonly Row[]): Promise<Row[]> {
  const rows: Row[] = [];
  let left: readonly Row[] = keys;
  for (let idle = 0; left.length > 0;) {
    const batch = new BatchGetItemCommand({ RequestItems: { [table]: { Keys: [...left], ConsistentRead: true } } });
    const { Responses, UnprocessedKeys } = await untilAnswered(() => client.send(batch), { rounds: ROUNDS });
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
