import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorCode } from '../../contracts/errors.ts';
import { StepError } from '../../contracts/step-error.ts';
import { currentCallContext } from '../call-context.ts';

/** Pauses before the next try of a read, in ms: throttling passes, and nothing waits for a sweep. */
const pausesMs = [500, 1_000, 2_000, 4_000, 8_000];

/** Other retryable ones (a thing that was not found) are an answer here. */
const passing: readonly ErrorCode[] = ['THROTTLED', 'AWS_UNAVAILABLE', 'AWS_ANSWER_UNREADABLE', 'CREDENTIALS_MISSING'];

/** A read, tried again while its error is one that passes by itself. @throws StepError the last one */
export async function retryTransient<T>(read: () => Promise<T>): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof StepError) || !passing.includes(error.code)) throw error;
      await sleep(pauseMs, undefined, { signal: currentCallContext()?.signal });
    }
  }
  return read();
}

/** All pages of a list call. */
export async function allPages<Item, Token = string>(
  read: (token: Token | undefined) => Promise<{ items: readonly Item[]; next: Token | undefined }>,
): Promise<Item[]> {
  const all: Item[] = [];
  let token: Token | undefined;
  do {
    const at = token;
    const page = await retryTransient(() => read(at));
    all.push(...page.items);
    token = page.next;
  } while (token !== undefined && token !== '');
  return all;
}

/** A list in parts of at most `size`. */
export function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
