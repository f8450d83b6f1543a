import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheDirectory } from '../../../sandbox/parts/cache.ts';

const program = fileURLToPath(new URL('./fixtures/parts-holder.ts', import.meta.url));

/** A process that started all parts, in a process group of its own, as a terminal would run it. */
async function startHolder(scratch: string) {
  const holder = spawn(process.execPath, ['--import', 'tsx', program], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: scratch, TENANTRY_CACHE_DIR: cacheDirectory() },
  });
  const exited = new Promise<number | string | null>((resolve) => {
    holder.on('exit', (code, signal) => resolve(code ?? signal));
  });
  for await (const line of createInterface({ input: holder.stdout })) {
    if (line.startsWith('{')) {
      const { pids, directory } = JSON.parse(line) as { pids: number[]; directory: string };
      return { pid: holder.pid!, pids, directory, exited };
    }
  }
  throw new Error('the holder ended before its parts were up');
}

/** Processes that run out of these groups or keep their pid; a zombie nobody reaps is as good as gone. */
function alive(groups: number[]): string[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,stat=,command='], { encoding: 'utf8' });
  return table.split('\n').filter((line) => {
    const [pid, group, state = ''] = line.trim().split(/\s+/);
    return !state.startsWith('Z') && (groups.includes(Number(pid)) || groups.includes(Number(group)));
  });
}

async function expectAllGone(groups: number[], scratch: string, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  const rest = () => [
    ...alive(groups),
    ...execFileSync('ls', [scratch], { encoding: 'utf8' })
      .split('\n')
      .filter((n) => n.startsWith('tenantry-')),
  ];
  while (rest().length > 0 && Date.now() < deadline) await sleep(100);
  expect(rest()).toEqual([]);
}

describe('parts of a process that ends', () => {
  let scratch: string;
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'parts-test-'));
    execFileSync('chmod', ['755', scratch]);
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  it.each([
    { how: 'SIGKILL', code: 'SIGKILL' },
    { how: 'SIGTERM', code: 143 },
    { how: 'SIGINT', code: 130 },
    { how: 'SIGHUP', code: 129 },
  ] as const)('end with it on $how, their directories too', async ({ how, code }) => {
    const holder = await startHolder(scratch);
    expect(alive(holder.pids).length).toBeGreaterThanOrEqual(holder.pids.length);
    expect(existsSync(holder.directory)).toBe(true);
    // To the whole group: what a terminal does on Ctrl-C.
    process.kill(-holder.pid, how);
    expect(await holder.exited).toBe(code);
    await expectAllGone(holder.pids, scratch, 8000);
  });

  it('end when Ctrl-C comes twice in the middle of the orderly stop', async () => {
    const holder = await startHolder(scratch);
    process.kill(-holder.pid, 'SIGINT');
    await sleep(20);
    process.kill(-holder.pid, 'SIGINT');
    expect(await holder.exited).toBe(130);
    await expectAllGone(holder.pids, scratch, 8000);
  });

  it('end on an uncaught exception', async () => {
    const holder = await startHolder(scratch);
    process.kill(holder.pid, 'SIGUSR2');
    expect(await holder.exited).toBe(1);
    await expectAllGone(holder.pids, scratch, 8000);
  });
});
