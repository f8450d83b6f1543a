import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { buckets } from '../../src/api/limits/buckets.ts';
import { streamCounter } from '../../src/api/limits/streams.ts';
import { turns } from '../../src/api/limits/turns.ts';

const rate = { requests: 3, windowMs: 3_000 };

describe('buckets', () => {
  it('let as many through at once as the window has, then one at a time', () => {
    const { take } = buckets(rate);
    expect([0, 0, 0].map((at) => take('a', at).remaining)).toEqual([2, 1, 0]);
    expect(take('a', 0)).toEqual({ waitMs: 1_000, remaining: 0, fullInMs: 3_000 });
    expect(take('a', 990).waitMs).toBe(10);
    expect(take('a', 1_000)).toEqual({ waitMs: undefined, remaining: 0, fullInMs: 3_000 });
    expect(take('b', 1_000).remaining).toBe(2);
    expect(take('a', 100_000)).toEqual({ waitMs: undefined, remaining: 2, fullInMs: 1_000 });
  });

  it.each([1, 3, 7, 120, 1_200, 999_999])('let exactly %i through in no time', (requests) => {
    const { take } = buckets({ requests, windowMs: 60_000 });
    for (let n = 1; n <= requests; n += 1) {
      const { waitMs, remaining } = take('a', 12_345.678);
      if (waitMs !== undefined || remaining !== requests - n) expect([n, waitMs, remaining]).toEqual([]);
    }
    expect(take('a', 12_345.678).waitMs).toBeGreaterThan(0);
  });

  it('do not let a refused one count, and take back', () => {
    const { take, giveBack } = buckets(rate);
    for (let n = 0; n < 100; n += 1) take('a', 0);
    expect(take('a', 1_000).waitMs).toBeUndefined();
    giveBack('a');
    expect(take('a', 1_000).waitMs).toBeUndefined();
    expect(take('a', 1_000).waitMs).toBe(1_000);
    giveBack('nobody');
  });

  it('give turns of those to come, up to a time', () => {
    const { reserve } = buckets(rate);
    expect([1, 2, 3, 4, 5].map(() => reserve('a', 2_000, 0))).toEqual([0, 0, 0, 1_000, 2_000]);
    expect([reserve('a', 2_000, 0), reserve('a', 2_000, 500), reserve('a', 2_000, 1_000)]).toEqual([
      undefined,
      undefined,
      2_000,
    ]);
    expect(reserve('b', 0, 0)).toBe(0);
  });

  it('forget whom they have not seen longest: a million keys hold no memory', () => {
    const { take } = buckets(rate, 2);
    for (let n = 0; n < 3; n += 1) take('a', 0);
    take('b', 0);
    expect(take('a', 0).waitMs).toBe(1_000);
    take('c', 0);
    expect(take('a', 0).waitMs).toBe(1_000);
    take('d', 0);
    take('e', 0);
    expect(take('a', 0).remaining).toBe(2);
  });
});

describe('turns', () => {
  const never = new AbortController().signal;

  it('come one after the other, of each caller by itself', async () => {
    const line = turns(1);
    const first = await line.wait('a', never);
    const order: string[] = [];
    const second = line.wait('a', never).then((over) => (order.push('second'), over));
    const third = line.wait('a', never).then((over) => (order.push('third'), over));
    expect(await line.wait('b', never)).toBeTypeOf('function');
    expect(order).toEqual([]);
    first?.();
    first?.();
    (await second)?.();
    (await third)?.();
    expect(order).toEqual(['second', 'third']);
    expect(await line.wait('a', never)).toBeTypeOf('function');
  });

  it('are not given to whom too many wait before, who waits too long, or who has gone', async () => {
    const line = turns(1, { mostWaiting: 2, waitMs: 50 });
    const first = await line.wait('a', never);
    const gone = new AbortController();
    const waiting = [line.wait('a', never), line.wait('a', gone.signal)];
    expect(await line.wait('a', never)).toBeUndefined();
    gone.abort();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    first?.();
    expect(await Promise.race([line.wait('a', never), sleep(40)])).toBeTypeOf('function');
  });
});

it('streams that have ended, once or twice, make room for one', () => {
  const { acquire } = streamCounter(2);
  const [first] = [acquire('a'), acquire('a')];
  expect(() => acquire('a')).toThrow('a has 2 live streams open');
  first();
  first();
  acquire('a');
  expect(() => acquire('a')).toThrow();
  acquire('b');
});
