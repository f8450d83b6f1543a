import {
  DeleteItemCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { itemNameParts } from '../naming.ts';
import { fromAttributes, MARK_ATTRIBUTE, markIn, toAttribute, toAttributes, type Item } from './dynamodb-values.ts';
import { awsMessage, isAwsError, sent } from './errors.ts';
import type { Tags } from './tags.ts';

/** An attribute of a key, and its value. */
export interface KeyPart {
  readonly name: string;
  readonly value: string | number;
}

/** Where an item is. */
export interface ItemAddress {
  readonly table: string;
  readonly partitionKey: KeyPart;
  readonly sortKey?: KeyPart | undefined;
}

/** An item as a consistent read shows it, without its key. */
export interface MarkedItem {
  /** Empty without a mark. */
  readonly mark: Tags;
  /** Those that have an equal in JSON. */
  readonly attributes: Item;
  /** Names of all of them. */
  readonly names: readonly string[];
}

/** What of an item is to be another. */
export interface ItemChange {
  readonly set: Item;
  readonly remove: readonly string[];
}

/** Items whose owner an attribute of theirs tells. Each write has a condition. Every method throws StepError. */
export interface Items {
  /** By a consistent read; undefined when there is none, no such table, or no such key in it. */
  findItem(address: ItemAddress): Promise<MarkedItem | undefined>;
  /** @returns whether it was written: not where there is an item already */
  createItem(address: ItemAddress, attributes: Item, mark: Tags): Promise<boolean>;
  /** @returns whether it was changed: not where the item does not bear this very mark any more */
  changeItem(address: ItemAddress, mark: Tags, change: ItemChange): Promise<boolean>;
  /** @returns whether it was removed: not where the item does not bear this very mark any more */
  removeItem(address: ItemAddress, mark: Tags): Promise<boolean>;
  /** Where the item of a name of the ledger is; undefined when there is no such table. */
  locateItem(name: string): Promise<ItemAddress | undefined>;
}

export function createItems(client: DynamoDBClient): Items {
  return {
    async findItem({ table: TableName, ...key }) {
      const found = await unlessNowhere(() =>
        client.send(new GetItemCommand({ TableName, Key: keyOf(key), ConsistentRead: true })),
      );
      return found?.Item && toMarkedItem(found.Item, key);
    },

    createItem: ({ table: TableName, ...key }, attributes, mark) =>
      unlessRefused(() =>
        client.send(
          new PutItemCommand({
            TableName,
            Item: { ...toAttributes(attributes), ...keyOf(key), [MARK_ATTRIBUTE]: toAttribute(mark) },
            ConditionExpression: 'attribute_not_exists(#key)',
            ExpressionAttributeNames: { '#key': key.partitionKey.name },
          }),
        ),
      ),

    changeItem: ({ table: TableName, ...key }, mark, change) => {
      const { expression, names, values } = updateOf(change);
      return unlessRefused(() =>
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: keyOf(key),
            UpdateExpression: expression,
            ConditionExpression: '#mark = :mark',
            ExpressionAttributeNames: { ...names, '#mark': MARK_ATTRIBUTE },
            ExpressionAttributeValues: { ...values, ':mark': toAttribute(mark) },
          }),
        ),
      );
    },

    removeItem: ({ table: TableName, ...key }, mark) =>
      unlessRefused(() =>
        client.send(
          new DeleteItemCommand({
            TableName,
            Key: keyOf(key),
            ConditionExpression: '#mark = :mark',
            ExpressionAttributeNames: { '#mark': MARK_ATTRIBUTE },
            ExpressionAttributeValues: { ':mark': toAttribute(mark) },
          }),
        ),
      ),

    async locateItem(name) {
      const { table, partition, sort } = itemNameParts(name);
      const found = await unlessNowhere(() => client.send(new DescribeTableCommand({ TableName: table })));
      if (!found) return undefined;
      const keys = keySchemaOf(sent(found.Table, { service: 'dynamodb', action: 'DescribeTable' }, 'Table'));
      const partOf = ({ name: attribute, isNumber }: KeyAttribute, text: string): KeyPart => ({
        name: attribute,
        value: isNumber ? Number(text) : text,
      });
      return {
        table,
        partitionKey: partOf(keys.partition, partition),
        ...(keys.sort && sort !== undefined && { sortKey: partOf(keys.sort, sort) }),
      };
    },
  };
}

interface KeyAttribute {
  readonly name: string;
  readonly isNumber: boolean;
}

/** The attributes of a table's key. */
export function keySchemaOf(table: TableDescription): {
  readonly partition: KeyAttribute;
  readonly sort: KeyAttribute | undefined;
} {
  const call = { service: 'dynamodb', action: 'DescribeTable' };
  const ofType = (wanted: string): KeyAttribute | undefined => {
    const name = table.KeySchema?.find(({ KeyType }) => KeyType === wanted)?.AttributeName;
    const definition = table.AttributeDefinitions?.find(({ AttributeName }) => AttributeName === name);
    return name === undefined ? undefined : { name, isNumber: definition?.AttributeType === 'N' };
  };
  return { partition: sent(ofType('HASH'), call, 'Table.KeySchema'), sort: ofType('RANGE') };
}

type Key = Pick<ItemAddress, 'partitionKey' | 'sortKey'>;

function keyOf({ partitionKey, sortKey }: Key): Record<string, AttributeValue> {
  const parts = sortKey ? [partitionKey, sortKey] : [partitionKey];
  return Object.fromEntries(parts.map(({ name, value }) => [name, toAttribute(value)]));
}

function toMarkedItem(raw: Record<string, AttributeValue>, key: Key): MarkedItem {
  const keyNames = Object.keys(keyOf(key));
  const others = Object.entries(raw).filter(([name]) => name !== MARK_ATTRIBUTE && !keyNames.includes(name));
  return {
    mark: markIn(raw[MARK_ATTRIBUTE]),
    attributes: fromAttributes(Object.fromEntries(others)),
    names: others.map(([name]) => name),
  };
}

/** Names go beside the expression: any of them may be one of DynamoDB's reserved words. */
function updateOf({ set, remove }: ItemChange) {
  const assigned = Object.entries(set).map(([name, value], i) => ({ name, value, at: `#s${i}`, of: `:s${i}` }));
  const dropped = remove.map((name, i) => ({ name, at: `#r${i}` }));
  const clauses = [
    ...(assigned.length > 0 ? [`SET ${assigned.map(({ at, of }) => `${at} = ${of}`).join(', ')}`] : []),
    ...(dropped.length > 0 ? [`REMOVE ${dropped.map(({ at }) => at).join(', ')}`] : []),
  ];
  return {
    expression: clauses.join(' '),
    names: Object.fromEntries([...assigned, ...dropped].map(({ at, name }) => [at, name])),
    values: Object.fromEntries(assigned.map(({ of, value }) => [of, toAttribute(value)])),
  };
}

export async function unlessRefused(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (isAwsError(error, 'ConditionalCheckFailed')) return false;
    throw error;
  }
}

/** There is no such table, or none of its items can have such a key. */
export async function unlessNowhere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isAwsError(error, 'ResourceNotFound')) return undefined;
    if (isAwsError(error, 'ValidationException') && /does not match the schema/i.test(awsMessage(error)))
      return undefined;
    throw error;
  }
}
