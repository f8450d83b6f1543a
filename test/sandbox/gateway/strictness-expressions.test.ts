import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshAccountId } from '../../support/parts.ts';
import { errorOf, makeTable } from './sandbox-aws.ts';
import { useGateway } from './shared-gateway.ts';

const shared = useGateway();
const TableName = 'expressions';
let db: DynamoDBClient;
beforeAll(async () => {
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  db = new DynamoDBClient({ endpoint: shared.gateway.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  await makeTable(db, TableName);
});

const Key = { PK: { S: 'a' } };
const at = { TableName, Key };
const one = { ':x': { N: '1' } };
const byKey = { TableName, KeyConditionExpression: 'PK = :x', ExpressionAttributeValues: { ':x': { S: 'a' } } };
const scan = (FilterExpression: string) =>
  db.send(new ScanCommand({ TableName, FilterExpression, ExpressionAttributeValues: one }));
const update = (UpdateExpression: string, more = {}) =>
  db.send(new UpdateItemCommand({ ...at, UpdateExpression, ExpressionAttributeValues: one, ...more }));
const transacted = (item: object) => db.send(new TransactWriteItemsCommand({ TransactItems: [item] }));
const conditional = { ConditionExpression: 'size < :x', ExpressionAttributeValues: one };

/** Each in a table that has no items. */
const bare: readonly [what: string, field: string, word: string, call: () => Promise<unknown>][] = [
  ['a filter of a scan', 'FilterExpression', 'size', () => scan('size = :x')],
  [
    'a filter of a query',
    'FilterExpression',
    'Status',
    () => db.send(new QueryCommand({ ...byKey, FilterExpression: 'Status = PK' })),
  ],
  ['a path', 'FilterExpression', 'name', () => scan('info.name = :x')],
  ['a path that begins with it', 'FilterExpression', 'data', () => scan('data[0].kind = :x')],
  ['an argument', 'FilterExpression', 'size', () => scan('size(size) > :x')],
  [
    'the key of a query',
    'KeyConditionExpression',
    'key',
    () => db.send(new QueryCommand({ ...byKey, KeyConditionExpression: 'key = :x' })),
  ],
  [
    'a projection of a look',
    'ProjectionExpression',
    'ttl',
    () => db.send(new GetItemCommand({ ...at, ProjectionExpression: 'PK, a.ttl' })),
  ],
  [
    'a projection of a batch',
    'ProjectionExpression',
    'year',
    () =>
      db.send(
        new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [Key], ProjectionExpression: 'PK, year' } } }),
      ),
  ],
  [
    'a projection of a transaction',
    'ProjectionExpression',
    'count',
    () => db.send(new TransactGetItemsCommand({ TransactItems: [{ Get: { ...at, ProjectionExpression: 'count' } }] })),
  ],
  ['an assignment', 'UpdateExpression', 'state', () => update('SET state = :x')],
  [
    'an assignment of a word that begins a clause',
    'UpdateExpression',
    'delete',
    () => update('SET a = :x, delete = :x'),
  ],
  ['a counter', 'UpdateExpression', 'count', () => update('ADD count :x')],
  ['a removal after an assignment', 'UpdateExpression', 'Location', () => update('SET a = :x REMOVE Location')],
  [
    'a condition of an update',
    'ConditionExpression',
    'owner',
    () => update('SET a = :x', { ConditionExpression: 'attribute_exists(owner)' }),
  ],
  [
    'a condition of a new item',
    'ConditionExpression',
    'size',
    () => db.send(new PutItemCommand({ TableName, Item: Key, ...conditional })),
  ],
  [
    'a condition of a removal',
    'ConditionExpression',
    'size',
    () => db.send(new DeleteItemCommand({ ...at, ...conditional })),
  ],
  [
    'a condition of a transaction',
    'ConditionExpression',
    'size',
    () => transacted({ Put: { TableName, Item: Key, ...conditional } }),
  ],
  [
    'a look of a transaction',
    'ConditionExpression',
    'size',
    () => transacted({ ConditionCheck: { ...at, ...conditional } }),
  ],
];

describe('a reserved word is refused', () => {
  it.each(bare)('in %s', async (_what, field, word, call) => {
    const error = await errorOf(call());
    expect(`${error.name}: ${error.message}`).toBe(
      `ValidationException: Invalid ${field}: Attribute name is a reserved keyword; reserved keyword: ${word}`,
    );
  });

  it('in no place where the grammar has it, and not behind a name of its own', async () => {
    await update('SET a = if_not_exists(a, :x), #delete = :x REMOVE b ADD c :x', {
      ExpressionAttributeNames: { '#delete': 'delete' },
      ConditionExpression: 'attribute_not_exists(PK) OR (NOT a BETWEEN :x AND :x AND size (PK) IN (:x))',
    });
    const { Items } = await scan('size(PK) = :x and not c <> :x');
    expect(Items).toEqual([{ PK: { S: 'a' }, a: { N: '1' }, c: { N: '1' }, delete: { N: '1' } }]);
  });
});

describe('what is given and not used is refused', () => {
  const message = async (call: Promise<unknown>) => (await errorOf(call)).message;
  it('also when it is the beginning of what is used', async () => {
    const values = { ':x': { N: '1' }, ':xy': { N: '2' } };
    const names = { '#a': 'a', '#ab': 'b' };
    expect(await message(update('SET a = :xy', { ExpressionAttributeValues: values }))).toBe(
      'Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}',
    );
    expect(await message(update('SET #ab = :x', { ExpressionAttributeNames: names }))).toBe(
      'Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}',
    );
  });

  it('with all of its names', async () => {
    const values = { ...one, ':y': { N: '1' }, ':z': { N: '1' } };
    expect(await message(update('SET a = :x', { ExpressionAttributeValues: values }))).toContain('keys: {:y, :z}');
    const item = { Update: { ...at, UpdateExpression: 'SET a = :x', ExpressionAttributeValues: values } };
    expect(await message(transacted(item))).toContain('keys: {:y, :z}');
  });
});
