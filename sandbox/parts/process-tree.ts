import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Signals a process and all its descendants, parents first. PostgreSQL's backends lead process groups of their own, so
 * that a signal to the postmaster's group does not reach them.
 */
export async function signalDescendants(pid: number, signal: NodeJS.Signals): Promise<void> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid='], { maxBuffer: 16 * 1024 * 1024 });
  const children = new Map<number, number[]>();
  for (const line of stdout.trim().split('\n')) {
    const [child = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const visit = (id: number) => {
    try {
      process.kill(id, signal);
    } catch {
      // It ended since the table was read.
    }
    children.get(id)?.forEach(visit);
  };
  visit(pid);
}
