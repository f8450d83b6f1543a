import { Runtime } from '@temporalio/worker';
import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { runWorker } from '../worker/worker.ts';
import { processLog, runCommand, untilSignalled } from './process.ts';

/** `tenantry worker`: runs where the AWS credentials are. */
export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description(
      'run a worker: workflows, activities with AWS credentials, outbox (exits at SIGTERM after 10 s of grace)',
    )
    .action(() =>
      runCommand(async () => {
        const config = loadConfig('worker');
        const log = processLog(config.logLevel);
        // Signals are ours: the SDK would stop the worker before the loops beside it.
        Runtime.install({ shutdownSignals: [], logger: sdkLogger(log) });
        await runWorker(config, log, untilSignalled(log));
      }),
    );
}

type SdkLogger = NonNullable<Parameters<typeof Runtime.install>[0]['logger']>;

function sdkLogger(log: ReturnType<typeof processLog>): SdkLogger {
  const child = log.child({ from: 'temporal' });
  return {
    log: (level, message, meta) => child[levelOf(level)](meta ?? {}, message),
    trace: (message, meta) => child.trace(meta ?? {}, message),
    debug: (message, meta) => child.debug(meta ?? {}, message),
    // The SDK tells of every state change at info; people running a worker want ours.
    info: (message, meta) => child.debug(meta ?? {}, message),
    warn: (message, meta) => child.warn(meta ?? {}, message),
    error: (message, meta) => child.error(meta ?? {}, message),
  };
}

function levelOf(level: string): 'trace' | 'debug' | 'warn' | 'error' {
  if (level === 'TRACE') return 'trace';
  if (level === 'WARN') return 'warn';
  return level === 'ERROR' ? 'error' : 'debug';
}
