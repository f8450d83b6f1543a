import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild, type Child, type ChildExit } from './child.ts';
import { messageOf, type Log } from './log.ts';
import { startOnFreePort } from './ports.ts';
import { installPythonTool, type PythonTool } from './python-environment.ts';
import { removeDirectory, temporaryDirectory } from './supervisor.ts';

export type MinistackOptions = {
  log: Log;
  /** Exactly this port; any free one when left out. */
  port?: number;
  /** Gets all that it prints. */
  logFile?: string | undefined;
  /** Asks IAM for every call: credentials are those of users that were made. What it cannot ask for: docs/untested.md. */
  enforcesIam?: boolean;
};

export type Ministack = {
  url: string;
  readonly pid: number;
  /** Never rejects. What it held is gone then. */
  exited: Promise<ChildExit>;
  stop: () => Promise<void>;
};

const ministack: PythonTool = {
  name: 'ministack',
  version: '1.5.33',
  title: 'emulated AWS (MiniStack)',
  requirements: fileURLToPath(new URL('./ministack-requirements.txt', import.meta.url)),
  expected: '~20 s',
  otherwise: 'set AWS_ENDPOINT_URL to a running AWS emulator',
};
const startTimeoutMs = 60_000;

/**
 * Starts MiniStack (emulated AWS) on loopback, empty, keeping nothing on disk; it answers when this resolves.
 *
 * @throws Error when Python is missing, the install fails, or it does not answer within a minute.
 */
export async function startMinistack({
  log,
  port,
  logFile,
  enforcesIam = false,
}: MinistackOptions): Promise<Ministack> {
  const python = await installMinistack(log);
  // Its PID file and scratch files go where they vanish with it.
  const directory = temporaryDirectory('tenantry-ministack');
  const launch = async (chosen: number) => ({
    chosen,
    child: await launchMinistack(python, directory, { port: chosen, logFile, enforcesIam }),
  });
  try {
    const { chosen, child } = await (port === undefined ? startOnFreePort(undefined, launch) : launch(port));
    return {
      url: urlOf(chosen),
      pid: child.pid,
      exited: child.exited,
      stop: async () => {
        await child.stop();
        removeDirectory(directory);
      },
    };
  } catch (error) {
    removeDirectory(directory);
    throw error;
  }
}

const urlOf = (port: number) => `http://127.0.0.1:${port}`;

async function launchMinistack(
  python: string,
  directory: string,
  {
    port,
    logFile,
    enforcesIam,
  }: Required<Pick<MinistackOptions, 'port' | 'enforcesIam'>> & Pick<MinistackOptions, 'logFile'>,
): Promise<Child> {
  const child = await startChild({
    name: 'MiniStack',
    command: python,
    args: ['-m', 'ministack'],
    cwd: directory,
    env: {
      ...inherited(),
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      PERSIST_STATE: '0',
      S3_PERSIST: '0',
      AUTH: String(enforcesIam),
      LOG_LEVEL: 'WARNING',
      TMPDIR: directory,
    },
    stopTimeoutMs: 3000,
    logFile,
  });
  const deadline = Date.now() + startTimeoutMs;
  let lastSeen: unknown;
  while (child.running() && Date.now() < deadline) {
    try {
      const answer = await fetch(`${urlOf(port)}/_ministack/health`, { signal: AbortSignal.timeout(2000) });
      if (answer.ok) return child;
      lastSeen = `HTTP ${answer.status}`;
    } catch (error) {
      lastSeen = error;
    }
    await sleep(100);
  }
  const outcome = child.running() ? `does not answer after ${startTimeoutMs / 1000} s` : 'ended at its start';
  await child.stop();
  throw new Error(`MiniStack on ${urlOf(port)} ${outcome}: ${messageOf(lastSeen)}\n${child.output()}`);
}

/** Its own variables from the caller's shell would change what it does; so would AWS's. */
function inherited(): NodeJS.ProcessEnv {
  const foreign = /^(AWS_|LOCALSTACK_|MINISTACK_|PYTHON|DOCKER_|GATEWAY_|EDGE_|SERVICES$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/**
 * Path of a Python interpreter that has MiniStack.
 *
 * @throws Error when Python is missing or the install fails.
 */
export function installMinistack(log: Log): Promise<string> {
  return installPythonTool(ministack, log);
}
