import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration, type Log } from './log.ts';

export type InstallOptions = {
  /** Directory name inside the cache; holds whatever tells two installs apart (version, interpreter). */
  key: string;
  /** For people: `Temporal server 1.29.1`. */
  title: string;
  /** For people: `~2.5 min`. */
  expected: string;
  log: Log;
  /** Fills the directory it is given, which moves afterwards: nothing in it may name its own path. */
  install: (directory: string) => Promise<void>;
};

const lockStaleMs = 60_000;

/** Where this user's installs are kept; TENANTRY_CACHE_DIR decides, then the platform's custom. */
export function cacheDirectory(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (env.TENANTRY_CACHE_DIR) return env.TENANTRY_CACHE_DIR;
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'tenantry');
  return join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tenantry');
}

/**
 * The directory of an install, installing it first when it is not there. It appears whole or not at all: the work is done
 * beside it and renamed. Two processes at once take turns by a lock; should both get in all the same (a lock taken over by
 * two at one moment, a cache shared between machines), the second rename fails harmlessly.
 */
export async function installOnce(options: InstallOptions): Promise<string> {
  const root = cacheDirectory();
  const target = join(root, options.key);
  if (existsSync(target)) return target;
  await mkdir(root, { recursive: true });
  const release = await lock(`${target}.lock`, options);
  try {
    if (!existsSync(target)) await installInto(target, options);
    return target;
  } finally {
    await release();
  }
}

async function installInto(target: string, { title, expected, log, install }: InstallOptions): Promise<void> {
  const staging = `${target}.${process.pid}.partial`;
  const startedAt = Date.now();
  log(`installing ${title} (first time only, ${expected})`);
  const ticker = setInterval(() => log(`installing ${title}: ${formatDuration(Date.now() - startedAt)}`), 15_000);
  try {
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging);
    await install(staging);
    await rename(staging, target).catch((error: unknown) => {
      if (!existsSync(target)) throw error;
    });
    log(`installed ${title} in ${formatDuration(Date.now() - startedAt)}`);
  } finally {
    clearInterval(ticker);
    await rm(staging, { recursive: true, force: true });
  }
}

/** Holds the lock file until the returned function is called; a lock whose holder is gone is taken over. */
async function lock(path: string, { title, log }: InstallOptions): Promise<() => Promise<void>> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(String(process.pid));
      await file.close();
      break;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    if (await isStale(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (attempt === 0) log(`waiting: another process is installing ${title}`);
    await sleep(500);
  }
  const heartbeat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), 5000);
  heartbeat.unref();
  return async () => {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  };
}

/** Its process is gone, or it has not been touched for a minute (the pid was given to another process since). */
async function isStale(path: string): Promise<boolean> {
  try {
    const ageMs = Date.now() - (await stat(path)).mtimeMs;
    const pid = Number(await readFile(path, 'utf8'));
    // An empty file is a lock being written at this moment.
    return ageMs > lockStaleMs || (pid > 0 && !isAlive(pid));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

const hasCode = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code;
