import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Log } from './log.ts';

const LOOK_EVERY_MS = 2_000;

/**
 * Ends this process in order when npm, which started it, is killed: npm can pass no signal on then, and nobody would be
 * left to press Ctrl-C. A sandbox that was started in another way may outlive its parent (`nohup`, `setsid`).
 */
export function endWithNpm(log: Log): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const atStart = ancestors();
  const looking = setInterval(() => {
    void Promise.all([atStart, ancestors()]).then(([before, now]) => {
      if (before === undefined || now === undefined || before === now) return;
      clearInterval(looking);
      log('npm, which started this sandbox, is gone');
      process.kill(process.pid, 'SIGTERM');
    });
  }, LOOK_EVERY_MS);
  looking.unref();
}

/** Parent and grandparent: npm runs its script through a shell, which does not hear of npm's end. Undefined: unknown. */
async function ancestors(): Promise<string | undefined> {
  const { ppid } = process;
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'ppid=', '-p', String(ppid)]);
    return `${ppid} ${stdout.trim()}`;
  } catch {
    // The parent is gone, or this system has no `ps`.
    return ppid === 1 ? '1' : undefined;
  }
}
