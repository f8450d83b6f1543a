import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  accountIndexKey,
  accountPartition,
  createAccountsAdmin,
  createAccountsRouter,
  type AccountsRouter,
} from 'tenantry/accounts';
import { useRouterWorld } from './fixture.ts';

interface Note {
  readonly PK?: string;
  readonly SK: string;
  readonly text?: string;
  readonly n?: number;
  readonly GSI1PK?: string;
  readonly GSI1SK?: string;
}

const world = useRouterWorld();
let accountId: string;
let router: AccountsRouter;
beforeEach(async () => {
  const { dynamodb, ssm, addPublicAccount } = world.current;
  accountId = await addPublicAccount();
  router = createAccountsRouter({ dynamodb, ssm });
});

describe.each(['public', 'private'])('the rows of a %s account', (type) => {
  it('are written, read, changed and deleted under its partition key', async () => {
    const { addPrivateAccount, sharedTable, rows } = world.current;
    const { accountId: id, tableName } =
      type === 'public' ? { accountId, tableName: sharedTable } : await addPrivateAccount();
    expect(await router.resolveTableName(id)).toBe(tableName);
    const GSI1PK = accountIndexKey(id, 'NOTES');
    await router.put<Note>(id, { Item: { SK: 'NOTE#1', text: 'a', GSI1PK, GSI1SK: '1' } });
    const { Item } = await router.get<Note>(id, {
      Key: { SK: 'NOTE#1' },
      ProjectionExpression: 'PK, #t',
      ExpressionAttributeNames: { '#t': 'text' },
    });
    expect(Item).toEqual({ PK: accountPartition(id), text: 'a' });
    await router.update<Note>(id, {
      Key: { SK: 'NOTE#1' },
      UpdateExpression: 'SET #t = :t, n = if_not_exists(n, :zero) + :one REMOVE absent',
      ConditionExpression: 'attribute_exists(SK) AND (#t = :old OR size(#t) > :one)',
      ExpressionAttributeNames: { '#t': 'text' },
      ExpressionAttributeValues: { ':t': 'b', ':zero': 0, ':one': 1, ':old': 'a' },
    });
    const found = await router.query<Note>(id, {
      IndexName: 'GSI1',
      KeyConditionExpression: 'GSI1PK = :p AND begins_with(GSI1SK, :s)',
      FilterExpression: '#t = :t OR #t = :other',
      ExpressionAttributeNames: { '#t': 'text' },
      ExpressionAttributeValues: { ':p': GSI1PK, ':s': '1', ':t': 'b', ':other': 'x' },
    });
    expect(found.Items).toMatchObject([{ SK: 'NOTE#1', text: 'b', n: 1 }]);
    await router.delete(id, { Key: { PK: accountPartition(id), SK: 'NOTE#1' } });
    expect((await rows(tableName)).filter((row) => row['PK'] === accountPartition(id))).toEqual([]);
  });
});

const SKs = (items: readonly { readonly SK?: string }[] = []) => items.map(({ SK }) => SK).sort();

describe('a call', () => {
  it('of a query comes in pages, of the table and of an index, without the rows of others', async () => {
    const other = await world.current.addPublicAccount();
    const index = accountIndexKey(accountId, 'ALL');
    const row = (n: number) => ({ SK: `ROW#${n}`, GSI1PK: index, GSI1SK: `${n}` });
    await router.batchWrite<Note>(accountId, {
      Requests: [1, 2, 3, 4, 5].map((n) => ({ PutRequest: { Item: row(n) } })),
    });
    await world.current.plant(world.current.sharedTable, { ...row(3), PK: accountPartition(other), GSI1SK: '31' });
    const pages: (string | undefined)[][] = [];
    for await (const { Items } of router.paginateQuery<Note>(accountId, { Limit: 2 })) pages.push(SKs(Items));
    expect(pages.filter((page) => page.length > 0)).toEqual([['ROW#1', 'ROW#2'], ['ROW#3', 'ROW#4'], ['ROW#5']]);
    const input = {
      IndexName: 'GSI1',
      KeyConditionExpression: 'GSI1PK = :p',
      ExpressionAttributeValues: { ':p': index },
    };
    for (const Limit of [1, 2, 3]) {
      const found: Note[] = [];
      for await (const item of router.queryItems<Note>(accountId, { ...input, Limit, ScanIndexForward: false }))
        found.push(item);
      expect(found.map(({ SK }) => SK)).toEqual(['ROW#5', 'ROW#4', 'ROW#3', 'ROW#2', 'ROW#1']);
      expect(new Set(found.map(({ PK }) => PK))).toEqual(new Set([accountPartition(accountId)]));
    }
  });

  it('of a query tells how many rows it found, not how many it looked at', async () => {
    const index = accountIndexKey(accountId, 'ALL');
    const input = {
      ...{ IndexName: 'GSI1', KeyConditionExpression: 'GSI1PK = :p', ExpressionAttributeValues: { ':p': index } },
      ...({ Select: 'COUNT', Limit: 1 } as const),
    };
    const planted = { GSI1PK: index, GSI1SK: '1' };
    for (const PK of [await world.current.addPublicAccount(), await world.current.addPublicAccount()].map(
      accountPartition,
    ))
      await world.current.plant(world.current.sharedTable, { ...planted, PK, SK: 'A' });
    await router.put<Note>(accountId, { Item: { ...planted, SK: 'A', GSI1SK: '2' } });
    const page = await router.query(accountId, input);
    expect(page).toMatchObject({ Count: 1, ScannedCount: 3 });
    expect(page.LastEvaluatedKey?.['PK'] ?? accountPartition(accountId)).toBe(accountPartition(accountId));
  });

  it('sees what a condition that failed says, as the SDK throws it', async () => {
    const Item = { SK: 'A' };
    await router.put(accountId, { Item });
    const again = router.put(accountId, { Item, ConditionExpression: 'attribute_not_exists(SK)' });
    await expect(again).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
  });
});

describe('batches and transactions', () => {
  it('are of the account’s rows', async () => {
    await router.transactWrite<Note>(accountId, {
      TransactItems: [{ Put: { Item: { SK: 'A', n: 1 } } }, { Put: { Item: { SK: 'B', n: 2 } } }],
      ClientRequestToken: randomUUID(),
    });
    await router.transactWrite<Note>(accountId, {
      TransactItems: [
        { ConditionCheck: { Key: { SK: 'A' }, ConditionExpression: 'n = :n', ExpressionAttributeValues: { ':n': 1 } } },
        { Update: { Key: { SK: 'B' }, UpdateExpression: 'ADD n :n', ExpressionAttributeValues: { ':n': 5 } } },
      ],
    });
    const { Items } = await router.batchGet<Note>(accountId, { Keys: [{ SK: 'A' }, { SK: 'B' }, { SK: 'absent' }] });
    expect(Items.map(({ SK, n }) => [SK, n]).sort()).toEqual([
      ['A', 1],
      ['B', 7],
    ]);
    const read = await router.transactGet<Note>(accountId, {
      TransactItems: [{ Get: { Key: { SK: 'B' } } }, { Get: { Key: { SK: 'absent' } } }],
    });
    expect(read.Responses?.map(({ Item }) => Item?.n)).toEqual([7, undefined]);
    await router.batchWrite(accountId, { Requests: [{ DeleteRequest: { Key: { SK: 'A' } } }] });
    expect(SKs((await router.query<Note>(accountId, {})).Items)).toEqual(['B']);
  });

  it('fail whole when a condition does not hold', async () => {
    const refused = router.transactWrite(accountId, {
      TransactItems: [
        { Put: { Item: { SK: 'A' } } },
        { ConditionCheck: { Key: { SK: 'B' }, ConditionExpression: 'attribute_exists(SK)' } },
      ],
    });
    await expect(refused).rejects.toMatchObject({ name: 'TransactionCanceledException' });
    expect((await router.get(accountId, { Key: { SK: 'A' } })).Item).toBeUndefined();
  });
});

describe('the admin calls', () => {
  it('see the rows of all, in the shared table alone', async () => {
    const { dynamodb, ssm, sharedTable, addPrivateAccount } = world.current;
    const admin = createAccountsAdmin({ dynamodb, ssm });
    const own = await addPrivateAccount();
    await router.put(own.accountId, { Item: { SK: 'IN-ITS-OWN' } });
    await router.put(accountId, { Item: { SK: 'PUBLIC' } });
    const PK = accountPartition(accountId);
    const Item = { PK: accountPartition(own.accountId), SK: 'METADATA', GSI2PK: 'TYPE#ACCOUNT', GSI2SK: own.accountId };
    expect(await admin.resolveSharedTableName()).toBe(sharedTable);
    await admin.adminPut({ Item });
    await admin.adminTransactWrite({ TransactItems: [{ Put: { Item: { ...Item, PK, GSI2SK: accountId } } }] });
    await admin.adminBatchWrite({ Requests: [{ PutRequest: { Item: { ...Item, PK, SK: 'LICENSE' } } }] });
    expect((await admin.adminGet({ Key: { PK, SK: 'PUBLIC' } })).Item).toEqual({ PK, SK: 'PUBLIC' });
    const byType = {
      IndexName: 'GSI2',
      KeyConditionExpression: 'GSI2PK = :t',
      ExpressionAttributeValues: { ':t': 'TYPE#ACCOUNT' },
    };
    expect(SKs((await admin.adminQuery<Note>(byType)).Items)).toEqual(['LICENSE', 'METADATA', 'METADATA']);
    const scanned: Note[] = [];
    for await (const { Items = [] } of admin.adminPaginateScan<Note>({ Limit: 2 })) scanned.push(...Items);
    expect(SKs(scanned)).toContain('PUBLIC');
    expect(SKs(scanned)).not.toContain('IN-ITS-OWN');
    const Keys = [
      { PK, SK: 'PUBLIC' },
      { PK, SK: 'LICENSE' },
    ];
    expect(SKs((await admin.adminBatchGet<Note>({ Keys })).Items)).toEqual(['LICENSE', 'PUBLIC']);
    expect(await admin.adminTransactGet({ TransactItems: [{ Get: { Key: { PK, SK: 'PUBLIC' } } }] })).toMatchObject({
      Responses: [{ Item: { SK: 'PUBLIC' } }],
    });
    const update = {
      Key: { PK, SK: 'PUBLIC' },
      UpdateExpression: 'SET GSI2PK = :t, GSI2SK = :t',
      ExpressionAttributeValues: { ':t': 'T' },
    };
    await admin.adminUpdate(update);
    await admin.adminDelete({ Key: { PK, SK: 'PUBLIC' } });
    expect(SKs((await router.query<Note>(accountId, {})).Items)).toEqual(['LICENSE', 'METADATA']);
  });

  it('take no other table and no legacy parameter', async () => {
    const { dynamodb, ssm } = world.current;
    const admin = createAccountsAdmin({ dynamodb, ssm });
    const Key = { PK: 'X', SK: 'Y' };
    const other = { TableName: 'other' };
    for (const refused of [
      admin.adminGet({ Key, ...other }),
      admin.adminScan({ Limit: 1, ...other }),
      admin.adminQuery({ Limit: 1, ...other }),
      admin.adminTransactWrite({ TransactItems: [{ Delete: { Key, ...other } }] }),
      admin.adminUpdate({ Key, ...{ AttributeUpdates: {} } }),
    ])
      await expect(refused).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
  });

  it('are on another object than the account’s', () => {
    const { dynamodb, ssm } = world.current;
    expect(Object.keys(router).filter((name) => /admin|shared|scan/i.test(name))).toEqual([]);
    expect(Object.keys(createAccountsAdmin({ dynamodb, ssm })).filter((name) => !/admin|Shared/.test(name))).toEqual(
      [],
    );
  });
});
