import {
  BatchWriteItemCommand,
  DescribeContinuousBackupsCommand,
  DescribeTimeToLiveCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  type AttributeValue,
  type DynamoDBClient,
  type TableDescription as SdkTable,
} from '@aws-sdk/client-dynamodb';
import { StepError } from '../contracts/step-error.ts';
import { writeBatches } from './dynamodb-batches.ts';
import { findTable } from './dynamodb-description.ts';
import { fromAttributes, toAttributes, type Item } from './dynamodb-values.ts';
import { isAwsError, sent } from './errors.ts';

export type { Item, ItemValue } from './dynamodb-values.ts';

/** The key of an item; both parts are strings, named `PK` and `SK`. */
export interface ItemKey {
  readonly PK: string;
  readonly SK: string;
}

export type VersionedItem = Item & ItemKey & { readonly version: number };
export type KeyedItem = Item & ItemKey;

/** A key as `HASH PK S, RANGE SK S`. */
export type KeySchemaText = string;

export interface TableLook {
  readonly status: string;
  readonly keys: KeySchemaText;
  /** Keys of each global secondary index, and what it projects. */
  readonly indexes: Readonly<Record<string, { readonly keys: KeySchemaText; readonly projection: string }>>;
  /** Undefined: no stream. */
  readonly streamViewType: string | undefined;
}

/** Tables of DynamoDB whose items have the keys `PK` and `SK`. */
export interface Tables {
  /** Undefined when there is none. */
  look(table: string): Promise<TableLook | undefined>;
  hasPointInTimeRecovery(table: string): Promise<boolean>;
  /** The attribute by which rows expire; undefined when none do. Rows may do so until AWS is done with switching it off. */
  findTimeToLive(table: string): Promise<string | undefined>;
  /** Which calls of this port the credentials may not make; each is tried so that it changes nothing. */
  deniedActions(table: string): Promise<string[]>;
  /** Writes the item unless the table holds this or a later version. @returns whether it was written */
  putNewer(table: string, item: VersionedItem): Promise<boolean>;
  /** Writes the item if the table still holds the version that was seen there (undefined: none). @returns whether it was written */
  putInPlaceOf(table: string, item: VersionedItem, seen: number | undefined): Promise<boolean>;
  /** The version that the table holds now; undefined: none. */
  readVersion(table: string, key: ItemKey): Promise<number | undefined>;
  /** Writes all of them, in no order. To write the same again changes nothing, and adds nothing to the stream. */
  putAll(table: string, items: readonly KeyedItem[]): Promise<void>;
  removeAll(table: string, keys: readonly ItemKey[]): Promise<void>;
  /** The items of a partition, consistently read, in the order of their sort keys. */
  listItems(table: string, PK: string): AsyncIterable<KeyedItem>;
  /** Every item of the table, with these attributes besides its key. */
  listAll(table: string, attributes: readonly string[]): AsyncIterable<KeyedItem>;
}

/** How often in a row a table may take nothing of a batch before the whole fails. */
const BATCH_ROUNDS = 5;

export function createTables(client: DynamoDBClient): Tables {
  const put = async (TableName: string, item: VersionedItem, condition: Condition): Promise<boolean> => {
    try {
      await client.send(new PutItemCommand({ TableName, Item: toAttributes(item), ...condition }));
      return true;
    } catch (error) {
      if (isAwsError(error, 'ConditionalCheckFailed')) return false;
      throw error;
    }
  };
  return {
    async look(TableName) {
      const found = await findTable(client, TableName);
      return found && lookOf(found);
    },

    async hasPointInTimeRecovery(TableName) {
      const { ContinuousBackupsDescription: backups } = await client.send(
        new DescribeContinuousBackupsCommand({ TableName }),
      );
      return backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED';
    },

    async findTimeToLive(TableName) {
      const answer = await client.send(new DescribeTimeToLiveCommand({ TableName }));
      const call = { service: 'dynamodb', action: 'DescribeTimeToLive' };
      const { TimeToLiveStatus: status, AttributeName: name } = sent(answer.TimeToLiveDescription, call, 'description');
      return sent(status, call, 'status') === 'DISABLED' ? undefined : sent(name, call, 'attribute');
    },

    deniedActions: (table) => findDeniedActions(client, table),

    putNewer: (table, item) => put(table, item, unlessAtLeast(item.version)),
    putInPlaceOf: (table, item, seen) => put(table, item, seen === undefined ? whereNone : whereVersion(seen)),

    async readVersion(TableName, { PK, SK }) {
      const { Item: found } = await client.send(
        new GetItemCommand({
          TableName,
          Key: toAttributes({ PK, SK }),
          ConsistentRead: true,
          ProjectionExpression: '#version',
          ExpressionAttributeNames: versionName,
        }),
      );
      return found && numberOf(fromAttributes(found));
    },

    putAll: (table, items) =>
      writeBatches(
        client,
        table,
        items.map((item) => ({ PutRequest: { Item: toAttributes(item) } })),
        BATCH_ROUNDS,
      ),
    removeAll: (table, keys) =>
      writeBatches(
        client,
        table,
        keys.map(({ PK, SK }) => ({ DeleteRequest: { Key: toAttributes({ PK, SK }) } })),
        BATCH_ROUNDS,
      ),

    listItems: (TableName, PK) =>
      pages((ExclusiveStartKey) =>
        client.send(
          new QueryCommand({
            TableName,
            ConsistentRead: true,
            KeyConditionExpression: 'PK = :pk',
            ExpressionAttributeValues: toAttributes({ ':pk': PK }),
            ExclusiveStartKey,
          }),
        ),
      ),

    listAll: (TableName, attributes) =>
      pages((ExclusiveStartKey) =>
        client.send(
          new ScanCommand({
            TableName,
            ConsistentRead: true,
            ProjectionExpression: ['PK', 'SK', ...attributes.map((_, i) => `#a${i}`)].join(', '),
            ExpressionAttributeNames: Object.fromEntries(attributes.map((name, i) => [`#a${i}`, name])),
            ExclusiveStartKey,
          }),
        ),
      ),
  };
}

interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

const versionName = { '#version': 'version' };
const whereNone: Condition = {
  ConditionExpression: 'attribute_not_exists(#version)',
  ExpressionAttributeNames: versionName,
};
const whereVersion = (seen: number): Condition => ({
  ConditionExpression: '#version = :seen',
  ExpressionAttributeNames: versionName,
  ExpressionAttributeValues: toAttributes({ ':seen': seen }),
});
const unlessAtLeast = (version: number): Condition => ({
  ConditionExpression: 'attribute_not_exists(#version) or #version < :version',
  ExpressionAttributeNames: versionName,
  ExpressionAttributeValues: toAttributes({ ':version': version }),
});

/**
 * A write whose condition cannot hold is refused by IAM first, and changes nothing where it is allowed. BatchWriteItem knows no
 * conditions: it is asked to delete an item that cannot be there.
 */
async function findDeniedActions(client: DynamoDBClient, TableName: string): Promise<string[]> {
  const key = { PK: 'TENANTRY#DOCTOR', SK: 'NONE' };
  const Key = toAttributes(key);
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    'dynamodb:GetItem': () => client.send(new GetItemCommand({ TableName, Key })),
    'dynamodb:Query': () =>
      client.send(
        new QueryCommand({
          TableName,
          Limit: 1,
          KeyConditionExpression: 'PK = :pk',
          ExpressionAttributeValues: toAttributes({ ':pk': key.PK }),
        }),
      ),
    'dynamodb:Scan': () => client.send(new ScanCommand({ TableName, Limit: 1 })),
    'dynamodb:PutItem': () =>
      client.send(new PutItemCommand({ TableName, Item: Key, ConditionExpression: 'attribute_exists(PK)' })),
    'dynamodb:BatchWriteItem': () =>
      client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ DeleteRequest: { Key } }] } })),
  };
  const denied = await Promise.all(
    Object.entries(calls).map(async ([action, call]) => {
      try {
        await call();
      } catch (error) {
        if (error instanceof StepError && error.code === 'ACCESS_DENIED') return [action];
        if (!isAwsError(error, 'ConditionalCheckFailed', 'ValidationException')) throw error;
      }
      return [];
    }),
  );
  return denied.flat();
}

interface Page {
  readonly Items?: Record<string, AttributeValue>[] | undefined;
  readonly LastEvaluatedKey?: Record<string, AttributeValue> | undefined;
}

/** Items without string keys `PK` and `SK` are none of ours. */
async function* pages(
  ask: (from: Record<string, AttributeValue> | undefined) => Promise<Page>,
): AsyncGenerator<KeyedItem> {
  let from: Record<string, AttributeValue> | undefined;
  do {
    const page = await ask(from);
    for (const attributes of page.Items ?? []) {
      const { PK, SK, ...rest } = fromAttributes(attributes);
      if (typeof PK === 'string' && typeof SK === 'string') yield { ...rest, PK, SK };
    }
    from = page.LastEvaluatedKey;
  } while (from && Object.keys(from).length > 0);
}

function numberOf({ version }: Item): number | undefined {
  return typeof version === 'number' ? version : undefined;
}

function lookOf(table: SdkTable): TableLook {
  const types = new Map(table.AttributeDefinitions?.map((a) => [a.AttributeName, a.AttributeType]));
  const text = (keys: SdkTable['KeySchema']) =>
    (keys ?? []).map((k) => `${k.KeyType} ${k.AttributeName} ${types.get(k.AttributeName)}`).join(', ');
  const indexes = (table.GlobalSecondaryIndexes ?? []).map((index) => [
    index.IndexName ?? '',
    { keys: text(index.KeySchema), projection: index.Projection?.ProjectionType ?? '' },
  ]);
  return {
    status: table.TableStatus ?? '',
    keys: text(table.KeySchema),
    indexes: Object.fromEntries(indexes) as TableLook['indexes'],
    streamViewType: table.StreamSpecification?.StreamEnabled ? table.StreamSpecification.StreamViewType : undefined,
  };
}
