import { describe, expect, it } from 'vitest';
import type { AccountsErrorCode } from '../../../src/accounts-router/index.ts';
import { createScopes, defaultTableKeys } from '../../../src/accounts-router/table-keys.ts';
import type { HostileCall } from '../../support/hostile-calls.ts';
import { guarded, own, ownId, victim } from './fixture.ts';

type Attack = readonly [
  what: string,
  method: HostileCall['method'],
  input: object,
  code: AccountsErrorCode,
  field: string,
];

const Key = { SK: 'A' };
const names = { ExpressionAttributeNames: { '#pk': 'PK', '#g': 'GSI1PK', '#t': 'text' } };
const values = {
  ExpressionAttributeValues: { ':v': victim, ':vi': `${victim}#ALL`, ':o': own, ':oi': `${own}#ALL`, ':x': 'x' },
};
const placeholders = { ...names, ...values };
const update = (UpdateExpression: string) => ({ Key, UpdateExpression, ...placeholders });
const query = (KeyConditionExpression: string, more: object = {}) => ({
  KeyConditionExpression,
  ...placeholders,
  ...more,
});
const onIndex = { IndexName: 'GSI1' };
const legacy = { PK: { ComparisonOperator: 'EQ', AttributeValueList: [victim] } };

const attacks: readonly Attack[] = [
  ['the key of another', 'get', { Key: { PK: victim, SK: 'A' } }, 'OTHER_ACCOUNT', 'Key.PK'],
  ['a key that only looks like the own', 'get', { Key: { PK: [own], SK: 'A' } }, 'OTHER_ACCOUNT', 'Key.PK'],
  ['a String object for a key', 'get', { Key: { PK: Object(own) as object, SK: 'A' } }, 'OTHER_ACCOUNT', 'Key.PK'],
  ['no sort key', 'get', { Key: { PK: own } }, 'INPUT_REFUSED', 'Key.SK'],
  ['no key', 'get', {}, 'INPUT_REFUSED', 'Key'],
  ['a Map for a key', 'get', { Key: new Map([['PK', victim]]) }, 'INPUT_REFUSED', 'Key'],
  ['more in a key', 'get', { Key: { SK: 'A', GSI1PK: victim } }, 'INPUT_REFUSED', 'Key.GSI1PK'],
  ['a table', 'get', { Key, TableName: 'other' }, 'INPUT_REFUSED', 'TableName'],
  ['a legacy projection', 'get', { Key, AttributesToGet: ['a'] }, 'INPUT_REFUSED', 'AttributesToGet'],
  ['PartiQL', 'get', { Key, Statement: 'SELECT * FROM "t"' }, 'INPUT_REFUSED', 'Statement'],
  ['an item of another', 'put', { Item: { PK: victim, SK: 'A' } }, 'OTHER_ACCOUNT', 'Item.PK'],
  [
    'an item in the index of another',
    'put',
    { Item: { SK: 'A', GSI2PK: `${victim}#ALL` } },
    'OTHER_ACCOUNT',
    'Item.GSI2PK',
  ],
  ['an item in an index of all', 'put', { Item: { SK: 'A', GSI3PK: 'EMAIL#a@b.c' } }, 'OTHER_ACCOUNT', 'Item.GSI3PK'],
  [
    'an index key that goes on from the own',
    'put',
    { Item: { SK: 'A', GSI1PK: `${own}0#ALL` } },
    'OTHER_ACCOUNT',
    'Item.GSI1PK',
  ],
  ['an index key that is a list', 'put', { Item: { SK: 'A', GSI1PK: [`${own}#ALL`] } }, 'OTHER_ACCOUNT', 'Item.GSI1PK'],
  ['an index key that is null', 'put', { Item: { SK: 'A', GSI1PK: null } }, 'OTHER_ACCOUNT', 'Item.GSI1PK'],
  ['Expected', 'put', { Item: Key, Expected: legacy }, 'INPUT_REFUSED', 'Expected'],
  ['ConditionalOperator', 'delete', { Key, ConditionalOperator: 'OR' }, 'INPUT_REFUSED', 'ConditionalOperator'],
  ['AttributeUpdates', 'update', { Key, AttributeUpdates: {} }, 'INPUT_REFUSED', 'AttributeUpdates'],
  ['an update of PK', 'update', update('SET PK = :v'), 'OTHER_ACCOUNT', 'UpdateExpression'],
  ['an update of an alias of PK', 'update', update('SET #t = :x, #pk = :v'), 'OTHER_ACCOUNT', 'UpdateExpression'],
  ['an update of SK', 'update', update('SET SK = :x'), 'OTHER_ACCOUNT', 'UpdateExpression'],
  ["an update into another's index", 'update', update('SET #g = :vi'), 'OTHER_ACCOUNT', 'UpdateExpression GSI1PK'],
  ['an index key copied from an attribute', 'update', update('SET GSI1PK = #t'), 'OTHER_ACCOUNT', 'UpdateExpression'],
  [
    'an index key from if_not_exists of another',
    'update',
    update('SET #g = if_not_exists(#t, :oi)'),
    'OTHER_ACCOUNT',
    'UpdateExpression',
  ],
  [
    'an index key from nested functions',
    'update',
    update('SET #g = if_not_exists(#g, if_not_exists(#t, :oi))'),
    'OTHER_ACCOUNT',
    'UpdateExpression',
  ],
  ['an index key from a sum', 'update', update('SET #g = :oi + :vi'), 'OTHER_ACCOUNT', 'UpdateExpression'],
  ['an index key in parentheses', 'update', update('SET #g = (:vi)'), 'OTHER_ACCOUNT', 'UpdateExpression'],
  ['ADD to an index key', 'update', update('ADD #g :oi'), 'OTHER_ACCOUNT', 'UpdateExpression'],
  ['an update inside an index key', 'update', update('SET #g.a = :oi'), 'OTHER_ACCOUNT', 'UpdateExpression'],
  ['a section twice', 'update', update('SET #t = :x SET #g = :vi'), 'EXPRESSION_INVALID', 'UpdateExpression'],
  ["a query of another's rows", 'query', query('PK = :v'), 'OTHER_ACCOUNT', 'KeyConditionExpression PK'],
  ['a query by an alias', 'query', query('#pk = :v'), 'OTHER_ACCOUNT', 'KeyConditionExpression PK'],
  ['two partitions', 'query', query('PK = :o AND #pk = :v'), 'OTHER_ACCOUNT', 'KeyConditionExpression'],
  ['OR', 'query', query('PK = :o OR PK = :v'), 'EXPRESSION_INVALID', 'KeyConditionExpression'],
  ['an early parenthesis', 'query', query('SK = :x) OR (PK = :v'), 'EXPRESSION_INVALID', 'KeyConditionExpression'],
  ['a range of partitions', 'query', query('PK BETWEEN :o AND :v'), 'OTHER_ACCOUNT', 'KeyConditionExpression'],
  ['a prefix of partitions', 'query', query('begins_with(PK, :x)'), 'OTHER_ACCOUNT', 'KeyConditionExpression'],
  ['an unknown value', 'query', query('PK = :none'), 'EXPRESSION_INVALID', 'KeyConditionExpression'],
  ['an unknown alias', 'query', query('#none = :v'), 'EXPRESSION_INVALID', 'KeyConditionExpression'],
  ['an attribute that is no key', 'query', query('#t = :x'), 'INPUT_REFUSED', 'KeyConditionExpression'],
  ['an index without its partition', 'query', { ...onIndex }, 'INPUT_REFUSED', 'KeyConditionExpression'],
  [
    "another's part of an index",
    'query',
    query('GSI1PK = :vi', onIndex),
    'OTHER_ACCOUNT',
    'KeyConditionExpression GSI1PK',
  ],
  ['a range of an index', 'query', query('begins_with(#g, :o)', onIndex), 'OTHER_ACCOUNT', 'KeyConditionExpression'],
  ['an index that is not known', 'query', query('PK = :o', { IndexName: 'GSI4' }), 'INPUT_REFUSED', 'IndexName'],
  [
    'an index named as a method is',
    'query',
    query('PK = :o', { IndexName: 'constructor' }),
    'INPUT_REFUSED',
    'IndexName',
  ],
  [
    'a filter that ends the one of ours',
    'query',
    query('GSI1PK = :oi', { ...onIndex, FilterExpression: '#t = :x) OR (#t <> :x' }),
    'EXPRESSION_INVALID',
    'FilterExpression',
  ],
  [
    "another's start",
    'query',
    query('PK = :o', { ExclusiveStartKey: { PK: victim, SK: 'A' } }),
    'OTHER_ACCOUNT',
    'ExclusiveStartKey.PK',
  ],
  [
    "a start in another's part of an index",
    'query',
    query('GSI1PK = :oi', { ...onIndex, ExclusiveStartKey: { PK: own, SK: 'A', GSI1PK: victim, GSI1SK: 'A' } }),
    'OTHER_ACCOUNT',
    'ExclusiveStartKey.GSI1PK',
  ],
  [
    "another's row as a start in the own part of an index",
    'query',
    query('GSI1PK = :oi', {
      ...onIndex,
      ExclusiveStartKey: { PK: victim, SK: 'A', GSI1PK: `${own}#ALL`, GSI1SK: 'A' },
    }),
    'OTHER_ACCOUNT',
    'ExclusiveStartKey.PK',
  ],
  [
    'more in a start',
    'query',
    query('PK = :o', { ExclusiveStartKey: { PK: own, SK: 'A', x: 1 } }),
    'INPUT_REFUSED',
    'ExclusiveStartKey.x',
  ],
  ['KeyConditions', 'query', { KeyConditions: legacy }, 'INPUT_REFUSED', 'KeyConditions'],
  ['QueryFilter', 'query', { QueryFilter: legacy }, 'INPUT_REFUSED', 'QueryFilter'],
  ['ScanFilter', 'query', { ScanFilter: legacy }, 'INPUT_REFUSED', 'ScanFilter'],
  [
    'a name of ours',
    'query',
    { ExpressionAttributeNames: { '#tenantryOwner': 'text' } },
    'INPUT_REFUSED',
    'ExpressionAttributeNames.#tenantryOwner',
  ],
  [
    'a value of ours, in capitals',
    'query',
    { ExpressionAttributeValues: { ':TENANTRYpartition': victim } },
    'INPUT_REFUSED',
    'ExpressionAttributeValues.:TENANTRYpartition',
  ],
  [
    'a name that is no string',
    'query',
    { ExpressionAttributeNames: { '#a': ['PK'] } },
    'INPUT_REFUSED',
    'ExpressionAttributeNames.#a',
  ],
  [
    'an expression that is no string',
    'query',
    query(['PK = :v'] as never),
    'EXPRESSION_INVALID',
    'KeyConditionExpression',
  ],
  ["one of another's keys", 'batchGet', { Keys: [Key, { PK: victim, SK: 'A' }] }, 'OTHER_ACCOUNT', 'Keys[1].PK'],
  ['RequestItems', 'batchGet', { RequestItems: { other: {} } }, 'INPUT_REFUSED', 'RequestItems'],
  ['no keys', 'batchGet', { Keys: [] }, 'INPUT_REFUSED', 'Keys'],
  [
    "a put among another's rows",
    'batchWrite',
    { Requests: [{ PutRequest: { Item: { PK: victim, SK: 'A' } } }] },
    'OTHER_ACCOUNT',
    'Requests[0].PutRequest.Item.PK',
  ],
  [
    "a put into another's index",
    'batchWrite',
    { Requests: [{ PutRequest: { Item: { SK: 'A', GSI1PK: victim } } }] },
    'OTHER_ACCOUNT',
    'Requests[0].PutRequest.Item.GSI1PK',
  ],
  [
    "a delete among another's rows",
    'batchWrite',
    { Requests: [{ DeleteRequest: { Key: { PK: victim, SK: 'A' } } }] },
    'OTHER_ACCOUNT',
    'Requests[0].DeleteRequest.Key.PK',
  ],
  [
    'two requests in one',
    'batchWrite',
    { Requests: [{ DeleteRequest: { Key }, PutRequest: { Item: Key } }] },
    'INPUT_REFUSED',
    'Requests[0]',
  ],
  [
    'a get from another table',
    'transactGet',
    { TransactItems: [{ Get: { Key, TableName: 'other' } }] },
    'INPUT_REFUSED',
    'TransactItems[0].Get.TableName',
  ],
  [
    "a get of another's row",
    'transactGet',
    { TransactItems: [{ Get: { Key: { PK: victim, SK: 'A' } } }] },
    'OTHER_ACCOUNT',
    'TransactItems[0].Get.Key.PK',
  ],
  [
    'a write in a read',
    'transactGet',
    { TransactItems: [{ Put: { Item: Key } }] },
    'INPUT_REFUSED',
    'TransactItems[0].Put',
  ],
  [
    'a put into another table',
    'transactWrite',
    { TransactItems: [{ Put: { Item: Key, TableName: 'other' } }] },
    'INPUT_REFUSED',
    'TransactItems[0].Put.TableName',
  ],
  [
    "a check of another's row",
    'transactWrite',
    {
      TransactItems: [
        { ConditionCheck: { Key: { PK: victim, SK: 'A' }, ConditionExpression: 'attribute_exists(PK)' } },
      ],
    },
    'OTHER_ACCOUNT',
    'TransactItems[0].ConditionCheck.Key.PK',
  ],
  [
    "an update into another's index",
    'transactWrite',
    { TransactItems: [{ Update: update('SET #g = :vi') }] },
    'OTHER_ACCOUNT',
    'TransactItems[0].Update.UpdateExpression GSI1PK',
  ],
  [
    'two actions in one',
    'transactWrite',
    { TransactItems: [{ Put: { Item: Key }, Delete: { Key } }] },
    'INPUT_REFUSED',
    'TransactItems[0]',
  ],
];

describe('an input that reaches further than the account', () => {
  it.each(attacks)('is refused: %s (%s)', (_what, method, input, code, field) => {
    expect(() => guarded(method, input)).toThrow(expect.objectContaining({ code, field }));
  });

  it('is read once: what it says later is not sent', () => {
    let reads = 0;
    const shifty = {
      SK: 'A',
      get PK() {
        reads += 1;
        return reads === 1 ? own : victim;
      },
    };
    expect(guarded('get', { Key: shifty })).toMatchObject({ Key: { PK: own } });
    const ExpressionAttributeValues = { ':p': own };
    const sent = guarded('query', { KeyConditionExpression: 'PK = :p', ExpressionAttributeValues });
    ExpressionAttributeValues[':p'] = victim;
    expect(sent).toMatchObject({ ExpressionAttributeValues: { ':p': own } });
  });

  it('is not read from what it inherits', () => {
    const Item = Object.create({ PK: victim }, { SK: { value: 'A', enumerable: true } }) as object;
    expect(guarded('put', { Item })).toMatchObject({ Item: { PK: own, SK: 'A' } });
    expect(guarded('get', { Key: Item })).toEqual({ Key: { PK: own, SK: 'A' } });
  });
});

describe('what is sent', () => {
  it('has the partition key of the account, and nothing that was not given', () => {
    expect(guarded('get', { Key, ConsistentRead: true, TableName: undefined })).toEqual({
      Key: { PK: own, SK: 'A' },
      ConsistentRead: true,
    });
    expect(
      guarded('query', { KeyConditionExpression: 'begins_with(SK,:x)', ExpressionAttributeValues: { ':x': 'A' } }),
    ).toEqual({
      KeyConditionExpression: '#tenantryPartition = :tenantryPartition AND begins_with(SK, :x)',
      ExpressionAttributeNames: { '#tenantryPartition': 'PK' },
      ExpressionAttributeValues: { ':x': 'A', ':tenantryPartition': own },
    });
  });

  it('of a query of an index is filtered by the table’s partition key, whatever the filter of the caller says', () => {
    const sent = (FilterExpression?: string) =>
      guarded('query', { ...query('#g = :oi'), ...onIndex, ...(FilterExpression && { FilterExpression }) });
    const ours = '#tenantryOwner = :tenantryOwner';
    expect(sent()).toMatchObject({ FilterExpression: ours, ExpressionAttributeValues: { ':tenantryOwner': own } });
    expect(sent('#t = :x OR #pk = :v')).toMatchObject({ FilterExpression: `${ours} AND (#t = :x OR #pk = :v)` });
    expect(sent('#t = :x and NOT #pk = :o')).toMatchObject({
      FilterExpression: `${ours} AND #t = :x AND NOT #pk = :o`,
    });
  });

  it('of a query of a local index has no filter: its partition is the account’s own', () => {
    const keys = { ...defaultTableKeys, indexes: { LSI1: { partitionKey: 'PK', sortKey: 'createdAt' } } };
    const sent = guarded('query', { IndexName: 'LSI1' }, keys);
    expect(sent).toMatchObject({ KeyConditionExpression: '#tenantryPartition = :tenantryPartition' });
    expect(sent).not.toHaveProperty('FilterExpression');
  });

  it('may move a row within the account’s part of an index, or take it out', () => {
    for (const expression of ['SET #g = :oi', 'SET #g = if_not_exists(#g, :oi)', 'REMOVE #g', 'SET #t = #g'])
      expect(guarded('update', update(expression))).toMatchObject({ UpdateExpression: expression });
  });

  it('of a transaction goes to the one table', () => {
    const { itemsOf } = guarded('transactWrite', {
      TransactItems: [{ Put: { Item: Key } }, { Delete: { Key } }, { Update: update('SET #t = :x') }],
    }) as { itemsOf: (table: string) => unknown };
    expect(itemsOf('t')).toMatchObject([
      { Put: { Item: { PK: own }, TableName: 't' } },
      { Delete: { Key: { PK: own }, TableName: 't' } },
      { Update: { Key: { PK: own }, TableName: 't', UpdateExpression: 'SET #t = :x' } },
    ]);
  });
});

describe('keys of a table', () => {
  it('are taken as they are named', () => {
    const keys = { partitionKey: 'Key', sortKey: 'Range', indexes: {} };
    expect(guarded('get', { Key: { Range: 'A' } }, keys)).toEqual({ Key: { Key: own, Range: 'A' } });
  });

  it('that cannot be held to one account are refused', () => {
    const of = (partitionKey: string, sortKey: string) => () =>
      createScopes({ ...defaultTableKeys, indexes: { GSI1: { partitionKey, sortKey } } });
    expect(of('SK', 'PK')).toThrow('partitions span accounts');
    expect(of('GSI1PK', 'PK')).toThrow('cannot be held to one account');
  });

  it.each(['', 'x', `${ownId}\n`, ownId.toUpperCase().replace('1', 'A'), `${ownId}/../x`, '*', [ownId] as never])(
    'are of accounts whose id is a UUID: %j is refused',
    (accountId) => {
      expect(() => createScopes(defaultTableKeys)(accountId)).toThrow(
        expect.objectContaining({ code: 'ACCOUNT_ID_INVALID' }),
      );
    },
  );
});

describe('an expression that was understood before', () => {
  const set = (attribute: string, value: string) => ({
    ...{ Key, UpdateExpression: 'SET #a = :a', ConditionExpression: 'attribute_exists(#a)' },
    ...{ ExpressionAttributeNames: { '#a': attribute }, ExpressionAttributeValues: { ':a': value } },
  });

  it('is checked again by the names and values of each call', () => {
    expect(guarded('update', set('text', victim))).toMatchObject({ UpdateExpression: 'SET #a = :a' });
    expect(guarded('update', set('GSI1PK', own))).toMatchObject({ UpdateExpression: 'SET #a = :a' });
    for (const [attribute, value] of [
      ['GSI1PK', victim],
      ['PK', own],
      ['SK', 'B'],
    ] as const)
      expect(() => guarded('update', set(attribute, value))).toThrow(
        expect.objectContaining({ code: 'OTHER_ACCOUNT' }) as Error,
      );
    const nameless = { ...set('text', 'x'), ExpressionAttributeNames: {} };
    expect(() => guarded('update', nameless)).toThrow(
      expect.objectContaining({ code: 'EXPRESSION_INVALID', field: 'ConditionExpression' }) as Error,
    );
  });

  it('is understood still after many others, and refused anew where it was refused', () => {
    for (let n = 0; n < 1_500; n += 1) {
      const text = `attribute_exists(a${n})`;
      const ConditionExpression = `attribute_not_exists(#tenantryMark) AND ${text}`;
      expect(guarded('delete', { Key, ConditionExpression: text })).toMatchObject({ ConditionExpression });
    }
    for (let n = 0; n < 2; n += 1)
      for (const [method, field] of [
        ['delete', 'ConditionExpression'],
        ['query', 'FilterExpression'],
      ] as const)
        expect(() => guarded(method, { ...(method === 'delete' && { Key }), [field]: 'a = !' })).toThrow(
          expect.objectContaining({ code: 'EXPRESSION_INVALID', field }) as Error,
        );
  });
});
