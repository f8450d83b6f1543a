import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AccountCache } from '../../../src/accounts-router/account-cache.ts';

class Known extends Error {}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Answers come when the test gives them. */
function open(mostEntries = 10) {
  const asked: {
    readonly id: string;
    readonly give: (value: string) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const load = (id: string) => new Promise<string>((give, fail) => void asked.push({ id, give, fail }));
  const failureTtlMs = (error: unknown) => (error instanceof Known ? 30_000 : 0);
  return {
    asked,
    cache: new AccountCache<string>({ load, failureTtlMs, mostEntries, ttlMs: () => 300_000 }),
  };
}

async function answered(cache: AccountCache<string>, asked: ReturnType<typeof open>['asked'], value: string) {
  const found = cache.get('a');
  asked.at(-1)?.give(value);
  return found;
}

describe('an answer', () => {
  it('is asked for once, however many wait for it, and kept for its time from the question on', async () => {
    const { cache, asked } = open();
    const all = [cache.get('a'), cache.get('a'), cache.get('b')];
    expect(asked.map(({ id }) => id)).toEqual(['a', 'b']);
    vi.advanceTimersByTime(100_000);
    asked.forEach(({ id, give }) => give(`table of ${id}`));
    expect(await Promise.all(all)).toEqual(['table of a', 'table of a', 'table of b']);
    vi.advanceTimersByTime(199_999);
    await cache.get('a');
    expect(asked).toHaveLength(2);
    vi.advanceTimersByTime(1);
    void cache.get('a');
    expect(asked).toHaveLength(3);
  });

  it('that was on its way when it was forgotten is not kept', async () => {
    const { cache, asked } = open();
    const before = cache.get('a');
    cache.forget('a');
    const after = cache.get('a');
    asked[1]?.give('new');
    asked[0]?.give('old');
    expect(await Promise.all([before, after])).toEqual(['old', 'new']);
    expect(await cache.get('a')).toBe('new');
    expect(asked).toHaveLength(2);
  });

  it('that was wrong is asked for anew once, by whoever noticed first', async () => {
    const { cache, asked } = open();
    await answered(cache, asked, 'old');
    const all = [cache.refresh('a', 'old'), cache.refresh('a', 'old'), cache.get('a')];
    expect(asked).toHaveLength(2);
    asked[1]?.give('new');
    expect(await Promise.all(all)).toEqual(['new', 'new', 'new']);
    expect(await cache.refresh('a', 'old')).toBe('new');
    expect(asked).toHaveLength(2);
  });

  it('goes when too many others were asked for since', async () => {
    const { cache, asked } = open(2);
    for (const id of ['a', 'b', 'c']) {
      const found = cache.get(id);
      asked.at(-1)?.give(id);
      await found;
    }
    await cache.get('c');
    await cache.get('b');
    expect(asked).toHaveLength(3);
    void cache.get('a');
    expect(asked).toHaveLength(4);
  });
});

describe('a failure', () => {
  it('that says something of the account stays for the shorter time', async () => {
    const { cache, asked } = open();
    const found = cache.get('a');
    asked[0]?.fail(new Known());
    await expect(found).rejects.toThrow(Known);
    vi.advanceTimersByTime(29_999);
    await expect(cache.get('a')).rejects.toThrow(Known);
    expect(asked).toHaveLength(1);
    vi.advanceTimersByTime(1);
    void cache.get('a');
    expect(asked).toHaveLength(2);
  });

  it('of the question itself is told to those who wait, and asked again by the next', async () => {
    const { cache, asked } = open();
    const all = [cache.get('a'), cache.get('a')];
    asked[0]?.fail(new Error('throttled'));
    for (const one of all) await expect(one).rejects.toThrow('throttled');
    void cache.get('a');
    expect(asked).toHaveLength(2);
  });

  it('that a call found out takes the place of the answer that it proves wrong, and of no other', async () => {
    const { cache, asked } = open();
    await answered(cache, asked, 'gone');
    cache.refute('a', 'another', new Known());
    expect(await cache.get('a')).toBe('gone');
    cache.refute('a', 'gone', new Known());
    await expect(cache.get('a')).rejects.toThrow(Known);
    vi.advanceTimersByTime(30_000);
    expect(await answered(cache, asked, 'new')).toBe('new');
  });
});
