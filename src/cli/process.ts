import type { Logger } from 'pino';
import { reportOf, wantsJson, writeError, type ErrorReport } from './error-report.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { nodeAdvice } from './node-version.ts';

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

/** How long a server may take from the signal to its end, in ms: above what the API and a worker take for it. */
export const STOP_MS = 30_000;

export interface Deadlines {
  /** From the signal to stop, in ms; default {@link STOP_MS}. */
  readonly stopMs?: number;
  /** For what is still being written or closed when a server has stopped, in ms; default 5 s. */
  readonly lastMs?: number;
}

/**
 * Runs a server until it is told to stop, everything that it logs being a line of JSON. A process that something still holds
 * after that, or that does not stop, is ended: one that lives on without doing anything would not be started again by whatever runs it.
 */
export async function runServer<C extends { readonly logLevel: string }>(
  load: () => C,
  serve: (config: C, log: Logger, stop: AbortSignal) => Promise<void>,
  { stopMs = STOP_MS, lastMs = 5_000 }: Deadlines = {},
): Promise<void> {
  await runCommand(async () => {
    const config = load();
    const { processLog } = await import('./process-log.ts');
    const log = processLog(config.logLevel);
    logWarnings(log);
    const advice = nodeAdvice();
    if (advice !== undefined) log.warn(advice);
    const stop = untilSignalled(log);
    stop.addEventListener('abort', () => setTimeout(() => endUnstopped(log, stopMs), stopMs).unref());
    await serve(config, log, stop);
  });
  setTimeout(() => process.exit(), lastMs).unref();
}

function endUnstopped(log: Logger, stopMs: number): void {
  log.error({ stopMs }, 'it did not stop in time: the process is ended');
  process.exit(exitCodes.failed);
}

/** What Node.js and libraries warn of goes into the log, instead of as text between its lines. */
function logWarnings(log: Logger): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => log.warn({ from: 'node', warning: name }, message));
}

/** Runs a command; what people can fix is printed as it is, the rest with its stack. Sets the exit code. */
export async function runCommand(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    process.exitCode = printFailure(error, error instanceof Error ? expected[error.name] : undefined);
  }
}

/** Prints the failure of a command that runs with credentials. @returns its exit code */
export function printFailure(error: unknown, known: Pick<ErrorReport, 'code' | 'exitCode'> | undefined): ExitCode {
  const report = { ...reportOf(error), ...known };
  if (wantsJson(process.argv.slice(2))) writeError(process.stderr, report, true);
  else console.error(known && error instanceof Error ? `error: ${error.message}` : error);
  return report.exitCode;
}

/** Errors whose message says all: wrong settings, a part that is unavailable. */
const expected: Readonly<Record<string, Pick<ErrorReport, 'code' | 'exitCode'>>> = {
  ConfigError: { code: 'CONFIGURATION_INVALID', exitCode: exitCodes.usage },
  CatalogError: { code: 'CONFIGURATION_INVALID', exitCode: exitCodes.usage },
  WorkerStartError: { code: 'WORKER_START', exitCode: exitCodes.usage },
  PublicAddressError: { code: 'PUBLIC_ADDRESS', exitCode: exitCodes.usage },
  NamespaceInUseError: { code: 'NAMESPACE_IN_USE', exitCode: exitCodes.conflict },
  MigrationError: { code: 'MIGRATION_FAILED', exitCode: exitCodes.usage },
  PortTakenError: { code: 'PORT_TAKEN', exitCode: exitCodes.usage },
  DatabaseUnavailableError: { code: 'DATABASE_UNAVAILABLE', exitCode: exitCodes.usage },
  CommitUnclearError: { code: 'OUTCOME_UNKNOWN', exitCode: exitCodes.unknown },
};
