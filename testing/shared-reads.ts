import { setTimeout as sleep } from 'node:timers/promises';

export interface Pace {
  /** Between two reads, in ms, at least. */
  readonly everyMs: number;
  /** And so many times as long as the last one took: reads of all that there is must not take up the machine. */
  readonly restFactor: number;
}

/** Answers with what was read after the question, for everybody who asked before it was read. */
export function sharedReads<T>({ everyMs, restFactor }: Pace, read: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  let tookMs = 0;
  return () => {
    next ??= running.then(async () => {
      await sleep(Math.max(everyMs, tookMs * restFactor));
      next = undefined;
      const startedAt = Date.now();
      const answer = read().finally(() => (tookMs = Date.now() - startedAt));
      running = answer.catch(() => undefined);
      return answer;
    });
    return next;
  };
}
