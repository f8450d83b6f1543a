import { constants } from 'node:os';
import type { Log } from './log.ts';

export type ShutdownOptions = {
  /** Stops everything in order; called once at most. */
  stop: (reason: string) => Promise<void>;
  log: Log;
  /** After this time, by default {@link SHUTDOWN_MS}, the process ends all the same, and the watchdog finishes what is left. */
  deadlineMs?: number;
};

/** Enough for a worker and an API that each take all the time they have, and for the parts after them. */
export const SHUTDOWN_MS = 120_000;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Ends this process in order on Ctrl-C, SIGTERM, SIGHUP, an uncaught exception or an unhandled rejection. A second signal
 * ends it at once; children then fall to the watchdog of supervisor.ts. The exit code is 128 + the signal's number, or 1.
 */
export function shutdownOnSignals({ stop, log, deadlineMs = SHUTDOWN_MS }: ShutdownOptions): void {
  let ending = false;
  const end = (reason: string, code: number) => {
    if (ending) process.exit(code);
    ending = true;
    log(`stopping (${reason})`);
    setTimeout(() => {
      log(`not everything stopped within ${deadlineMs / 1000} s, ending all the same`);
      process.exit(code);
    }, deadlineMs).unref();
    stop(reason).then(
      () => process.exit(code),
      (error: unknown) => {
        log(`could not stop in order: ${describe(error)}`);
        process.exit(code);
      },
    );
  };
  for (const signal of signals) process.on(signal, () => end(signal, 128 + constants.signals[signal]));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log(`${event}: ${describe(error)}`);
      end(event, 1);
    });
  }
}

const describe = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error));
