import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { defaultLeaseSeconds } from '../../../src/accounts-router/fence.ts';
import { accountFence } from '../../../src/kinds/account-fence/kind.ts';
import { accountLease } from '../../../src/kinds/account-lease/kind.ts';
import { movingAccount, type MovingAccount } from './account-world.ts';
import { contextOf, newTenant, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();
const removing = { removingAt: new Date() };
const other = '00000000-0000-4000-8000-000000000000';

describe('account-fence', () => {
  const fenceOf = (account: MovingAccount, settings: ContextSettings<'account-fence'> = {}) =>
    contextOf<'account-fence'>(world, account.tenant, account.spec, { stepId: 'fence', ...settings });

  it('makes an open fence of this move, and adopts it after an answer that was lost', async () => {
    const account = await movingAccount(world);
    const made = await account.fence();
    const moveId = account.tenant.id;
    expect(made).toMatchObject({ state: 'open', toTable: account.spec.toTable, moveId, writers: {} });
    await account.touchFence('SET writers.w1 = :at', { ':at': 1 });
    const again = await accountFence.ensure(fenceOf(account, { mayExist: true }));
    expect(again).toMatchObject({ status: 'ready', outputs: { moveId, toTable: account.spec.toTable } });
    expect(await account.fence()).toEqual({ ...made, writers: { w1: 1 } });
  });

  it('takes over what an earlier move left open or closed, and keeps the writers', async () => {
    const account = await movingAccount(world);
    await account.touchFence('SET writers.w1 = :at, #state = :closed', { ':at': 1, ':closed': 'closed' });
    await accountFence.ensure(fenceOf(account, { operationId: other }));
    expect(await account.fence()).toMatchObject({ state: 'open', moveId: other, writers: { w1: 1 } });
    expect(await accountFence.observe(fenceOf(account))).toMatchObject({ status: 'failed' });
  });

  it('leaves one alone that says that the account was moved, on the way forth and back', async () => {
    const account = await movingAccount(world);
    await account.touchFence('SET #state = :moved', { ':moved': 'moved' });
    const before = await account.fence();
    for (const call of [
      accountFence.ensure(fenceOf(account, { operationId: other })),
      accountFence.remove(fenceOf(account, removing)),
    ])
      expect(await stepErrorOf(call)).toMatchObject({ code: 'PROTECTED' });
    expect(await account.fence()).toEqual(before);
    await accountFence.remove(fenceOf(account, { ...removing, isPastCommit: true }));
    expect(await account.fence()).toBeUndefined();
  });
});

describe('account-lease', () => {
  async function lease(seconds = 0, of?: { readonly parameter: string; readonly seconds: number }) {
    const tenant = await newTenant(world);
    const name = `/accounts/${tenant.id}/move`;
    const spec = {
      parameter: { name, value: 'own' },
      seconds,
      removal: { pastCommit: 60, undone: 0 },
      ...(of && { lease: of }),
    };
    const write = (value: string) => world.aws.parameters.writeParameter(name, value);
    const context = (settings: ContextSettings<'account-lease'> = {}) =>
      contextOf<'account-lease'>(world, tenant, spec, settings);
    return { write, context };
  }

  it('begins once the parameter is there, and is ready when the time has passed', async () => {
    const { context, write } = await lease(1);
    expect(await stepErrorOf(accountLease.ensure(context()))).toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    await write('own');
    const { outputs, status } = await accountLease.ensure(context());
    expect(status).toBe('pending');
    const look = () => accountLease.observe(context({ previous: outputs }));
    expect(await look()).toMatchObject({ status: 'pending', detail: '1 of 1 s are left' });
    await expect.poll(async () => (await look()).status).toBe('ready');
  });

  it('goes on with the wait that an attempt before it began, and begins another when the parameter is written anew', async () => {
    const { context, write } = await lease(30);
    await write('own');
    const { outputs } = await accountLease.ensure(context());
    expect((await accountLease.ensure(context({ previous: outputs }))).outputs).toEqual(outputs);
    await write('own');
    const failed = { status: 'failed', detail: 'the parameter was written anew meanwhile' };
    expect(await accountLease.observe(context({ previous: outputs }))).toEqual(failed);
    expect((await accountLease.ensure(context({ previous: outputs }))).outputs.since).not.toBe(outputs.since);
    await write('other');
    expect(await accountLease.observe(context({ previous: outputs }))).toMatchObject({ status: 'failed' });
  });

  describe('where SSM has another lease than the step was reckoned from', () => {
    const parameter = () => `/platform/dynamodb/${randomUUID()}`;
    const put = (name: string, value: string) => world.aws.parameters.writeParameter(name, value);

    it.each([
      ['a longer one counts', '80', 120],
      ['a shorter one does not', '20', 60],
      ['without one the routers’ own counts', undefined, (60 * defaultLeaseSeconds) / 40],
    ])('%s', async (_which, value, wanted) => {
      const name = parameter();
      if (value !== undefined) await put(name, value);
      const { context, write } = await lease(60, { parameter: name, seconds: 40 });
      await write('own');
      const { outputs } = await accountLease.ensure(context());
      expect(outputs.wanted).toBe(wanted);
      // A lease that is made shorter meanwhile is not known to all routers.
      await put(name, '1');
      expect((await accountLease.observe(context({ previous: outputs }))).detail).toContain(`of ${wanted} s are left`);
      expect((await accountLease.ensure(context({ previous: outputs }))).outputs).toEqual(outputs);
    });

    it('keeps to the longer one in a removal, as it was when that began', async () => {
      const name = parameter();
      await put(name, '80');
      const { context } = await lease(0, { parameter: name, seconds: 40 });
      const settings = {
        removingAt: new Date(Date.now() - 70_000),
        isPastCommit: true,
        noted: new Map<string, string>(),
      };
      expect(await accountLease.remove(context(settings))).toMatchObject({ status: 'pending' });
      await put(name, '40');
      expect(await accountLease.observe(context(settings))).toMatchObject({ detail: '50 of 120 s are left' });
      expect(await accountLease.remove(context({ ...settings, noted: new Map() }))).toMatchObject({
        status: 'removed',
      });
    });

    it.each(['0', '86401', '5m', ''.padEnd(3, ' ')])('does not begin with what is no lease: "%s"', async (value) => {
      const name = parameter();
      await put(name, value);
      const { context, write } = await lease(60, { parameter: name, seconds: 40 });
      await write('own');
      expect(await stepErrorOf(accountLease.ensure(context()))).toMatchObject({
        code: 'INVALID_REQUEST',
        detail: expect.stringContaining(name) as string,
      });
    });
  });

  it('lets time pass when it goes past the commit, and none in an undo', async () => {
    const { context } = await lease();
    const at = (secondsAgo: number) => ({ removingAt: new Date(Date.now() - secondsAgo * 1_000) });
    const past = (secondsAgo: number) => context({ ...at(secondsAgo), isPastCommit: true });
    expect(await accountLease.remove(past(5))).toMatchObject({ status: 'pending' });
    expect(await accountLease.observe(past(5))).toMatchObject({ status: 'pending', detail: '55 of 60 s are left' });
    expect(await accountLease.observe(past(65))).toMatchObject({ status: 'absent' });
    expect(await accountLease.remove(past(65))).toMatchObject({ status: 'removed' });
    expect(await accountLease.remove(context(at(0)))).toMatchObject({ status: 'removed' });
  });
});
