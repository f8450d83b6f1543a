import { Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { runWorker } from './worker.ts';

/** Runs the one worker of this process until `stop`, its SDK logging to `log`. @throws WorkerStartError */
export async function serveWorker(config: Config, log: Logger, stop: AbortSignal): Promise<void> {
  // Signals are ours: the SDK would stop the worker before the loops beside it.
  // What its native part logs is forwarded, or it would stand as text between our lines of JSON.
  const telemetryOptions = { logging: { forward: {} } };
  Runtime.install({ shutdownSignals: [], logger: sdkLogger(log), telemetryOptions });
  await runWorker(config, log, stop);
}

type SdkLogger = NonNullable<Parameters<typeof Runtime.install>[0]['logger']>;

/** What the SDK logs, as lines of `log`. */
export function sdkLogger(log: Logger): SdkLogger {
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
