import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { sortItems, type InventoryItem } from './item.ts';

/** Which processes of this machine count. */
export interface ProcessSource {
  /** All that descends from these processes; this one by default. The roots themselves are not listed. */
  readonly roots?: readonly number[];
  /**
   * `NAME=value` of the environment that everything of interest was started with: finds those, too, whose parents have
   * ended. Needs /proc (Linux); elsewhere only the roots count.
   */
  readonly marker?: string;
}

/** One row of the process table. */
interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly startedAt: string;
  readonly state: string;
  readonly command: string;
}

/** Descendants of the roots and whatever carries the marker, by pid and start time: a number that is used again is another process. */
export async function listProcesses({ roots = [process.pid], marker }: ProcessSource = {}): Promise<InventoryItem[]> {
  const { rows, lister } = await processTable();
  const descendants = descendantsOf(rows, roots);
  const counts = await Promise.all(
    rows.map(async ({ pid, parent, state }) => {
      // A zombie runs nothing; it waits for its parent to look.
      if (pid === lister || parent === lister || state.startsWith('Z') || roots.includes(pid)) return false;
      return descendants.has(pid) || (marker !== undefined && (await carries(pid, marker)));
    }),
  );
  return sortItems(rows.filter((_, i) => counts[i]).map((row) => itemOf(row, descendants)));
}

function itemOf({ pid, startedAt, command, parent }: ProcessRow, descendants: ReadonlySet<number>): InventoryItem {
  return {
    kind: 'process',
    id: `${pid} ${startedAt}`,
    name: shortName(command),
    detail: { pid: String(pid), ...(descendants.has(pid) ? {} : { orphan: `its parent is ${parent}` }) },
    settings: { command },
  };
}

/** `node child.ts`, `python -m ministack`: the program, and what it runs. */
function shortName(command: string): string {
  const [program = '', ...rest] = command.split(/\s+/);
  const base = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  const script = rest.findIndex((word) => /\.(?:[cm]?[jt]s|py)$/.test(word));
  const what = script >= 0 ? rest.slice(script, script + 2) : rest.slice(0, 2);
  return [program, ...what].map(base).join(' ');
}

/** The process table, and the pid of the `ps` that read it. */
async function processTable(): Promise<{ rows: ProcessRow[]; lister: number | undefined }> {
  const running = promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,lstart=,args='], {
    maxBuffer: 32 * 1024 * 1024,
    // lstart is written in the words of the locale.
    env: { ...process.env, LC_ALL: 'C' },
  });
  const { stdout } = await running;
  return { rows: stdout.split('\n').flatMap(readRow), lister: running.child.pid };
}

function readRow(line: string): ProcessRow[] {
  const found = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line);
  if (!found) return [];
  const [, pid, parent, state = '', startedAt = '', command = ''] = found;
  return [{ pid: Number(pid), parent: Number(parent), state, startedAt: startedAt.replace(/\s+/g, ' '), command }];
}

function descendantsOf(rows: readonly ProcessRow[], roots: readonly number[]): Set<number> {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of rows) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const found = new Set<number>();
  const visit = (pid: number) => {
    for (const child of children.get(pid) ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      visit(child);
    }
  };
  roots.forEach(visit);
  return found;
}

/** Whether the environment that the process was started with holds the marker; no, where it cannot be read. */
async function carries(pid: number, marker: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return environment.split('\0').includes(marker);
}
