import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startChild, type Child } from '../../../sandbox/parts/child.ts';
import { DirectoryTakenError, lockDirectory } from '../../../sandbox/stack/directory-lock.ts';

const modulePath = new URL('../../../sandbox/stack/directory-lock.ts', import.meta.url).href;

let directory: string;
let child: Child | undefined;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'tenantry-lock-'))));
afterEach(async () => {
  child?.kill('SIGKILL');
  await child?.exited;
  child = undefined;
  rmSync(directory, { recursive: true, force: true });
});

/** A process of its own that has the directory. */
async function holder(): Promise<Child> {
  const code = `import { lockDirectory } from ${JSON.stringify(modulePath)};
    await lockDirectory(${JSON.stringify(directory)}); console.log('locked'); setInterval(() => {}, 1_000);`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code];
  child = await startChild({ name: 'the holder', command: process.execPath, args });
  const { output } = child;
  await expect.poll(() => output()).toContain('locked');
  return child;
}

const sockets = () => {
  const key = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 16);
  return readdirSync(tmpdir()).filter((name) => name.includes(key));
};

describe('the lock of a directory', () => {
  it('stays with a process that is stopped, and names it once it goes on', async () => {
    const { pid, kill } = await holder();
    kill('SIGSTOP');
    await expect(lockDirectory(directory)).rejects.toThrow(/does not answer, perhaps it is stopped/);
    kill('SIGCONT');
    await expect(lockDirectory(directory)).rejects.toThrow(`already (process ${pid})`);
  });

  it('is free once its process was killed, and leaves nothing when it is given back', async () => {
    const { kill, exited } = await holder();
    kill('SIGKILL');
    await exited;
    expect(sockets()).toHaveLength(1);
    const release = await lockDirectory(directory);
    expect(sockets()).toHaveLength(1);
    await release();
    expect(sockets()).toEqual([]);
  });

  it('goes to one of many that begin at the same moment over a dead one, and stays with it', async () => {
    const { kill, exited } = await holder();
    kill('SIGKILL');
    await exited;
    const tries = await Promise.allSettled(Array.from({ length: 12 }, () => lockDirectory(directory)));
    const [release, ...others] = tries.flatMap((t) => (t.status === 'fulfilled' ? [t.value] : []));
    expect(others).toEqual([]);
    for (const { reason } of tries.filter((t) => t.status === 'rejected'))
      expect(reason).toBeInstanceOf(DirectoryTakenError);
    await expect(lockDirectory(directory)).rejects.toThrow(`already (process ${process.pid})`);
    await release?.();
    expect(sockets()).toEqual([]);
  });

  it('leaves another one its path when it is given back', async () => {
    const release = await lockDirectory(directory);
    const path = join(tmpdir(), sockets()[0] ?? '');
    rmSync(path);
    const other = createServer().listen(path);
    await expect.poll(() => other.listening).toBe(true);
    await release();
    expect(sockets()).toHaveLength(1);
    other.close();
  });
});
