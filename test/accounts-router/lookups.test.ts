import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { SSMClient } from '@aws-sdk/client-ssm';
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  AccountNotActiveError,
  accountPartition,
  createAccountsRouter,
  type AccountsRouterOptions,
} from 'tenantry/accounts';
import { arnOf, useRouterWorld } from './fixture.ts';

const world = useRouterWorld();
afterEach(() => vi.restoreAllMocks());

/** A router, and how often it asked SSM. */
function open(options: Partial<AccountsRouterOptions> = {}) {
  const { dynamodb, ssm } = world.current;
  const asked = vi.spyOn(ssm, 'send');
  return { router: createAccountsRouter({ dynamodb, ssm, ...options }), asked };
}
const Key = { SK: 'A' };
const dropTable = (TableName: string) => world.current.dynamodb.send(new DeleteTableCommand({ TableName }));

describe('where an account’s rows are', () => {
  it('is asked once for all calls that need it, and again after forget', async () => {
    const accountId = await world.current.addPublicAccount();
    const { router, asked } = open();
    await Promise.all([
      router.get(accountId, { Key }),
      router.get(accountId, { Key }),
      router.resolveTableName(accountId),
    ]);
    await router.get(accountId, { Key });
    expect(asked).toHaveBeenCalledTimes(1);
    router.forget(accountId);
    await router.get(accountId, { Key });
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it.each(['pending', 'creating'])('is told at once when one that is %s becomes active', async (status) => {
    const accountId = await world.current.addPublicAccount(status);
    const { router } = open();
    const early = router.get(accountId, { Key });
    await expect(early).rejects.toMatchObject({ name: 'AccountCreatingError', code: 'ACCOUNT_NOT_ACTIVE', status });
    await expect(early).rejects.toBeInstanceOf(AccountNotActiveError);
    await world.current.setParameters({ [`/accounts/${accountId}/provisioning-status`]: 'active' });
    await expect(router.get(accountId, { Key })).resolves.toMatchObject({});
  });

  it.each(['failed', 'deleting'])('is not told of one that is %s', async (status) => {
    const accountId = await world.current.addPublicAccount(status);
    const { router, asked } = open();
    for (let n = 0; n < 2; n += 1)
      await expect(router.get(accountId, { Key })).rejects.toMatchObject({ code: 'ACCOUNT_NOT_ACTIVE', status });
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('is not found for one that has no parameters, until it has, a second later', async () => {
    const accountId = randomUUID();
    const { router, asked } = open();
    await expect(router.get(accountId, { Key })).rejects.toMatchObject({ code: 'ACCOUNT_NOT_FOUND' });
    await expect(router.put(accountId, { Item: Key })).rejects.toMatchObject({ code: 'ACCOUNT_NOT_FOUND', accountId });
    await world.current.setParameters({
      [`/accounts/${accountId}/cloud-type`]: 'public',
      [`/accounts/${accountId}/provisioning-status`]: 'active',
    });
    expect(asked.mock.calls.filter(([{ input }]) => 'Names' in input)).toHaveLength(1);
    await setTimeout(1_000);
    await expect(router.resolveTableName(accountId)).resolves.toBe(world.current.sharedTable);
  });

  it('is not guessed from parameters that are missing or contradict each other', async () => {
    const { addPublicAccount, addPrivateAccount, setParameters, removeParameters, sharedTable } = world.current;
    const { router } = open({ negativeTtlMs: 0 });
    const refused = (id: string, words: string) =>
      expect(router.get(id, { Key })).rejects.toMatchObject({
        code: 'ACCOUNT_PARAMETERS_INVALID',
        message: expect.stringContaining(words) as string,
      });
    const accountId = await addPublicAccount();
    const at = (name: string) => `/accounts/${accountId}/${name}`;
    await setParameters({ [at('dynamodb/table-name')]: 'app-prod-account-x' });
    await refused(accountId, 'another table than the shared one');
    await setParameters({ [at('cloud-type')]: 'hybrid' });
    await refused(accountId, 'neither public nor private');
    await setParameters({ [at('provisioning-status')]: 'ready' });
    await refused(accountId, 'a status that is none');
    const own = await addPrivateAccount();
    const name = `/accounts/${own.accountId}/dynamodb/table-name`;
    await setParameters({ [name]: sharedTable });
    await refused(own.accountId, 'names the shared table');
    await setParameters({ [name]: arnOf('of-another-aws-account') });
    await refused(own.accountId, 'holds no name of a table');
    await removeParameters(name);
    await refused(own.accountId, `no parameter ${name}`);
  });

  it('is not known while SSM gives no answer, and is asked again by the next call', async () => {
    const accountId = await world.current.addPublicAccount();
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const ssm = new SSMClient({ endpoint: 'http://127.0.0.1:1', region: 'us-east-1', credentials, maxAttempts: 1 });
    const { router } = open({ ssm });
    await expect(router.get(accountId, { Key })).rejects.toMatchObject({ code: 'ACCOUNT_LOOKUP_FAILED' });
    ssm.send = world.current.ssm.send.bind(world.current.ssm);
    await expect(router.get(accountId, { Key })).resolves.not.toHaveProperty('Item');
  });

  it('is of no account whose id is none: nothing is asked', async () => {
    const { router, asked } = open();
    const accountId = '../platform';
    await expect(router.get(accountId, { Key })).rejects.toMatchObject({ code: 'ACCOUNT_ID_INVALID' });
    await expect(router.resolveTableName(accountId)).rejects.toMatchObject({ code: 'ACCOUNT_ID_INVALID' });
    await expect(router.queryItems(accountId, {}).next()).rejects.toMatchObject({ code: 'ACCOUNT_ID_INVALID' });
    expect(() => router.forget(accountId)).toThrow(expect.objectContaining({ code: 'ACCOUNT_ID_INVALID' }));
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('a table that is not there anymore', () => {
  it('is looked up anew once, for all calls that found it gone, and the calls are repeated', async () => {
    const { addPrivateAccount, makeTable, setParameters, rows } = world.current;
    const { accountId, tableName } = await addPrivateAccount();
    const { router, asked } = open();
    await router.put(accountId, { Item: { SK: 'A' } });
    const next = `app-prod-account-${randomUUID()}`;
    await makeTable(next);
    await setParameters({ [`/accounts/${accountId}/dynamodb/table-name`]: next });
    await dropTable(tableName);
    asked.mockClear();
    const Requests = [{ PutRequest: { Item: { SK: 'D' } } }];
    await Promise.all([
      router.put(accountId, { Item: { SK: 'B' } }),
      router.transactWrite(accountId, { TransactItems: [{ Put: { Item: { SK: 'C' } } }] }),
      router.batchWrite(accountId, { Requests }),
      router.query(accountId, {}),
    ]);
    expect(asked).toHaveBeenCalledTimes(1);
    expect((await rows(next)).map(({ SK }) => SK)).toEqual(['B', 'C', 'D']);
    expect(await router.resolveTableName(accountId)).toBe(next);
  });

  it('is said to be gone when no other is named, and is not asked for again at once', async () => {
    const { accountId, tableName } = await world.current.addPrivateAccount();
    const { router, asked } = open();
    await router.get(accountId, { Key });
    await dropTable(tableName);
    const gone = { code: 'TABLE_NOT_FOUND', tableName };
    await expect(router.get(accountId, { Key })).rejects.toMatchObject(gone);
    asked.mockClear();
    await expect(router.get(accountId, { Key })).rejects.toMatchObject(gone);
    expect(asked).not.toHaveBeenCalled();
  });

  it('of an account that was removed ends in the account’s absence', async () => {
    const { addPrivateAccount, removeParameters } = world.current;
    const { accountId, tableName } = await addPrivateAccount();
    const { router } = open();
    await router.get(accountId, { Key });
    await dropTable(tableName);
    const names = ['cloud-type', 'provisioning-status', 'dynamodb/table-name', 'dynamodb/table-arn'];
    await removeParameters(...names.map((name) => `/accounts/${accountId}/${name}`));
    await expect(router.put(accountId, { Item: { SK: accountPartition(accountId) } })).rejects.toMatchObject({
      code: 'ACCOUNT_NOT_FOUND',
    });
  });
});
