import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

export interface Loop {
  /** Lets the round under way finish, starts no other. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Runs `round` again and again until stopped; a round that fails is logged and the next one comes all the same. A round of
 * many calls looks at the signal between them: it is aborted once the loop is to stop.
 */
export function startLoop({ name, everyMs, log }: LoopOptions, round: (stop: AbortSignal) => Promise<void>): Loop {
  const stopped = new AbortController();
  const running = (async () => {
    while (!stopped.signal.aborted) {
      await round(stopped.signal).catch((error: unknown) =>
        log.warn({ err: error, loop: name }, `${name}: this round failed`),
      );
      await sleep(everyMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}
