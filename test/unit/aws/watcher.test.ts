import { afterEach, describe, expect, it, vi } from 'vitest';
import { currentCallContext, inCallContext } from '../../../src/aws/call-context.ts';
import { sharedLook } from '../../../src/aws/watcher.ts';

/** A look that notes its calls and answers each key with its length. */
function recorded(batchSize: number, shareMs = 0) {
  const calls: string[][] = [];
  const look = sharedLook<string, number>({
    batchSize,
    shareMs,
    tickMs: 5,
    load: (keys) => {
      calls.push([...keys]);
      return Promise.resolve(new Map(keys.filter((k) => k !== 'missing').map((k) => [k, k.length])));
    },
  });
  return { calls, look };
}

afterEach(() => void vi.useRealTimers());

describe('sharedLook', () => {
  it('asks once for what many ask within a tick, and everybody gets the answer', async () => {
    const { calls, look } = recorded(10);
    expect(await Promise.all(['a', 'bb', 'a', 'missing', 'bb'].map(look))).toEqual([1, 2, 1, undefined, 2]);
    expect(calls).toEqual([['a', 'bb', 'missing']]);
  });

  it('splits what is more than a call takes', async () => {
    const { calls, look } = recorded(2);
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(look));
    expect(calls).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('never answers with something older than the question', async () => {
    let version = 0;
    let loads = 0;
    let release: () => void = () => undefined;
    const look = sharedLook<string, number>({
      batchSize: 1,
      tickMs: 1,
      load: async () => {
        currentCallContext()?.onTurn?.(); // as the cell's clients do when they send a call
        const seen = version;
        loads += 1;
        await new Promise<void>((resolve) => (release = resolve));
        return new Map([['a', seen]]);
      },
    });
    const first = look('a');
    await expect.poll(() => loads).toBe(1);
    version = 1; // changed while the first call is under way
    const second = look('a');
    release();
    expect(await first).toBe(0);
    await expect.poll(() => loads).toBe(2);
    release();
    expect(await second).toBe(1);
  });

  it('is shared by who asks for the same while the call still waits for its turn', async () => {
    let calls = 0;
    let turn: () => void = () => undefined;
    const look = sharedLook<string, number>({
      batchSize: 1,
      tickMs: 1,
      load: async () => {
        await new Promise<void>((resolve) => (turn = resolve));
        currentCallContext()?.onTurn?.();
        return new Map([['a', ++calls]]);
      },
    });
    const first = look('a');
    await new Promise((resolve) => setTimeout(resolve, 10));
    const second = look('a');
    turn();
    expect(await Promise.all([first, second])).toEqual([1, 1]);
  });

  it('is not made once nobody waits for it any more', async () => {
    let wasAborted: boolean | undefined;
    const look = sharedLook<string, number>({
      batchSize: 1,
      tickMs: 1,
      load: () =>
        new Promise((_, reject) => {
          const signal = currentCallContext()?.signal;
          signal?.addEventListener('abort', () => {
            wasAborted = true;
            reject(new Error('aborted'));
          });
        }),
    });
    const controller = new AbortController();
    const context = { beforeMutation: () => Promise.resolve(), signal: controller.signal };
    const cancelled = inCallContext(context, () => look('a'));
    const outOfTime = inCallContext(
      { ...context, signal: new AbortController().signal, untilMs: () => Date.now() },
      () => look('a'),
    );
    await expect(outOfTime).rejects.toMatchObject({ code: 'THROTTLED', retryAfterMs: 1_000 });
    expect(wasAborted).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort(new Error('cancelled'));
    await expect(cancelled).rejects.toThrow('cancelled');
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(wasAborted).toBe(true);
  });

  it('is made for an attempt that is nearly over too: slow work gets on', async () => {
    const { look } = recorded(1);
    const context = { beforeMutation: () => Promise.resolve(), signal: new AbortController().signal };
    expect(await inCallContext({ ...context, untilMs: () => Date.now() + 100 }, () => look('a'))).toBe(1);
  });

  it('shares an answer for as long as it may, and no longer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const { calls, look } = recorded(1, 40);
    const [first] = await Promise.all([look('a'), vi.advanceTimersByTimeAsync(5)]);
    await vi.advanceTimersByTimeAsync(39);
    expect([first, await look('a'), calls.length]).toEqual([1, 1, 1]);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all([look('a'), vi.advanceTimersByTimeAsync(5)]);
    expect(calls).toHaveLength(2);
  });

  it('gives an error to all who asked, and asks anew afterwards', async () => {
    let fail = true;
    const look = sharedLook<string, number>({
      batchSize: 1,
      tickMs: 1,
      shareMs: 1_000,
      load: () => (fail ? Promise.reject(new Error('down')) : Promise.resolve(new Map([['a', 1]]))),
    });
    const outcomes = await Promise.allSettled([look('a'), look('a')]);
    expect(outcomes.map((o) => o.status)).toEqual(['rejected', 'rejected']);
    fail = false;
    expect(await look('a')).toBe(1);
  });

  it("ends one waiter's wait with its cancellation and goes on for the others, in a context of its own", async () => {
    const seen: unknown[] = [];
    const look = sharedLook<string, number>({
      batchSize: 1,
      tickMs: 10,
      load: (keys) => {
        seen.push(currentCallContext()?.signal.aborted);
        return Promise.resolve(new Map(keys.map((k) => [k, 1])));
      },
    });
    const controller = new AbortController();
    const beforeMutation = () => Promise.resolve();
    const cancelled = inCallContext({ beforeMutation, signal: controller.signal }, () => look('a'));
    const other = look('a');
    controller.abort(new Error('cancelled'));
    await expect(cancelled).rejects.toThrow('cancelled');
    expect(await other).toBe(1);
    expect(seen).toEqual([false]);
  });
});
