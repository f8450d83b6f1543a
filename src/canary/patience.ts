import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../cli/api-errors.ts';
import { isOutage } from '../cli/outages.ts';
import { CanaryEndError } from './report.ts';

/** Asks the API until a phase is over: outages, and limits of requests, are waited out within that. */
export interface Patience {
  /** @throws ApiError that no waiting helps; CanaryEndError when the time is up, or the canary is to stop */
  readonly ask: <T>(send: () => Promise<T>) => Promise<T>;
  /** Looks until there is something. @param late what was waited for, when the time is up */
  readonly until: <T>(look: () => Promise<T | undefined>, late: () => CanaryEndError) => Promise<T>;
}

export interface PatienceOptions {
  readonly withinMs: number;
  readonly pollMs: number;
  readonly stop: AbortSignal;
}

/** From now on. */
export function patience({ withinMs, pollMs, stop }: PatienceOptions): Patience {
  const endMs = performance.now() + withinMs;
  const pause = async (ms: number) => {
    const left = endMs - performance.now();
    await sleep(Math.max(0, Math.min(ms, left)), undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) throw stopped();
  };
  const isLate = () => performance.now() >= endMs;
  const ask = async <T>(send: () => Promise<T>): Promise<T> => {
    for (;;) {
      if (stop.aborted) throw stopped();
      try {
        return await send();
      } catch (error) {
        if (!isOutage(error)) throw error;
        if (isLate()) throw unreachable(error, withinMs);
        await pause(retryAfterMs(error) ?? pollMs);
      }
    }
  };
  return {
    ask,
    until: async (look, late) => {
      for (;;) {
        const found = await ask(look);
        if (found !== undefined) return found;
        if (isLate()) throw late();
        await pause(pollMs);
      }
    },
  };
}

export function stopped(): CanaryEndError {
  return new CanaryEndError('skipped', 'the canary was told to stop');
}

function unreachable(error: Error, withinMs: number): CanaryEndError {
  return new CanaryEndError('failed', `the API gave no answer within ${withinMs / 1_000} s: ${error.message}`, {
    code: error instanceof ApiError ? error.code : undefined,
    cause: error,
  });
}

function retryAfterMs(error: unknown): number | undefined {
  const seconds = error instanceof ApiError ? error.retryAfterSeconds : undefined;
  return seconds === undefined ? undefined : seconds * 1_000;
}
