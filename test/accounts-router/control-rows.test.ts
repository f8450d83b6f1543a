import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  accountPartition,
  createAccountsAdmin,
  createAccountsRouter,
  type AccountsAdmin,
  type AccountsRouter,
} from 'tenantry/accounts';
import { fenceKey } from '../../src/accounts-router/fence.ts';
import { useRouterWorld } from './fixture.ts';

const world = useRouterWorld();
let [router, admin]: [AccountsRouter, AccountsAdmin] = [] as never;
let [accountId, PK] = ['', ''];
let planted: Record<string, unknown>[] = [];

beforeAll(() => {
  const { dynamodb, ssm } = world.current;
  [router, admin] = [createAccountsRouter({ dynamodb, ssm }), createAccountsAdmin({ dynamodb, ssm })];
});
beforeEach(async () => {
  accountId = await world.current.addPublicAccount();
  PK = accountPartition(accountId);
  planted = ['LICENSE#e#p#s', 'METADATA'].map((SK) => ({ PK, SK, name: 'ACME', tenantry: { of: randomUUID() } }));
  await world.current.plant(world.current.sharedTable, ...planted);
});

const rowsOf = async (partition = PK) => {
  const rows = await world.current.rows(world.current.sharedTable);
  return rows.filter((row) => row['PK'] === partition);
};
const set = { UpdateExpression: 'SET #n = :n', ExpressionAttributeNames: { '#n': 'name' } };
const named = (name: string) => ({ ExpressionAttributeValues: { ':n': name } });
const refused = (field: string) => ({ name: 'ControlPlaneRowError', code: 'CONTROL_PLANE_ROW', field });

describe.each(['METADATA', 'LICENSE#e#p#s'])('the row %s of the control plane', (SK) => {
  const ifThere = { ConditionExpression: 'attribute_exists(SK)' };

  it('is read by the account’s services, and not written', async () => {
    const Key = { SK };
    expect((await router.get(accountId, { Key })).Item).toMatchObject({ name: 'ACME' });
    for (const [write, field] of [
      [() => router.put(accountId, { Item: { SK, name: 'Evil' } }), 'Item'],
      [() => router.put(accountId, { Item: { SK, name: 'Evil' }, ...ifThere }), 'Item'],
      [() => router.update(accountId, { Key, ...set, ...named('Evil') }), 'Key'],
      [() => router.update(accountId, { Key, ...set, ...named('Evil'), ReturnValues: 'ALL_NEW' }), 'Key'],
      [() => router.delete(accountId, { Key }), 'Key'],
      [() => router.delete(accountId, { Key, ...ifThere }), 'Key'],
      [() => router.batchWrite(accountId, { Requests: [{ DeleteRequest: { Key } }] }), 'Requests[0].DeleteRequest.Key'],
      [
        () => router.transactWrite(accountId, { TransactItems: [{ Put: { Item: { SK: 'A' } } }, { Delete: { Key } }] }),
        'TransactItems[1].Delete.Key',
      ],
    ] as const)
      await expect(write()).rejects.toMatchObject(refused(field));
    expect(await rowsOf()).toEqual(planted);
  });

  it('is not written by admin calls either', async () => {
    const Key = { PK, SK };
    for (const [write, field] of [
      [() => admin.adminPut({ Item: Key }), 'Item'],
      [() => admin.adminUpdate({ Key, ...set, ...named('Evil') }), 'Key'],
      [() => admin.adminDelete({ Key, ...ifThere }), 'Key'],
      [() => admin.adminBatchWrite({ Requests: [{ PutRequest: { Item: Key } }] }), 'Requests[0].PutRequest.Item'],
      [() => admin.adminTransactWrite({ TransactItems: [{ Delete: { Key } }] }), 'TransactItems[0].Delete.Key'],
    ] as const)
      await expect(write()).rejects.toMatchObject(refused(field));
    expect(await rowsOf()).toEqual(planted);
  });
});

it('admin calls change no fence item, nor the mark', async () => {
  const fence = { ...fenceKey(accountId), state: 'open', toTable: 'own', moveId: 'm', writers: {}, tenantry: {} };
  await world.current.plant(world.current.sharedTable, fence);
  const Key = fenceKey(accountId);
  await expect(admin.adminDelete({ Key })).rejects.toMatchObject(refused('Key'));
  await expect(admin.adminBatchWrite({ Requests: [{ DeleteRequest: { Key } }] })).rejects.toMatchObject(
    refused('Requests[0].DeleteRequest.Key'),
  );
  expect(await rowsOf(Key.PK)).toEqual([fence]);
  const mark = { UpdateExpression: 'REMOVE #m', ExpressionAttributeNames: { '#m': 'tenantry' } };
  for (const write of [
    () => admin.adminPut({ Item: { PK: 'X', SK: 'A', tenantry: {} } }),
    () => admin.adminUpdate({ Key: { PK: 'X', SK: 'A' }, ...mark }),
    () => admin.adminPut({ Item: { PK: Object(PK) as string, SK: 'METADATA' } }),
  ])
    await expect(write()).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
});

describe('a row of a service', () => {
  it('is written, changed and deleted as before, with the values that were asked for', async () => {
    const Key = { SK: 'A' };
    await router.put(accountId, { Item: { SK: 'A', name: '1' } });
    const changed = await router.update(accountId, { Key, ...set, ...named('2'), ReturnValues: 'ALL_NEW' });
    expect(changed.Attributes).toEqual({ PK, SK: 'A', name: '2' });
    const replaced = await router.put(accountId, { Item: { SK: 'A', name: '3' }, ReturnValues: 'ALL_OLD' });
    expect(replaced.Attributes).toEqual({ PK, SK: 'A', name: '2' });
    expect((await router.delete(accountId, { Key, ReturnValues: 'ALL_OLD' })).Attributes).toEqual({
      PK,
      SK: 'A',
      name: '3',
    });
    await router.update(accountId, { Key, ...set, ...named('new') });
    expect(await rowsOf()).toEqual([{ PK, SK: 'A', name: 'new' }, ...planted]);
  });

  it('is left as it is when its own condition is not met, and DynamoDB says so as it does without the router', async () => {
    await router.put(accountId, { Item: { SK: 'A', name: '1' } });
    const other = { ConditionExpression: 'attribute_not_exists(SK) OR attribute_exists(lacking)' };
    const asked = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const };
    await expect(router.put(accountId, { Item: { SK: 'A' }, ...other, ...asked })).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { name: { S: '1' } },
    });
    await expect(
      router.transactWrite(accountId, {
        TransactItems: [{ Put: { Item: { SK: 'B' } } }, { Put: { Item: { SK: 'A' }, ...other } }],
      }),
    ).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed' }],
    });
    const absent = { Key: { SK: 'LICENSE#of-its-own' }, ConditionExpression: 'attribute_exists(SK)' };
    await expect(router.delete(accountId, absent)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    expect(await rowsOf()).toEqual([{ PK, SK: 'A', name: '1' }, ...planted]);
  });
});
