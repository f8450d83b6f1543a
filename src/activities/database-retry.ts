import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseUnavailableError } from '../db/database.ts';

export interface RetryLimit {
  /** Epoch ms at which it gives up and throws what it last met. */
  readonly untilMs: number;
  readonly signal: AbortSignal;
}

/** Time that an attempt keeps to record and report its failure, in ms: it gives up so long before its start-to-close. */
export const REPORT_MARGIN_MS = 1_500;

const firstWaitMs = 100;
const longestWaitMs = 2_000;

/**
 * Runs a verb's own bookkeeping again and again while PostgreSQL is unavailable: its outage must not use up the attempts that
 * are meant for AWS.
 */
export async function retryWhileDatabaseDown<T>(retryLimit: RetryLimit, fn: () => Promise<T>): Promise<T> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return await fn();
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
      if (retryLimit.signal.aborted || Date.now() + waitMs >= retryLimit.untilMs) throw error;
      await sleep(waitMs, undefined, { signal: retryLimit.signal }).catch(() => undefined);
    }
  }
}
