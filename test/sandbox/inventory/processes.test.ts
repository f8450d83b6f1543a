import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { difference, renderDifference, takeInventory } from '../../../sandbox/inventory/inventory.ts';

const children: ChildProcess[] = [];
const leaked: number[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const pid of leaked.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
});

function start(args: string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  children.push(child);
  return child;
}

describe('the inventory of processes', () => {
  it('sees what this process has started, its children too, and that they ended', async () => {
    const sources = { processes: { roots: [process.pid] } };
    const before = await takeInventory(sources);
    const child = start(['-c', 'sleep 31.25; true']);
    await expect
      .poll(async () => renderDifference(difference(before, await takeInventory(sources))))
      .toContain('sleep');
    const diff = difference(before, await takeInventory(sources));
    expect(renderDifference(diff)).toMatch(/^\+ process sh -c sleep \(pid \d+\)$/m);
    expect(renderDifference(diff)).toMatch(/^\+ process sleep 31\.25 \(pid \d+\)$/m);
    leaked.push(...diff.added.map((item) => Number(item.detail?.pid)));
    child.kill('SIGKILL');
    for (const pid of leaked) if (pid !== child.pid) process.kill(pid, 'SIGKILL');
    await expect.poll(async () => renderDifference(difference(before, await takeInventory(sources)))).toBe('');
  });

  it.runIf(process.platform === 'linux')('finds an orphan by the mark in its environment', async () => {
    const marker = `TENANTRY_TEST_RUN=${randomUUID()}`;
    const [name = '', value = ''] = marker.split('=');
    const parent = start(['-c', 'sleep 32.25 >/dev/null & echo $!'], { ...process.env, [name]: value });
    const [printed] = (await once(parent.stdout!, 'data')) as [Buffer];
    leaked.push(Number(printed.toString().trim()));
    if (parent.exitCode === null) await once(parent, 'exit');
    const found = await takeInventory({ processes: { roots: [], marker } });
    expect(found).toMatchObject([{ kind: 'process', name: 'sleep 32.25', detail: { pid: String(leaked[0]) } }]);
    expect(found[0]?.detail?.orphan).toMatch(/^its parent is \d+$/);
    expect(await takeInventory({ processes: { roots: [], marker: `${name}=another` } })).toEqual([]);
  });
});
