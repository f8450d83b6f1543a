import { pino, type Logger } from 'pino';
import { exitCodes } from './exit-codes.ts';

/** The log of a long-running process: JSON lines on stderr, so that stdout stays for answers. */
export function processLog(level: string): Logger {
  return pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
}

/** Aborts at the first SIGINT or SIGTERM; the second ends the process at once. */
export function untilSignalled(log: Logger): AbortSignal {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(exitCodes.failed);
    log.info({ signal }, 'stopping');
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stop.signal;
}

/** Runs a command; what people can mend is printed as it is, the rest with its stack. Sets the exit code. */
export async function runCommand(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    const known = error instanceof Error && expected.has(error.name);
    console.error(known ? error.message : error);
    process.exitCode = known ? exitCodes.usage : exitCodes.failed;
  }
}

/** Errors whose message says all: wrong settings, a part that is away. */
const expected = new Set([
  'ConfigError',
  'WorkerStartError',
  'PublicAddressError',
  'MigrationError',
  'DatabaseUnavailableError',
]);
