import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ApiUnreachableError, UnclearAnswerError } from './api-errors.ts';

/** Before each repeat, in ms: somebody waits. */
const pausesMs = [250, 500, 1_000];
/** No repeat is begun after this, in ms: a request that is not answered takes long enough by itself. */
const REPEAT_WITHIN_MS = 30_000;

/**
 * Sends a request under a key of its own, or one that is given, and again while no answer says what became of it: the API carries it out once. When no repeat
 * tells, the failure is the first that says so.
 */
export async function underKey<T>(send: (key: string) => Promise<T>, key: string = randomUUID()): Promise<T> {
  const endMs = performance.now() + REPEAT_WITHIN_MS;
  try {
    return await send(key);
  } catch (error) {
    if (!leavesOpen(error)) throw error;
    return repeat(() => send(key), error, endMs);
  }
}

async function repeat<T>(send: () => Promise<T>, first: unknown, endMs: number): Promise<T> {
  let unclear = first;
  for (const pauseMs of pausesMs) {
    if (performance.now() > endMs) break;
    await sleep(pauseMs);
    try {
      return await send();
    } catch (error) {
      if (!saysNothing(error)) throw hasLeft(first) ? error : unclear;
      // The API's own words name what to ask.
      if (!hasLeft(unclear) && leavesOpen(error)) unclear = error;
    }
  }
  throw unclear;
}

function leavesOpen(error: unknown): boolean {
  return error instanceof UnclearAnswerError || (error instanceof ApiError && error.code === 'OUTCOME_UNKNOWN');
}

/** Whether a repeat that ends like this leaves open what became of the times before it. */
function saysNothing(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500 || error.code === 'IDEMPOTENCY_KEY_IN_USE';
  return error instanceof ApiUnreachableError;
}

/** Whether the API was done with the request: one that a connection lost may still be on its way to it when a repeat is refused. */
function hasLeft(unclear: unknown): boolean {
  return unclear instanceof ApiError;
}
