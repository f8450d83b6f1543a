import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A process group that must not outlive this process. */
export type WatchedGroup = {
  /** Process group id: the pid of its leader. */
  pid: number;
  /** What asks it to stop in order. */
  signal: NodeJS.Signals;
  /** How long it may take before it is killed. */
  graceMs: number;
};

const groups = new Map<number, WatchedGroup>();
const directories = new Set<string>();
let watchdog: ChildProcess | undefined;

/**
 * From now on the group ends when this process ends, however it ends. Call it in the same tick as the spawn: what is
 * written here is in the pipe before anything else can happen.
 */
export function watch(group: WatchedGroup): void {
  groups.set(group.pid, group);
  tell({ watch: group });
}

/** The group has ended: its number may soon be somebody else's. */
export function unwatch(pid: number): void {
  if (groups.delete(pid)) tell({ unwatch: pid });
}

/** A new directory under the system's temporary one, gone when this process ends, or by {@link removeDirectory}. */
export function temporaryDirectory(prefix: string): string {
  const path = mkdtempSync(join(tmpdir(), `${prefix}-`));
  directories.add(path);
  tell({ remove: path });
  return path;
}

/** Removes a directory that {@link temporaryDirectory} made, at once. */
export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  if (directories.delete(path)) tell({ keep: path });
}

function tell(message: object): void {
  watchdog ??= startWatchdog();
  watchdog.stdin?.write(`${JSON.stringify(message)}\n`);
}

function startWatchdog(): ChildProcess {
  const script = fileURLToPath(new URL('./watchdog.mjs', import.meta.url));
  // Detached: a session of its own, so that neither Ctrl-C nor a closed terminal reaches it before it has done its work.
  const child = spawn(process.execPath, [script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: {} });
  child.stdin.on('error', () => {
    // It died with a message on its way: 'exit' starts another, which is told everything.
  });
  child.on('exit', () => {
    watchdog = undefined;
    for (const group of groups.values()) tell({ watch: group });
    for (const path of directories) tell({ remove: path });
  });
  child.unref();
  // A pipe to a child is a socket, whatever its declared type says.
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}
