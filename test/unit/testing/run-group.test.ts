import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';

const module = new URL('../../../testing/run-group.ts', import.meta.url).href;
/** Prints its own process id and that of a child, which both ignore what could be ignored, and runs on. */
const command = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  console.log(process.pid + ' ' + child.pid);
  setInterval(() => {}, 1000);`;
const script = `
  const { runGroup } = await import(${JSON.stringify(module)});
  process.exit(await runGroup({ args: ['-e', ${JSON.stringify(command)}], env: process.env }));`;

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGKILL', null],
] as const)('what `tenantry test` started ends with it when it gets %s', async (signal, code) => {
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  const pids = line.split(' ').map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  parent.kill(signal);
  expect(await once(parent, 'exit')).toEqual([code, code === null ? signal : null]);
  await expect.poll(() => pids.map(isAlive), { timeout: 5_000 }).toEqual([false, false]);
});
