import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { unwatch, watch } from './supervisor.ts';
import type { Log } from './log.ts';

export type ChildOptions = {
  /** For messages: what people call it. */
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment of the child; this process's own when left out. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** What asks it to stop in order; SIGTERM by default. */
  stopSignal?: NodeJS.Signals;
  /** How long an orderly stop may take before it is killed; 10 s by default. */
  stopTimeoutMs?: number;
  /** Gets each line that it prints. */
  log?: Log;
  /** All that it prints is appended to this file. */
  logFile?: string | undefined;
};

export type ChildExit = { code: number | null; signal: NodeJS.Signals | null };

export type Child = {
  name: string;
  /** Also the id of its process group. */
  pid: number;
  /** Never rejects. */
  exited: Promise<ChildExit>;
  running: () => boolean;
  /** The last 16 KB that it printed, both streams together. */
  output: () => string;
  /** To its whole process group. Nothing happens when it has ended. */
  kill: (signal: NodeJS.Signals) => void;
  /** Orderly stop, then SIGKILL; resolves once it has ended. Safe to call twice. */
  stop: () => Promise<void>;
};

const outputLimit = 16 * 1024;

/**
 * Starts a process in a group of its own (so that a terminal's Ctrl-C does not reach it before our ordered stop) that ends
 * when this process ends, however it ends.
 *
 * @throws Error when the command cannot be started; the cause says why.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, command, args, stopSignal = 'SIGTERM', stopTimeoutMs = 10_000 } = options;
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const pid = child.pid;
  if (pid === undefined) {
    const [cause] = (await once(child, 'error')) as [Error];
    throw new Error(`could not start ${name} (${command})`, { cause });
  }
  watch({ pid, signal: stopSignal, graceMs: Math.min(stopTimeoutMs, 5000) });
  const output = collectOutput(child, options);
  const exited = exitOf(child, pid);
  const running = () => child.exitCode === null && child.signalCode === null;
  const kill = (signal: NodeJS.Signals) => {
    if (running()) signalGroup(pid, signal);
  };
  const stop = async () => {
    kill('SIGCONT');
    kill(stopSignal);
    const ended = await Promise.race([exited.then(() => true), sleep(stopTimeoutMs, false, { ref: false })]);
    if (!ended) kill('SIGKILL');
    await exited;
  };
  return { name, pid, exited, running, output, kill, stop };
}

/**
 * Runs a command to its end and gives the last 16 KB that it printed, both streams together; it ends with us, like every child.
 *
 * @throws Error when it cannot be started, fails or takes too long; carries what it printed.
 */
export async function runCommand(options: Omit<ChildOptions, 'stopSignal'> & { timeoutMs: number }): Promise<string> {
  const child = await startChild(options);
  const exit = await Promise.race([child.exited, sleep(options.timeoutMs, undefined, { ref: false })]);
  if (exit === undefined) {
    await child.stop();
    throw new Error(`${options.name} took longer than ${options.timeoutMs / 1000} s\n${child.output()}`);
  }
  if (exit.code !== 0) {
    const outcome = exit.code === null ? `was ended by ${exit.signal ?? 'a signal'}` : `exited with ${exit.code}`;
    throw new Error(`${options.name} ${outcome}\n${child.output()}`.trimEnd());
  }
  return child.output();
}

function collectOutput(child: ChildProcess, { log, logFile }: ChildOptions): () => string {
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-outputLimit);
      if (logFile !== undefined) appendFileSync(logFile, text);
      if (!log) return;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      lines.filter((line) => line.trim() !== '').forEach(log);
    });
  }
  return () => tail;
}

async function exitOf(child: ChildProcess, pid: number): Promise<ChildExit> {
  const closed = once(child, 'close');
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  // Whatever the leader left in its group has no reason to live on.
  signalGroup(pid, 'SIGKILL');
  unwatch(pid);
  // Its last words may still be in the pipes; a grandchild that fled the group may hold them open, so wait briefly only.
  await Promise.race([closed, sleep(500)]);
  return { code, signal };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM'))) throw error;
  }
}
