import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAccountsAdmin, createAccountsRouter, accountPartition, type AccountsRouter } from 'tenantry/accounts';
import { leaseParameterName } from '../../src/accounts-router/fence.ts';
import { useRouterWorld } from './fixture.ts';
import { leaseSeconds, Mover } from './mover.ts';

const world = useRouterWorld();
let accountId: string;
let mover: Mover;
beforeEach(async () => {
  await world.current.setParameters({ [leaseParameterName]: String(leaseSeconds) });
  accountId = await world.current.addPublicAccount();
  mover = new Mover(world.current, accountId);
});

const open = (moveWaitMs = 60_000) => {
  const { dynamodb, ssm } = world.current;
  return createAccountsRouter({ dynamodb, ssm, moveWaitMs });
};
const rowsIn = async (table: string) =>
  (await world.current.rows(table)).filter(({ PK }) => PK === accountPartition(accountId)).map(({ SK }) => SK);

type At = 'before it is sent' | 'before its answer is there';

/** A router whose call on `command` stands still where it is told to, until it is let go. */
function openSlow(command: string, at: At) {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(world.current.config));
  const send = client.send.bind(client) as (command: object, options?: object) => Promise<unknown>;
  let [go, stand]: (() => void)[] = [];
  const gone = new Promise<void>((resolve) => (go = resolve));
  const stands = new Promise<void>((resolve) => (stand = resolve));
  let isFirst = true;
  client.send = async (sent: object, options?: object): Promise<never> => {
    const isSlow = isFirst && sent.constructor.name === command;
    if (isSlow) isFirst = false;
    const wait = async () => {
      stand?.();
      await gone;
    };
    if (isSlow && at === 'before it is sent') await wait();
    const answer = await send(sent, options).then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    if (isSlow && at === 'before its answer is there') await wait();
    return answer() as never;
  };
  const router = createAccountsRouter({ dynamodb: client, ssm: world.current.ssm });
  return { router, stands, go: () => go?.() };
}

/** Writes and reads all the while; what it was told of its writes, and what it missed. */
function workload(routers: readonly AccountsRouter[]) {
  const written = new Set<string>();
  const missed: string[] = [];
  const errors: unknown[] = [];
  const run = { isOver: false };
  const until = async (once: (n: number) => Promise<void>) => {
    for (let n = 0; !run.isOver; n += 1) {
      await once(n).catch((error: unknown) => void errors.push(error));
      await sleep(50);
    }
  };
  const all = routers.flatMap((router, r) => [
    until(async (n) => {
      const rows = [0, 1].map((each) => `ROW#${r}#${n}#${each}`);
      const items = rows.map((SK) => ({ SK }));
      if (n % 3 === 0)
        await router.batchWrite(accountId, { Requests: items.map((Item) => ({ PutRequest: { Item } })) });
      else if (n % 3 === 1)
        await router.transactWrite(accountId, { TransactItems: items.map((Item) => ({ Put: { Item } })) });
      else
        for (const Item of items)
          await router.put(accountId, { Item, ConditionExpression: 'attribute_not_exists(SK)' });
      rows.forEach((SK) => written.add(SK));
    }),
    until(async () => {
      const expected = [...written];
      const found = new Set<string>();
      const input = { ConsistentRead: true, Limit: 40 };
      for await (const { SK } of router.queryItems<{ SK: string }>(accountId, input)) found.add(SK);
      missed.push(...expected.filter((SK) => !found.has(SK)));
    }),
  ]);
  return {
    written,
    async end() {
      run.isOver = true;
      await Promise.all(all);
      return { missed, errors };
    },
  };
}

describe('while an account is moved', () => {
  it('routers write and read all the while, and every acknowledged write is in its new table', async () => {
    const work = workload([open(), open()]);
    await mover.announce();
    await mover.makeEqual();
    const before = work.written.size;
    await mover.switchOver();
    const atSwitch = work.written.size;
    await expect.poll(() => work.written.size).toBeGreaterThan(atSwitch + 10);
    await mover.retire();
    const retired = work.written.size;
    await expect.poll(() => work.written.size).toBeGreaterThan(retired + 10);
    expect(await work.end()).toEqual({ missed: [], errors: [] });
    expect(before).toBeGreaterThan(0);
    expect(await rowsIn(mover.toTable)).toEqual(expect.arrayContaining([...work.written]));
    expect(await rowsIn(world.current.sharedTable)).toEqual([]);
  });

  it('and is not in the end, every acknowledged write is in the shared table', async () => {
    const work = workload([open(), open()]);
    await mover.announce();
    await mover.state('closed');
    await mover.makeEqual();
    const before = work.written.size;
    await mover.backOut();
    await expect.poll(() => work.written.size).toBeGreaterThan(before + 10);
    expect(await work.end()).toEqual({ missed: [], errors: [] });
    expect(await rowsIn(world.current.sharedTable)).toEqual([...work.written].sort());
  });

  it('a write that is under way when the fence closes is waited for, and acknowledged', async () => {
    await mover.announce('new');
    const { router, stands, go } = openSlow('PutCommand', 'before it is sent');
    const put = router.put(accountId, { Item: { SK: 'A' } });
    await stands;
    const switched = mover.switchOver();
    await expect
      .poll(() =>
        open(0)
          .put(accountId, { Item: { SK: 'B' } })
          .catch((error: unknown) => error),
      )
      .toMatchObject({
        code: 'ACCOUNT_MOVING',
        accountId,
      });
    go();
    await put;
    await switched;
    expect(await rowsIn(mover.toTable)).toContain('A');
  });

  it('a write is registered until its answer was checked', async () => {
    await mover.announce('new');
    const { router, stands, go } = openSlow('GetCommand', 'before it is sent');
    const put = router.put(accountId, { Item: { SK: 'A' } });
    await stands;
    await mover.state('closed');
    // Longer than a registration stays when no write is under way.
    await sleep(700);
    expect(await mover.writers()).toHaveLength(1);
    go();
    await put;
    await expect.poll(() => mover.writers()).toEqual([]);
  });

  it('writes wait for the switch, reads do not', async () => {
    await open().put(accountId, { Item: { SK: 'A' } });
    await mover.announce('new');
    await mover.state('closed');
    const router = open();
    const put = router.put(accountId, { Item: { SK: 'B' } });
    expect((await router.get(accountId, { Key: { SK: 'A' } })).Item).toMatchObject({ SK: 'A' });
    expect(await router.resolveTableName(accountId)).toBe(world.current.sharedTable);
    const ended = router.put(accountId, { Item: { SK: 'C' } }, { abortSignal: AbortSignal.timeout(100) });
    await expect(ended).rejects.toMatchObject({ name: 'TimeoutError' });
    await mover.switchOver();
    await put;
    expect(await rowsIn(world.current.sharedTable)).toEqual(['A']);
    expect(await rowsIn(mover.toTable)).toEqual(['A', 'B']);
    expect(await router.resolveTableName(accountId)).toBe(mover.toTable);
  });

  it('the admin calls write no row of it from the closed fence on', async () => {
    const { dynamodb, ssm, sharedTable } = world.current;
    const admin = createAccountsAdmin({ dynamodb, ssm });
    const PK = accountPartition(accountId);
    await mover.announce('new');
    await admin.adminPut({ Item: { PK, SK: 'A' } });
    await mover.switchOver();
    const refused = { code: 'ACCOUNT_MOVING', accountId };
    const Key = { PK, SK: 'A' };
    for (const call of [
      admin.adminPut({ Item: { PK, SK: 'B' } }),
      admin.adminDelete({ Key }),
      admin.adminTransactWrite({ TransactItems: [{ Delete: { Key } }] }),
      admin.adminBatchWrite({ Requests: [{ PutRequest: { Item: { PK: 'X', SK: 'B' } } }, { DeleteRequest: { Key } }] }),
    ])
      await expect(call).rejects.toMatchObject(refused);
    await admin.adminPut({ Item: { PK: 'X', SK: 'A' } });
    expect((await admin.adminGet({ Key })).Item).toEqual(Key);
    expect(await rowsIn(sharedTable)).toEqual(['A']);
    expect(await rowsIn(mover.toTable)).toEqual(['A']);
    await mover.retire();
    await admin.adminPut({ Item: { PK, SK: 'B' } });
  });
});

describe('a process that stands still while the account is moved', () => {
  const write = (router: AccountsRouter) => router.put(accountId, { Item: { SK: 'LATE' } });
  const unknown = () => ({ code: 'WRITE_OUTCOME_UNKNOWN', accountId, tableName: world.current.sharedTable });

  it.each<At>(['before it is sent', 'before its answer is there'])(
    'and had a write under way from before, %s, is not told that it is done',
    async (at) => {
      const { router, stands, go } = openSlow('PutCommand', at);
      const put = expect(write(router)).rejects.toMatchObject(unknown());
      await stands;
      await mover.announce();
      await mover.switchOver();
      go();
      await put;
      await write(router);
      expect(await rowsIn(mover.toTable)).toEqual(['LATE']);
    },
  );

  it.each<[string, At]>([
    ['PutCommand', 'before it is sent'],
    ['PutCommand', 'before its answer is there'],
    ['GetCommand', 'before it is sent'],
  ])('and whose registration was removed, in its %s %s, is not told that it is done', async (command, at) => {
    await mover.announce('new');
    const { router, stands, go } = openSlow(command, at);
    const put = expect(write(router)).rejects.toMatchObject(unknown());
    await stands;
    await mover.switchOver({ doBreak: true });
    go();
    await put;
    await write(router);
    expect(await rowsIn(mover.toTable)).toEqual(['LATE']);
  });

  it('and registers late is not in time: its write goes to the new table', async () => {
    await mover.announce('new');
    const { router, stands, go } = openSlow('UpdateCommand', 'before it is sent');
    const put = write(router);
    await stands;
    await mover.switchOver();
    go();
    await put;
    expect(await rowsIn(mover.toTable)).toEqual(['LATE']);
    expect(await rowsIn(world.current.sharedTable)).toEqual([]);
  });

  it.each<At>(['before it is sent', 'before its answer is there'])(
    'and has a condition judged in the old table, %s, has it judged in the new one',
    async (at) => {
      await open().put(accountId, { Item: { SK: 'A' } });
      const { router, stands, go } = openSlow('DeleteCommand', at);
      const condition = { ConditionExpression: 'attribute_exists(n)' };
      const deleted = router.delete(accountId, { Key: { SK: 'A' }, ...condition });
      await stands;
      await mover.announce();
      await mover.switchOver();
      await open().put(accountId, { Item: { SK: 'A', n: 1 } });
      go();
      await deleted;
      expect(await rowsIn(mover.toTable)).toEqual([]);
    },
  );

  it.each<[string, At]>([
    ['QueryCommand', 'before its answer is there'],
    ['GetCommand', 'before it is sent'],
  ])('and reads the old table, in its %s %s, answers from the new one', async (command, at) => {
    await mover.announce('new');
    const { router, stands, go } = openSlow(command, at);
    const read = router.query(accountId, { ConsistentRead: true });
    await stands;
    await mover.switchOver();
    await open().put(accountId, { Item: { SK: 'NEW' } });
    go();
    expect((await read).Items).toMatchObject([{ SK: 'NEW' }]);
  });
});
