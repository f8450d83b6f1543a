import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cacheDirectory, installOnce } from '../../../sandbox/parts/cache.ts';

describe('cacheDirectory', () => {
  it('takes the first of TENANTRY_CACHE_DIR, XDG_CACHE_HOME and the platform default', () => {
    expect(cacheDirectory({ TENANTRY_CACHE_DIR: '/a', XDG_CACHE_HOME: '/b' }, 'linux')).toBe('/a');
    expect(cacheDirectory({ XDG_CACHE_HOME: '/b' }, 'linux')).toBe('/b/tenantry');
    expect(cacheDirectory({}, 'linux')).toMatch(/\/\.cache\/tenantry$/);
    expect(cacheDirectory({}, 'darwin')).toMatch(/\/Library\/Caches\/tenantry$/);
  });
});

describe('installOnce', () => {
  let root: string;
  let lines: string[];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'cache-test-'));
    lines = [];
    vi.stubEnv('TENANTRY_CACHE_DIR', root);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(root, { recursive: true, force: true });
  });

  const options = (install: (directory: string) => Promise<void>) => ({
    key: 'thing-1',
    title: 'Thing 1',
    expected: '~1 s',
    log: (line: string) => lines.push(line),
    install,
  });
  const writeThing = async (directory: string) => writeFileSync(join(directory, 'thing'), 'whole');
  /** A pid that was somebody's and is nobody's now. */
  const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;

  it('installs once, says so, and finds it the next time', async () => {
    const directory = await installOnce(options(writeThing));
    expect(readFileSync(join(directory, 'thing'), 'utf8')).toBe('whole');
    expect(lines[0]).toBe('installing Thing 1 (first time only, ~1 s)');
    const again = await installOnce(options(() => Promise.reject(new Error('installed twice'))));
    expect(again).toBe(directory);
    expect(readdirSync(root)).toEqual(['thing-1']);
  });

  it('leaves nothing of a failed install, so that the next one starts afresh', async () => {
    const half = async (directory: string) => {
      await writeThing(directory);
      throw new Error('cut off');
    };
    await expect(installOnce(options(half))).rejects.toThrow('cut off');
    expect(readdirSync(root)).toEqual([]);
    expect(existsSync(await installOnce(options(writeThing)))).toBe(true);
  });

  it('lets one of two install while the other waits', async () => {
    let installs = 0;
    const slow = async (directory: string) => {
      installs += 1;
      await new Promise((resolve) => setTimeout(resolve, 200));
      await writeThing(directory);
    };
    const [first, second] = await Promise.all([installOnce(options(slow)), installOnce(options(slow))]);
    expect(first).toBe(second);
    expect(installs).toBe(1);
    expect(lines).toContain('waiting: another process is installing Thing 1');
    expect(readdirSync(root)).toEqual(['thing-1']);
  });

  it('takes over the lock of a process that is gone', async () => {
    writeFileSync(join(root, 'thing-1.lock'), String(deadPid()));
    await installOnce(options(writeThing));
    expect(readdirSync(root)).toEqual(['thing-1']);
  });

  it('takes over a lock that its holder has not touched for a minute', async () => {
    const lock = join(root, 'thing-1.lock');
    writeFileSync(lock, String(process.pid));
    const longAgo = new Date(Date.now() - 120_000);
    utimesSync(lock, longAgo, longAgo);
    await installOnce(options(writeThing));
    expect(readdirSync(root)).toEqual(['thing-1']);
  });
});
