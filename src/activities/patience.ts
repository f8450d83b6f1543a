import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseUnavailableError } from '../db/database.ts';

export interface Patience {
  /** Epoch ms at which it gives up and throws what it last met. */
  readonly untilMs: number;
  readonly signal: AbortSignal;
}

/** Time that an attempt keeps for its own last words, in ms: its patience ends so long before its start-to-close. */
export const LAST_WORDS_MS = 1_500;

const firstWaitMs = 100;
const longestWaitMs = 2_000;

/**
 * Runs a verb's own bookkeeping again and again while PostgreSQL is away: its outage must not use up the attempts that
 * are meant for AWS.
 */
export async function patiently<T>(patience: Patience, fn: () => Promise<T>): Promise<T> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return await fn();
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
      if (patience.signal.aborted || Date.now() + waitMs >= patience.untilMs) throw error;
      await sleep(waitMs, undefined, { signal: patience.signal }).catch(() => undefined);
    }
  }
}
