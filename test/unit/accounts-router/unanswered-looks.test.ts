import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { accountPartition, type AccountsRouter } from '../../../src/accounts-router/index.ts';
import { endOf, leaseMs, moveWaitMs, openFailingWorld } from './failing-world.ts';
import { ownId } from './fixture.ts';
import { named } from './move/tables.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const Item = { SK: 'A' };
const put = (router: AccountsRouter) => router.put(ownId, { Item });
const get = (router: AccountsRouter) => router.get(ownId, { Key: Item });
const writes: [string, (router: AccountsRouter) => Promise<unknown>][] = [
  ['put', put],
  ['delete', (router) => router.delete(ownId, { Key: Item })],
  ['batchWrite', (router) => router.batchWrite(ownId, { Requests: [{ PutRequest: { Item } }] })],
  ['transactWrite', (router) => router.transactWrite(ownId, { TransactItems: [{ Put: { Item } }] })],
];
const status = (value: string) => ({ [`/accounts/${ownId}/provisioning-status`]: value });
const unanswered = { code: 'ACCOUNT_LOOKUP_FAILED', cause: { name: 'TimeoutError' } };
const unknown = { code: 'WRITE_OUTCOME_UNKNOWN', accountId: ownId, tableName: 'shared' };
const containing = (words: string) => expect.stringContaining(words) as string;

describe('the look after a write', () => {
  it.each(writes)(
    'is made again when it gets no answer: %s is acknowledged, and not repeated',
    async (_call, write) => {
      const world = openFailingWorld('open');
      world.onRow(() => world.fail('look', 4));
      expect((await endOf(write(world.router))).error).toBeUndefined();
      expect([world.count('look'), world.count('row')]).toEqual([5, 1]);
    },
  );

  it('asks SSM again when the answer came late and SSM gives none', async () => {
    const world = openFailingWorld();
    world.onRow(() => {
      vi.advanceTimersByTime(leaseMs);
      world.fail('ssm', 3);
    });
    expect((await endOf(put(world.router))).error).toBeUndefined();
    expect([world.count('ssm'), world.count('row')]).toEqual([5, 1]);
  });

  it('asks SSM again when the fence is gone and SSM gives no answer', async () => {
    const world = openFailingWorld('open');
    world.onRow(() => {
      world.endMove();
      world.fail('ssm', 3);
    });
    expect((await endOf(put(world.router))).error).toBeUndefined();
    expect([world.count('ssm'), world.count('row')]).toEqual([5, 1]);
  });

  it('says that nothing answered, and why, when the time is over', async () => {
    const world = openFailingWorld('open');
    world.onRow(() => world.fail('look', Infinity));
    const { error, afterMs } = await endOf(put(world.router));
    expect(error).toMatchObject({ ...unknown, reason: 'unchecked', cause: unanswered });
    expect(error).toMatchObject({ message: containing('nothing answered') });
    expect(afterMs).toBeGreaterThanOrEqual(moveWaitMs);
    expect(world.count('row')).toBe(1);
  });

  it('says that nothing answered when SSM and the fence contradict each other', async () => {
    const world = openFailingWorld('open');
    world.onRow(() => world.endMove('fence only'));
    const cause = { code: 'ACCOUNT_LOOKUP_FAILED', message: containing('no fence item') };
    const { error } = await endOf(put(world.router));
    expect(error).toMatchObject({ ...unknown, reason: 'unchecked', cause });
  });

  it('says that the account was moved, when it was', async () => {
    const world = openFailingWorld('open');
    world.onRow(() => {
      world.set('moved');
      world.fail('look', 2);
    });
    const { error } = await endOf(put(world.router));
    expect(error).toMatchObject({ ...unknown, reason: 'moved', message: containing('was moved while shared') });
  });

  it('says that the account is being removed, when it is', async () => {
    const world = openFailingWorld();
    world.onRow(() => {
      vi.advanceTimersByTime(leaseMs);
      world.setParameters(status('deleting'));
    });
    const { error, afterMs } = await endOf(put(world.router));
    const cause = { code: 'ACCOUNT_NOT_ACTIVE', status: 'deleting' };
    expect(error).toMatchObject({ ...unknown, reason: 'removed', message: containing('being removed'), cause });
    expect(afterMs).toBeLessThan(leaseMs + 1_000);
  });

  it('has its own time, however long the write has waited at the fence', async () => {
    const world = openFailingWorld('closed');
    setTimeout(() => world.set('open'), moveWaitMs - 300);
    world.onRow(() => world.fail('look', 5));
    const { error, afterMs } = await endOf(put(world.router));
    expect(error).toBeUndefined();
    expect(afterMs).toBeGreaterThan(moveWaitMs);
  });

  it('ends with the signal of the call', async () => {
    const world = openFailingWorld('open');
    const stop = new AbortController();
    world.onRow(() => {
      world.fail('look', Infinity);
      setTimeout(() => stop.abort(), 1_000);
    });
    const { error, afterMs } = await endOf(world.router.put(ownId, { Item }, { abortSignal: stop.signal }));
    expect(error).toMatchObject({ name: 'AbortError' });
    expect(afterMs).toBeLessThan(1_500);
  });

  it('that was denied is not made again', async () => {
    const world = openFailingWorld('open');
    world.onRow(() => world.fail('look', Infinity, named('AccessDeniedException')));
    const { error, afterMs } = await endOf(put(world.router));
    expect(error).toMatchObject({ reason: 'unchecked', cause: { cause: { name: 'AccessDeniedException' } } });
    expect(afterMs).toBeLessThan(1_000);
  });

  it.each([
    ['by an admin call is made again', 4, undefined],
    ['by an admin call says that nothing answered', Infinity, { ...unknown, reason: 'unchecked', cause: unanswered }],
  ])('%s', async (_title, times, expected) => {
    const world = openFailingWorld('open');
    world.onRow(() => world.fail('look', times));
    const { error } = await endOf(world.admin.adminPut({ Item: { PK: accountPartition(ownId), ...Item } }));
    if (expected) expect(error).toMatchObject(expected);
    else expect(error).toBeUndefined();
    expect(world.count('row')).toBe(1);
  });
});

describe('a write to the account’s own table', () => {
  it('needs no look after the switch, and nothing that fails makes it fail', async () => {
    const world = openFailingWorld('closed');
    setTimeout(() => world.set('moved'), 1_000);
    world.onRow(() => {
      vi.advanceTimersByTime(leaseMs);
      for (const question of ['look', 'ssm'] as const) world.fail(question, Infinity);
    });
    expect((await endOf(put(world.router))).error).toBeUndefined();
    expect(world.rows('own')).toEqual(['A']);
  });

  it('needs none when SSM says that it is there', async () => {
    const world = openFailingWorld();
    world.setParameters({
      ...{ [`/accounts/${ownId}/cloud-type`]: 'private', [`/accounts/${ownId}/dynamodb/table-name`]: 'own' },
    });
    world.onRow(() => {
      vi.advanceTimersByTime(leaseMs);
      world.fail('ssm', Infinity);
    });
    expect((await endOf(put(world.router))).error).toBeUndefined();
    expect([world.count('ssm'), world.rows('own')]).toEqual([1, ['A']]);
  });
});

describe('a write that waits at a closed fence', () => {
  it('looks again when it gets no answer', async () => {
    const world = openFailingWorld('closed');
    world.fail('look', 6);
    setTimeout(() => world.set('open'), 10_000);
    expect((await endOf(put(world.router))).error).toBeUndefined();
    expect(world.rows('shared')).toEqual(['A']);
  });

  it('asks SSM again when what it said is too old and it gives no answer', async () => {
    const world = openFailingWorld('closed');
    setTimeout(() => {
      vi.advanceTimersByTime(leaseMs / 2);
      world.fail('ssm', 3);
      world.set('open');
    }, 500);
    expect((await endOf(put(world.router))).error).toBeUndefined();
    expect(world.count('ssm')).toBe(5);
  });

  it('asks SSM again when the move was backed out and it gives no answer', async () => {
    const world = openFailingWorld('closed');
    setTimeout(() => {
      world.endMove();
      world.fail('ssm', 3);
    }, 500);
    expect((await endOf(put(world.router))).error).toBeUndefined();
    expect([world.count('ssm'), world.rows('shared')]).toEqual([5, ['A']]);
  });

  it('gives up when the time is over, with the last failure', async () => {
    const world = openFailingWorld('closed');
    world.fail('look', Infinity);
    const { error, afterMs } = await endOf(put(world.router));
    expect(error).toMatchObject({ code: 'ACCOUNT_MOVING', accountId: ownId, cause: unanswered });
    expect(afterMs).toBeGreaterThanOrEqual(moveWaitMs);
    expect(world.count('row')).toBe(0);
  });

  it('registers again when that gets no answer', async () => {
    const world = openFailingWorld('open');
    world.fail('registration', 3);
    expect((await endOf(put(world.router))).error).toBeUndefined();
    expect(world.rows('shared')).toEqual(['A']);
  });

  it('that may not look at it is told so at once', async () => {
    const world = openFailingWorld('closed');
    world.fail('look', Infinity, named('AccessDeniedException'));
    const { error, afterMs } = await endOf(put(world.router));
    expect(error).toMatchObject({ code: 'ACCOUNT_LOOKUP_FAILED', cause: { name: 'AccessDeniedException' } });
    expect(afterMs).toBeLessThan(1_000);
  });
});

describe('a read while the account is moved', () => {
  it('looks at the fence again when it gets no answer', async () => {
    const world = openFailingWorld('open');
    world.fail('look', 4);
    expect((await endOf(get(world.router))).error).toBeUndefined();
    expect([world.count('look'), world.count('row')]).toEqual([5, 1]);
  });

  it('gives up when the time is over, with the last failure', async () => {
    const world = openFailingWorld('open');
    world.fail('look', Infinity);
    const { error, afterMs } = await endOf(get(world.router));
    expect(error).toMatchObject({ code: 'ACCOUNT_MOVING', cause: unanswered });
    expect(afterMs).toBeGreaterThanOrEqual(moveWaitMs);
  });

  it('that is checked by SSM, and no move is known, ends with what SSM’s failure is', async () => {
    const world = openFailingWorld();
    world.onRow(() => {
      vi.advanceTimersByTime(leaseMs);
      world.fail('ssm', Infinity);
    });
    expect((await endOf(get(world.router))).error).toMatchObject(unanswered);
  });
});

it('an answer of SSM that was cut off is none about the account', async () => {
  const world = openFailingWorld();
  world.ssm.send = () => Promise.resolve({} as never);
  expect((await endOf(get(world.router))).error).toMatchObject({ code: 'ACCOUNT_LOOKUP_FAILED' });
});
