import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { unwatch, watch } from '../sandbox/parts/supervisor.ts';

export interface GroupCommand {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** How long it may take to stop after a signal before it is killed. */
  readonly graceMs?: number | undefined;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const GRACE_MS = 10_000;

/**
 * Runs Node with these arguments, in a process group of its own, and prints what it prints. A signal to this process stops the whole
 * group, as does the end of this process, however it comes.
 * @returns exit code: the command's, or 128 + the number of the signal that stopped it
 */
export async function runGroup({ args, env, graceMs = GRACE_MS }: GroupCommand): Promise<number> {
  const child = spawn(process.execPath, args, { stdio: 'inherit', env, detached: true });
  const { pid } = child;
  if (pid !== undefined) watch({ pid, signal: 'SIGTERM', graceMs });
  let stoppedBy: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    // A second one does not wait.
    const isSecond = stoppedBy !== undefined;
    stoppedBy ??= signal;
    send(pid, isSecond ? 'SIGKILL' : 'SIGTERM');
    setTimeout(() => send(pid, 'SIGKILL'), graceMs).unref();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const code = await new Promise<number | null>((done, fail) => {
      child.on('error', fail);
      child.on('exit', done);
    });
    return stoppedBy === undefined ? (code ?? 1) : 128 + constants.signals[stoppedBy];
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    // Its first process has ended; others of the group may not have.
    send(pid, 'SIGKILL');
    if (pid !== undefined) unwatch(pid);
  }
}

function send(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}
