import { describe, expect, it } from 'vitest';
import { isControlKey } from '../../../src/accounts-router/control-rows.ts';
import { fenceKey } from '../../../src/accounts-router/fence.ts';
import { tellingMarked } from '../../../src/accounts-router/guards/control-mark.ts';
import { guarded, own, ownId } from './fixture.ts';

const Key = { SK: 'A' };
const update = (UpdateExpression: string) => ({
  ...{ Key, UpdateExpression },
  ExpressionAttributeNames: { '#m': 'tenantry', '#in': 'of' },
  ExpressionAttributeValues: { ':v': 'x', ':set': new Set(['x']) },
});
const item = { SK: 'A', tenantry: { of: 'move' } };

describe('the mark of the control plane', () => {
  it.each([
    ['put', { Item: item }, 'Item.tenantry'],
    ['put', { Item: { SK: 'A', tenantry: null } }, 'Item.tenantry'],
    ['batchWrite', { Requests: [{ PutRequest: { Item: item } }] }, 'Requests[0].PutRequest.Item.tenantry'],
    ['transactWrite', { TransactItems: [{ Put: { Item: item } }] }, 'TransactItems[0].Put.Item.tenantry'],
    [
      'transactWrite',
      { TransactItems: [{ Put: { Item: Key } }, { Update: update('SET #m.#in = :v') }] },
      'TransactItems[1].Update.UpdateExpression',
    ],
    ...[
      'SET tenantry = :v',
      'SET a = :v, #m = :v',
      'SET #m.#in = :v',
      'SET tenantry.of[0].x = :v',
      'SET tenantry[1] = :v',
      'SET #m = if_not_exists(#m, :v)',
      'REMOVE tenantry',
      'REMOVE a, #m.#in',
      'ADD #m :v',
      'ADD tenantry.of :v',
      'DELETE #m.#in :set',
      'SET a = :v REMOVE b, #m',
    ].map((expression) => ['update', update(expression), 'UpdateExpression'] as const),
  ] as const)('is refused in a write: %s %j', (method, input, field) => {
    expect(() => guarded(method, input)).toThrow(expect.objectContaining({ code: 'INPUT_REFUSED', field }) as Error);
  });

  it('is read as anything else, and may be a name further in', () => {
    for (const expression of ['SET a = :v', 'SET a.tenantry = :v', 'SET a = #m', 'REMOVE a.#m'])
      expect(guarded('update', update(expression))).toMatchObject({ UpdateExpression: expression });
    const ProjectionExpression = 'tenantry.of';
    expect(guarded('get', { Key, ProjectionExpression })).toMatchObject({ ProjectionExpression });
    expect(guarded('put', { Item: { SK: 'A', in: { tenantry: 1 }, Tenantry: 1 } })).toMatchObject({
      Item: { SK: 'A' },
    });
  });
});

const ours = 'attribute_not_exists(#tenantryMark)';
const ExpressionAttributeNames = { '#tenantryMark': 'tenantry' };

describe('a write', () => {
  it('is done only where no row of the control plane is, whatever its caller demands beside that', () => {
    for (const sent of [guarded('put', { Item: Key }), guarded('delete', { Key })])
      expect(sent).toMatchObject({ ConditionExpression: ours, ExpressionAttributeNames });
    const sentFor = (ConditionExpression: string) =>
      guarded('update', { ...update('SET a = :v'), ConditionExpression });
    expect(sentFor('a = :v AND NOT #m = :v')).toMatchObject({
      ConditionExpression: `${ours} AND a = :v AND NOT #m = :v`,
      ExpressionAttributeNames: { ...ExpressionAttributeNames, '#m': 'tenantry' },
    });
    expect(sentFor('a = :v OR b = :v')).toMatchObject({ ConditionExpression: `${ours} AND (a = :v OR b = :v)` });
    for (const early of ['a = :v) OR (a = :v', 'attribute_exists(#tenantryMark)'])
      expect(() => sentFor(early)).toThrow(expect.objectContaining({ code: 'EXPRESSION_INVALID' }) as Error);
  });

  it('of a transaction is, too, and its checks are the caller’s own', () => {
    const check = { ConditionCheck: { Key: { SK: 'METADATA' }, ConditionExpression: 'attribute_exists(a)' } };
    const TransactItems = [check, { Put: { Item: Key } }, { Delete: { Key } }, { Update: update('SET a = :v') }];
    const { itemsOf } = guarded('transactWrite', { TransactItems }) as { itemsOf: (table: string) => object[] };
    const [first, ...writes] = itemsOf('t').flatMap((each) => Object.values(each) as object[]);
    expect(first).toEqual({ ...check.ConditionCheck, Key: { PK: own, SK: 'METADATA' }, TableName: 't' });
    expect(writes).toHaveLength(3);
    for (const write of writes) expect(write).toMatchObject({ ConditionExpression: ours });
  });

  it('asks for the row that hinders it where that may be the control plane’s, and nowhere else', () => {
    const asked = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
    for (const SK of ['METADATA', 'LICENSE#e#p#s']) {
      expect(guarded('put', { Item: { SK } })).toMatchObject(asked);
      const none = { ReturnValuesOnConditionCheckFailure: 'NONE' };
      expect(guarded('delete', { Key: { SK }, ...none })).toMatchObject(asked);
    }
    expect(guarded('put', { Item: Key })).not.toHaveProperty('ReturnValuesOnConditionCheckFailure');
  });

  it.each(['METADATA', 'LICENSE#', 'LICENSE#e#p#s'])('of a batch does not name %s', (SK) => {
    for (const [request, field] of [
      [{ PutRequest: { Item: { SK } } }, 'Requests[1].PutRequest.Item'],
      [{ DeleteRequest: { Key: { SK } } }, 'Requests[1].DeleteRequest.Key'],
    ] as const)
      expect(() => guarded('batchWrite', { Requests: [{ PutRequest: { Item: Key } }, request] })).toThrow(
        expect.objectContaining({ code: 'CONTROL_PLANE_ROW', field }) as Error,
      );
  });

  it('has a sort key that is a string, not an object which is sent as one', () => {
    const Item = { SK: Object('METADATA') as object };
    for (const [method, input] of [
      ['put', { Item }],
      ['batchWrite', { Requests: [{ PutRequest: { Item } }] }],
      ['batchWrite', { Requests: [{ DeleteRequest: { Key: Item } }] }],
    ] as const)
      expect(() => guarded(method, input)).toThrow(expect.objectContaining({ code: 'INPUT_REFUSED' }) as Error);
  });
});

it('the keys of the control plane are told from those of services', () => {
  const fence = fenceKey(ownId);
  for (const [partition, sortKey] of [
    [own, 'METADATA'],
    [own, 'LICENSE#1'],
    [fence.PK, fence.SK],
  ] as const)
    expect(isControlKey(partition, sortKey)).toBe(true);
  for (const [partition, sortKey] of [
    [own, 'METADATA#1'],
    [own, 'metadata'],
    [own, 'LICENSE'],
    [own, 'FENCE'],
    [fence.PK, 'METADATA'],
    ['ACCOUNT#1', 'METADATA'],
    [undefined, 'METADATA'],
    [own, undefined],
  ] as const)
    expect(isControlKey(partition, sortKey)).toBe(false);
});

describe('a condition that was not met', () => {
  const plain = { field: 'Item', sent: { ConditionExpression: ours } };
  const other = { field: 'Key', sent: { ConditionExpression: `${ours} AND a = :v` } };
  const marked = { Item: { SK: { S: 'METADATA' }, tenantry: { M: {} } } };
  const failure = (name: string, more: object = {}) => Object.assign(new Error(name), { name, ...more });
  const single = (more?: object) => failure('ConditionalCheckFailedException', more);
  const canceled = (...CancellationReasons: object[]) =>
    failure('TransactionCanceledException', { CancellationReasons });
  const failed = { Code: 'ConditionalCheckFailed' };
  const endOf = (writes: Parameters<typeof tellingMarked>[0], error: Error) =>
    tellingMarked(writes, () => Promise.reject(error)).catch((thrown: unknown) => thrown);

  it('is by a row of the control plane where there was no other, or the row says so', async () => {
    for (const [writes, error, field] of [
      [[plain], single(), 'Item'],
      [[other], single(marked), 'Key'],
      [[other, plain], canceled({ Code: 'None' }, failed), 'Item'],
      [[other, plain], canceled({ ...failed, ...marked }, { Code: 'None' }), 'Key'],
      [[undefined, other, plain], canceled(failed, failed, failed), 'Item'],
    ] as const)
      expect(await endOf(writes, error)).toMatchObject({ code: 'CONTROL_PLANE_ROW', field, cause: error });
  });

  it('is DynamoDB’s own error in every other case', async () => {
    for (const [writes, error] of [
      [[other], single()],
      [[other], single({ Item: { SK: { S: 'A' } } })],
      [[undefined, plain], canceled({ ...failed, ...marked }, { Code: 'None' })],
      [[plain, other], canceled({ Code: 'TransactionConflict' }, failed)],
      [[plain], failure('TransactionCanceledException')],
      [[plain], failure('ThrottlingException')],
    ] as const)
      expect(await endOf(writes, error)).toBe(error);
  });
});
