import { setTimeout as sleep } from 'node:timers/promises';
import type { ErrorCode } from '../contracts/errors.ts';
import { StepError } from '../contracts/step-error.ts';
import { currentCallContext } from './call-context.ts';
import { isAwsError } from './errors.ts';

/*
 * Calls within a verb that takes minutes or hours. Elsewhere one that fails ends the attempt, and the next one begins anew; here that would
 * throw away all that was read. Each try is a call of its own: it has its turn and its guard, and ends with the attempt.
 */

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** How often a call is made that fails, but for refusals of its rate: some 20 s of pauses. */
export const MOST_TRIES = 8;

/** Nothing was done. */
const undoneCodes: readonly ErrorCode[] = ['THROTTLED', 'AWS_UNAVAILABLE', 'CREDENTIALS_MISSING'];
/** Of a change: it may have been made, or be made later. */
const unknownCodes: readonly ErrorCode[] = ['UNCLEAR', 'AWS_ANSWER_UNREADABLE'];

/**
 * A call that may be made as often as one likes, made again while its failures pass by themselves.
 * @param options.rounds how often it may be refused for its rate. @param options.names of further errors that say so
 * @throws StepError the last one
 */
export async function untilAnswered<T>(
  call: () => Promise<T>,
  { names = [], rounds = MOST_TRIES }: { readonly names?: readonly string[]; readonly rounds?: number } = {},
): Promise<T> {
  for (let round = 1, failures = 0; ; round += 1) {
    try {
      return await call();
    } catch (error) {
      const isRefusal = isThrottled(error) || isAwsError(error, ...names);
      if (!isRefusal) failures += 1;
      const mayPass = isRefusal ? round < rounds : passes(error) && failures < MOST_TRIES;
      if (!mayPass || currentCallContext()?.signal.aborted) throw error;
    }
    await pauseAfter(round);
  }
}

/**
 * A change on a condition that is not met any more once it is made.
 * @param isMade by a look: asked where nobody knows what became of a try
 * @returns whether it was made; false: its condition is not met. @throws StepError the last one
 */
export async function untilChanged(change: () => Promise<boolean>, isMade: () => Promise<boolean>): Promise<boolean> {
  let isUnknown = false;
  return untilAnswered(async () => {
    if (isUnknown && (await isMade())) return true;
    try {
      return (await change()) || (isUnknown && (await isMade()));
    } catch (error) {
      isUnknown ||= error instanceof StepError && unknownCodes.includes(error.code);
      throw error;
    }
  });
}

/** Whether a failure may be another one, or none, the next time. What waits for its turn with us is told when to come. */
export function passes(error: unknown): boolean {
  if (!(error instanceof StepError) || error.retryAfterMs !== undefined) return false;
  return undoneCodes.includes(error.code) || unknownCodes.includes(error.code);
}

/** By the table: what waits for its turn with us is none. */
export function isThrottled(error: unknown): boolean {
  return isAwsError(error, 'ProvisionedThroughputExceeded', 'Throttling', 'RequestLimitExceeded');
}

/** Lengthens with each round, at random so that writers do not come together. */
export async function pauseAfter(round: number): Promise<void> {
  const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** round, LONGEST_PAUSE_MS);
  await sleep(longestMs * (0.5 + Math.random() / 2), undefined, { signal: currentCallContext()?.signal });
}
