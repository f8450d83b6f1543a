import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { installOnce } from './cache.ts';
import { runCommand, startChild, type Child, type ChildExit } from './child.ts';
import { messageOf, type Log } from './log.ts';
import { startOnFreePort } from './ports.ts';
import { removeDirectory, temporaryDirectory } from './supervisor.ts';

export type MinistackOptions = {
  log: Log;
  /** Exactly this port; any free one when left out. */
  port?: number;
  /** Gets all that it prints. */
  logFile?: string | undefined;
};

export type Ministack = {
  url: string;
  readonly pid: number;
  /** Never rejects. What it held is gone then. */
  exited: Promise<ChildExit>;
  stop: () => Promise<void>;
};

const version = '1.5.33';
const requirements = fileURLToPath(new URL('./ministack-requirements.txt', import.meta.url));
const startTimeoutMs = 60_000;

/**
 * Starts MiniStack (emulated AWS) on loopback, empty, keeping nothing on disk; it answers when this resolves.
 *
 * @throws Error when Python is missing, the install fails, or it does not answer within a minute.
 */
export async function startMinistack({ log, port, logFile }: MinistackOptions): Promise<Ministack> {
  const python = await installMinistack(log);
  // Its PID file and scratch files go where they vanish with it.
  const directory = temporaryDirectory('tenantry-ministack');
  const launch = async (chosen: number) => ({
    chosen,
    child: await launchMinistack(python, directory, chosen, logFile),
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
  port: number,
  logFile: string | undefined,
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
export async function installMinistack(log: Log): Promise<string> {
  const interpreter = await findPython();
  // An environment works with the interpreter that made it only, and with these very requirements.
  const fingerprint = createHash('sha256')
    .update(interpreter.executable)
    .update(await readFile(requirements));
  const directory = await installOnce({
    key: `ministack-${version}-python${interpreter.version}-${fingerprint.digest('hex').slice(0, 12)}`,
    title: `MiniStack ${version}`,
    expected: '~20 s',
    log,
    install: (staging) => makeEnvironment(interpreter.executable, staging),
  });
  return join(directory, 'bin', 'python');
}

async function findPython(): Promise<{ executable: string; version: string }> {
  const advice = 'Install Python 3.10 or newer as "python3", or set AWS_ENDPOINT_URL to a running AWS emulator.';
  const script = 'import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)';
  const printed = await runCommand({
    name: 'python3',
    command: 'python3',
    args: ['-c', script],
    timeoutMs: 30_000,
  }).catch((cause: unknown) => {
    throw new Error(`emulated AWS (MiniStack) needs Python, and python3 could not be run. ${advice}`, { cause });
  });
  const [version = '', executable = ''] = printed.trim().split('\n');
  if (Number(version.split('.')[1]) < 10) {
    throw new Error(`emulated AWS (MiniStack) needs Python 3.10 or newer, python3 is ${version}. ${advice}`);
  }
  return { executable, version };
}

async function makeEnvironment(python: string, directory: string): Promise<void> {
  await runCommand({
    name: 'python3 -m venv',
    command: python,
    args: ['-m', 'venv', directory],
    timeoutMs: 120_000,
  }).catch((cause: unknown) => {
    throw new Error('no virtual environment for MiniStack (Debian and Ubuntu need the package python3-venv)', {
      cause,
    });
  });
  // The directory moves when it is complete: only `bin/python` of it is used, which finds its place by itself.
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '--requirement'];
  await runCommand({
    name: `pip install ministack==${version}`,
    command: join(directory, 'bin', 'python'),
    args: [...pip, requirements],
    timeoutMs: 600_000,
  });
}
