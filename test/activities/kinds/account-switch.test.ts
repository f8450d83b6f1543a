import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { createRowChecksum, type Row } from '../../../src/aws/row-checksum.ts';
import type { CellAws } from '../../../src/aws/cell-aws.ts';
import { accountCopy } from '../../../src/kinds/account-copy/kind.ts';
import { accountSwitch } from '../../../src/kinds/account-switch/kind.ts';
import { movingAccount, type MovingAccount } from './account-world.ts';
import { contextOf, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();

type Settings = ContextSettings<'account-switch'>;

function copyOf(account: MovingAccount, settings: ContextSettings<'account-copy'> = {}) {
  const spec = { ...account.spec, position: account.position };
  return accountCopy.ensure(contextOf<'account-copy'>(world, account.tenant, spec, { stepId: 'copy', ...settings }));
}

function switching(account: MovingAccount, settings: Settings = {}, change: { readonly closedSeconds?: number } = {}) {
  const spec = { ...account.spec, position: account.position, ...change };
  return contextOf<'account-switch'>(world, account.tenant, spec, { stepId: 'close', ...settings });
}

const removing = { removingAt: new Date() };

function sumOf(rows: ReadonlyMap<string, Row>) {
  const sum = createRowChecksum();
  for (const row of rows.values()) sum.add(row);
  return { count: sum.count, checksum: sum.digest() };
}

/** Calls of the adapters that fail, or wait, as a test wants. */
function awsWith(change: {
  readonly fences?: Partial<CellAws['fences']>;
  readonly partitions?: Partial<CellAws['partitions']>;
  readonly locks?: Partial<CellAws['locks']>;
}): CellAws {
  const { fences, locks, partitions } = world.aws;
  return {
    ...world.aws,
    fences: { ...fences, ...change.fences },
    locks: { ...locks, ...change.locks },
    partitions: { ...partitions, ...change.partitions },
  };
}

describe('account-copy', () => {
  it('copies rows of services as they are, and none of the control plane', async () => {
    const account = await movingAccount(world);
    await account.fill(60, { set: { SS: ['b', 'a'] }, bytes: { B: Buffer.from([1]) } });
    await account.put(account.spec.table, 'METADATA', { ...account.mark, name: { S: 'shared' } });
    await account.put(account.spec.toTable, 'METADATA', { ...account.mark, name: { S: 'own' } });
    expect(await copyOf(account)).toMatchObject({ status: 'ready', outputs: { copied: 60 } });
    expect(sumOf(await account.rows(account.to))).toEqual(sumOf(await account.rows(account.from)));
    const own = await world.aws.partitions.readRows(account.to, ['METADATA']);
    expect(own.get('METADATA')).toMatchObject({ name: { S: 'own' } });
  });

  it('goes on behind what an attempt before it copied', async () => {
    const account = await movingAccount(world);
    await account.fill(130);
    await account.put(account.spec.toTable, 'ZZZ', account.mark);
    const dying = awsWith({
      partitions: {
        pages: async function* (partition, options) {
          const isOwn = partition.table === account.spec.toTable;
          for await (const page of world.aws.partitions.pages(partition, options))
            yield isOwn ? page : page.slice(0, 105);
          if (!isOwn) throw new Error('killed');
        },
      },
    });
    await expect(copyOf(account, { aws: dying })).rejects.toThrow('killed');
    expect((await account.rows(account.to)).size).toBe(105);
    expect(await copyOf(account, { mayExist: true })).toMatchObject({ status: 'ready', outputs: { copied: 25 } });
    expect(sumOf(await account.rows(account.to))).toEqual(sumOf(await account.rows(account.from)));
  });

  it('copies rows of 400 KB', async () => {
    const account = await movingAccount(world);
    await account.fill(6, { text: { S: 'x'.repeat(399_000) } });
    expect(await copyOf(account)).toMatchObject({ outputs: { copied: 6 } });
    expect(sumOf(await account.rows(account.to))).toEqual(sumOf(await account.rows(account.from)));
  });

  it('refuses to write over a row of the control plane', async () => {
    const account = await movingAccount(world);
    await account.put(account.spec.table, 'METADATA', { name: { S: 'overwritten by a service' } });
    await account.put(account.spec.toTable, 'METADATA', account.mark);
    const error = await stepErrorOf(copyOf(account));
    expect(error).toMatchObject({
      code: 'OWNERSHIP_CONFLICT',
      message: expect.stringContaining('"METADATA"') as string,
    });
    expect(await account.rows(account.to)).toEqual(new Map());
  });
});

describe('account-switch', () => {
  it.each([
    ['by the stream', true],
    ['by comparisons where there is no stream', false],
  ])('brings over what changed since the copy, closes and proves it: %s', async (_by, hasStream) => {
    const account = await movingAccount(world, { hasStream });
    await account.fill(120);
    await copyOf(account);
    await account.put(account.spec.table, 'ROW#000003', { n: { N: '1000' } });
    await account.remove(account.spec.table, 'ROW#000004');
    await account.put(account.spec.table, 'NEW', { n: { N: '1' } });
    await account.put(account.spec.toTable, 'STRAY', { n: { N: '1' } });
    const { detail, outputs, status } = await accountSwitch.ensure(switching(account));
    expect(status).toBe('ready');
    const rows = await account.rows(account.from);
    expect(await account.rows(account.to)).toEqual(rows);
    expect(sumOf(rows)).toEqual({ count: outputs.count, checksum: outputs.checksum });
    expect(await account.fence()).toMatchObject({ state: 'closed', count: 120, checksum: outputs.checksum });
    expect(detail).toContain(hasStream ? 'stream arn:' : 'comparisons alone');
    expect(await accountSwitch.observe(switching(account, { previous: outputs }))).toMatchObject({ status: 'ready' });
  });

  it('loses no row that a writer has acknowledged while it catches up and closes', async () => {
    const account = await movingAccount(world);
    await account.fill(50);
    await copyOf(account);
    const acknowledged = new Map<string, string>();
    let isClosed = false;
    const writer = (async () => {
      for (let n = 0; !isClosed; n += 1) {
        const id = `writers.w${n}`;
        isClosed = !(await account.touchFence(
          `SET ${id} = :at`,
          { ':at': Date.now(), ':open': 'open' },
          '#state = :open',
        ));
        if (isClosed) return;
        const [sortKey, value] = [`W#${n % 40}`, String(n)];
        await account.put(account.spec.table, sortKey, { value: { S: value } });
        if (n % 5 === 4) await account.remove(account.spec.table, `W#${(n - 2) % 40}`);
        acknowledged.set(sortKey, value);
        if (n % 5 === 4) acknowledged.delete(`W#${(n - 2) % 40}`);
        await account.touchFence(`REMOVE ${id}`);
      }
    })();
    await sleep(300);
    await accountSwitch.ensure(switching(account));
    await writer;
    const rows = await account.rows(account.to);
    expect(acknowledged.size).toBeGreaterThan(5);
    for (const [sortKey, value] of acknowledged) expect(rows.get(sortKey)).toMatchObject({ value: { S: value } });
    expect(rows).toEqual(await account.rows(account.from));
  });

  it('waits for writers that are registered, and takes one for dead that stays', async () => {
    const account = await movingAccount(world);
    await account.touchFence('SET writers.slow = :at, writers.dead = :at', { ':at': 1 });
    const ensured = accountSwitch.ensure(switching(account));
    await expect.poll(async () => (await account.fence())?.['state']).toBe('closed');
    await account.put(account.spec.table, 'LATE', { n: { N: '1' } });
    await account.touchFence('REMOVE writers.slow');
    expect(await Promise.race([ensured, sleep(1_000, 'it waits')])).toBe('it waits');
    // The ten seconds that a writer has are over.
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 10_000);
    await ensured.finally(() => clock.mockRestore());
    expect(await account.fence()).toMatchObject({ state: 'closed', writers: {} });
    expect([...(await account.rows(account.to)).keys()]).toEqual(['LATE']);
  });

  it('opens the fence again when it fails, and when it is cancelled', async () => {
    const account = await movingAccount(world);
    await account.fill(5);
    let passes = 0;
    const failing = awsWith({
      partitions: {
        pages: (partition, options) => {
          if (options?.isOnlyMarked !== true && partition.table === account.spec.toTable && (passes += 1) > 1)
            throw new Error('no answer');
          return world.aws.partitions.pages(partition, options);
        },
      },
    });
    await expect(accountSwitch.ensure(switching(account, { aws: failing }))).rejects.toThrow('no answer');
    expect(await account.fence()).toMatchObject({ state: 'open' });

    const cancel = new AbortController();
    await account.touchFence('SET writers.w1 = :at', { ':at': 1 });
    const ensured = accountSwitch.ensure(switching(account, { signal: cancel.signal }));
    await expect.poll(async () => (await account.fence())?.['state']).toBe('closed');
    cancel.abort();
    await expect(ensured).rejects.toThrow();
    expect(await account.fence()).toMatchObject({ state: 'open', writers: { w1: 1 } });
  });

  it('keeps the fence closed no longer than it may', async () => {
    const account = await movingAccount(world);
    await account.touchFence('SET writers.w1 = :at', { ':at': 1 });
    const error = await stepErrorOf(accountSwitch.ensure(switching(account, {}, { closedSeconds: 1 })));
    expect(error).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('closed for 1 s') as string,
    });
    expect(await account.fence()).toMatchObject({ state: 'open' });
  });

  it('says that somebody writes past the router, and opens the fence again', async () => {
    const account = await movingAccount(world);
    await account.fill(3);
    let n = 0;
    const meddling = awsWith({
      partitions: {
        pages: (partition, options) => {
          const isPass = options?.isOnlyMarked !== true && partition.table === account.spec.toTable;
          return (async function* () {
            if (isPass) await account.put(account.spec.toTable, 'PAST', { n: { N: String((n += 1)) } });
            yield* world.aws.partitions.pages(partition, options);
          })();
        },
      },
    });
    const error = await stepErrorOf(accountSwitch.ensure(switching(account, { aws: meddling })));
    expect(error).toMatchObject({
      code: 'CONFLICT_RETRYABLE',
      message: expect.stringContaining('though its fence is closed') as string,
    });
    expect(await account.fence()).toMatchObject({ state: 'open' });
  });

  it('begins with an open fence after an attempt that was killed, whose late calls change nothing', async () => {
    const account = await movingAccount(world);
    await account.fill(3);
    const { moveId } = (await world.aws.fences.find({ table: account.spec.table, accountId: account.tenant.id }))!;
    const place = { table: account.spec.table, accountId: account.tenant.id };
    await world.aws.fences.change(place, { moveId, states: ['open'] }, { state: 'open', attempt: 'dead' });
    await world.aws.fences.change(place, { moveId, states: ['open'], attempt: 'dead' }, { state: 'closed' });
    let states: unknown[] = [];
    const watched = awsWith({
      partitions: {
        pages: (partition, options) => {
          void account.fence().then((fence) => states.push(fence?.['state']));
          return world.aws.partitions.pages(partition, options);
        },
      },
    });
    const { outputs } = await accountSwitch.ensure(switching(account, { aws: watched }));
    expect(states[0]).toBe('open');
    states = [];
    for (const change of [{ state: 'open' }, { state: 'moved', movedAt: 'never' }] as const)
      expect(await world.aws.fences.change(place, { moveId, states: ['closed'], attempt: 'dead' }, change)).toBe(false);
    expect(await account.fence()).toMatchObject({ state: 'closed', attempt: outputs.attempt });
  });

  it('says that the fence is another one, or gone', async () => {
    const account = await movingAccount(world);
    const other = accountSwitch.ensure(switching(account, { operationId: '00000000-0000-4000-8000-000000000000' }));
    expect(await stepErrorOf(other)).toMatchObject({ code: 'READINESS_LOST' });
    expect(await account.fence()).toMatchObject({ state: 'open' });
    expect(await accountSwitch.observe(switching(account))).toMatchObject({
      status: 'failed',
      detail: 'the fence is open',
    });
  });

  describe('its removal', () => {
    it('past the commit is the switch, once', async () => {
      const account = await movingAccount(world);
      await account.fill(4);
      await accountSwitch.ensure(switching(account));
      const past = switching(account, { ...removing, isPastCommit: true });
      expect(await accountSwitch.remove(past)).toMatchObject({ status: 'removed' });
      const fence = await account.fence();
      expect(fence).toMatchObject({ state: 'moved', count: 4, toTable: account.spec.toTable });
      const movedAt = fence?.['movedAt'];
      expect(Math.abs(Date.parse(typeof movedAt === 'string' ? movedAt : '') - Date.now())).toBeLessThan(5_000);
      await accountSwitch.remove(past);
      expect(await account.fence()).toEqual(fence);
    });

    it('past the commit brings over what was written since somebody opened the fence, before it switches', async () => {
      const account = await movingAccount(world);
      await account.fill(4);
      await accountSwitch.ensure(switching(account));
      await account.touchFence('SET #state = :open', { ':open': 'open' });
      await account.put(account.spec.table, 'AFTER', { n: { N: '1' } });
      await accountSwitch.remove(switching(account, { ...removing, isPastCommit: true }));
      expect(await account.fence()).toMatchObject({ state: 'moved', count: 5 });
      expect([...(await account.rows(account.to)).keys()]).toContain('AFTER');
    });

    it('opens the fence in an undo, and refuses where the account was moved', async () => {
      const account = await movingAccount(world);
      await accountSwitch.ensure(switching(account));
      expect(await accountSwitch.remove(switching(account, removing))).toMatchObject({ status: 'removed' });
      const fence = await account.fence();
      expect(fence).toMatchObject({ state: 'open' });
      for (const name of ['attempt', 'count', 'checksum']) expect(fence).not.toHaveProperty(name);
      await account.touchFence('SET #state = :moved', { ':moved': 'moved' });
      expect(await stepErrorOf(accountSwitch.remove(switching(account, removing)))).toMatchObject({
        code: 'PROTECTED',
      });
    });
  });
});
