import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError } from '../../../src/cli/api-errors.ts';
import { onceThereIsRoom } from '../../../src/cli/room.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const refusal = (code: string, retryAfterSeconds?: number) =>
  new ApiError(429, { code, message: 'said', requestId: 'x' }, { retryAfterSeconds });

it('waits as long as the API says, and asks again', async () => {
  const askedAtMs: number[] = [];
  const began = performance.now();
  const answer = onceThereIsRoom(async () => {
    askedAtMs.push(performance.now() - began);
    await Promise.resolve();
    if (askedAtMs.length < 3) throw refusal('RATE_LIMITED', askedAtMs.length);
    return 'answer';
  });
  await vi.advanceTimersByTimeAsync(10_000);
  expect([await answer, askedAtMs]).toEqual(['answer', [0, 1_000, 3_000]]);
});

it('gives up in the end', async () => {
  let asked = 0;
  const answer = onceThereIsRoom(() => {
    asked += 1;
    return Promise.reject(refusal('RATE_LIMITED', 5));
  }).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(120_000);
  expect([(await answer) instanceof ApiError, asked]).toEqual([true, 8]);
});

it.each([
  refusal('RATE_LIMITED', 6),
  refusal('RATE_LIMITED'),
  refusal('TOO_MANY_STREAMS', 1),
  refusal('FROZEN', 1),
  new Error('no answer'),
])('asks once where waiting is not for it to decide, or would not help: %s', async (error) => {
  let asked = 0;
  const answer = onceThereIsRoom(() => {
    asked += 1;
    return Promise.reject(error);
  });
  await expect(answer).rejects.toBe(error);
  expect(asked).toBe(1);
});
