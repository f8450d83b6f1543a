import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { startChild, type Child, type ChildExit } from './child.ts';
import { messageOf, type Log } from './log.ts';
import { startOnFreePort } from './ports.ts';
import { temporalExecutable } from './temporal-executable.ts';

/** Where server and UI listen, unless those ports are taken. */
export const TEMPORAL_PORT = 7233;
export const UI_PORT = 8233;

export type TemporalServerOptions = {
  log: Log;
  /** Keeps state in this file across restarts (about 2.5 times slower); in memory when left out. */
  dbFilename?: string;
  /** Exactly this port; without it 7233, or any free one when that is taken. */
  port?: number;
  /** Exactly this port; without it 8233, or any free one. False: no UI. */
  uiPort?: number | false;
  /** Where the UI sends payloads to have them decoded. */
  codecEndpoint?: string;
  /** Registered at the start; an upsert of an unregistered one fails the workflow task for ever. */
  searchAttributes?: Record<string, 'Keyword'>;
  /** Made beside `default`. */
  namespace?: string;
  /** Gets all that it prints. */
  logFile?: string | undefined;
};

export type TemporalServer = {
  /** `host:port` */
  address: string;
  uiUrl: string | undefined;
  namespace: string;
  readonly pid: number;
  /** Of the process that runs now. Never rejects. */
  exited: () => Promise<ChildExit>;
  stop: () => Promise<void>;
  /** Stops it (by SIGKILL when asked) and starts it again on the same ports; state survives only with `dbFilename`. */
  restart: (options?: { kill?: boolean }) => Promise<void>;
};

const startTimeoutMs = 60_000;

/**
 * Starts Temporal's development server with its UI, both on loopback; it serves its namespace when this resolves.
 *
 * @throws Error when no executable can be had, or it does not serve within a minute; carries what it printed.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const executable = await temporalExecutable(options.log);
  const namespace = options.namespace ?? 'default';
  const searchAttributes = Object.keys(options.searchAttributes ?? {});
  let uiPort = options.uiPort === false ? undefined : options.uiPort;
  const launch = (port: number) =>
    launchServer(executable, serverArguments(options, port, uiPort), port, {
      namespace,
      searchAttributes,
      logFile: options.logFile,
    });
  let port = options.port ?? 0;
  const start = () =>
    options.port === undefined ? startOnFreePort(TEMPORAL_PORT, (free) => launch((port = free))) : launch(port);
  let child =
    options.uiPort === undefined
      ? await startOnFreePort(UI_PORT, (free) => {
          uiPort = free;
          return start();
        })
      : await start();
  return {
    address: `127.0.0.1:${port}`,
    uiUrl: uiPort === undefined ? undefined : `http://127.0.0.1:${uiPort}`,
    namespace,
    get pid() {
      return child.pid;
    },
    exited: () => child.exited,
    stop: () => child.stop(),
    restart: async ({ kill = false } = {}) => {
      if (kill) child.kill('SIGKILL');
      await child.stop();
      child = await launch(port);
    },
  };
}

function serverArguments(options: TemporalServerOptions, port: number, uiPort: number | undefined): string[] {
  // The server throttles its own queues far below what one machine can do (an activity takes 103 ms instead of 8 ms).
  const dynamicConfig = {
    'history.transferProcessorMaxPollRPS': 10_000,
    'history.timerProcessorMaxPollRPS': 10_000,
    'system.enableActivityEagerExecution': true,
  };
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error'],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(options.namespace === undefined ? [] : ['--namespace', options.namespace]),
    ...(options.dbFilename === undefined ? [] : ['--db-filename', options.dbFilename]),
    ...(options.codecEndpoint === undefined ? [] : ['--ui-codec-endpoint', options.codecEndpoint]),
    ...Object.entries(options.searchAttributes ?? {}).flatMap(([name, type]) => [
      '--search-attribute',
      `${name}=${type}`,
    ]),
    ...Object.entries(dynamicConfig).flatMap(([name, value]) => ['--dynamic-config-value', `${name}=${value}`]),
  ];
}

type Wanted = { namespace: string; searchAttributes: string[]; logFile?: string | undefined };

async function launchServer(executable: string, args: string[], port: number, wanted: Wanted): Promise<Child> {
  const { logFile } = wanted;
  const child = await startChild({ name: 'Temporal server', command: executable, args, stopTimeoutMs: 5000, logFile });
  const deadline = Date.now() + startTimeoutMs;
  let lastSeen: unknown;
  while (child.running() && Date.now() < deadline) {
    try {
      await checkServes(`127.0.0.1:${port}`, wanted);
      if (hasStarted(child)) return child;
      throw new Error('another server answers there');
    } catch (error) {
      lastSeen = error;
      await sleep(100);
    }
  }
  const outcome = child.running() ? `does not serve after ${startTimeoutMs / 1000} s` : 'ended at its start';
  await child.stop();
  throw new Error(`Temporal server on 127.0.0.1:${port} ${outcome}: ${messageOf(lastSeen)}\n${child.output()}`);
}

/**
 * Whether this very server has started: at one moment two may be told to listen on one port, and what answers is the other's. It prints
 * its address once it listens.
 */
function hasStarted(child: Child): boolean {
  return child.running() && /^Server: /m.test(child.output());
}

/** The server answers before it has registered its search attributes: a workflow started in between could hang for ever. */
async function checkServes(address: string, { namespace, searchAttributes }: Wanted): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 2000 });
  try {
    await connection.withDeadline(Date.now() + 2000, async () => {
      await connection.workflowService.describeNamespace({ namespace });
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
      const missing = searchAttributes.filter((name) => !(name in customAttributes));
      if (missing.length > 0) throw new Error(`search attributes ${missing.join(', ')} are not registered yet`);
    });
  } finally {
    await connection.close();
  }
}
