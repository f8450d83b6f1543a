import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, linkSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Another sandbox keeps its files in the directory. */
export class DirectoryTakenError extends Error {
  override readonly name = 'DirectoryTakenError';
}

/** How long a holder may take to say who it is, in ms. */
const ANSWER_MS = 2_000;
/** A socket of a process that is no more is removed, and the path tried again, so many times. */
const TRIES = 5;
/** Between {@link removeStale}'s look and its removal another process may take the path: it gives way if this soon it is ours no more. */
const SETTLE_MS = 100;

/**
 * Takes a directory for this process alone, until it ends, however it ends: a socket that the kernel connects to is the lock,
 * and one that refuses was left by a process that is no more. A lock file could outlive its process, and a process id is used
 * again. The socket listens under a name of its own first and is then linked to the path, which fails if the path exists.
 *
 * @returns gives it back
 * @throws DirectoryTakenError naming the process that has it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  mkdirSync(directory, { recursive: true });
  const path = socketPath(directory);
  const own = `${path}.${randomUUID().slice(0, 8)}`;
  const server = createServer((socket) => socket.on('error', () => undefined).end(String(process.pid)));
  server.unref();
  server.listen(own);
  await once(server, 'listening');
  const file = fileAt(own);
  const release = async () => {
    if (fileAt(path) === file) rmSync(path, { force: true });
    await closed(server);
  };
  try {
    await linkTo(path, own, directory);
    rmSync(own);
    await sleep(SETTLE_MS);
    if (fileAt(path) !== file) throw taken(directory, await ask(path));
    return release;
  } catch (error) {
    await release();
    throw error;
  }
}

/** Whether a sandbox keeps its files in the directory at this moment; one that does not answer does. */
export async function isSandboxRunning(directory: string): Promise<boolean> {
  return existsSync(directory) && (await ask(socketPath(directory))) !== 'nobody';
}

/** @throws DirectoryTakenError */
async function linkTo(path: string, own: string, directory: string): Promise<void> {
  for (let left = TRIES; left > 0; left -= 1) {
    try {
      linkSync(own, path);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const found = fileAt(path);
    const answer = await ask(path);
    if (answer !== 'nobody') throw taken(directory, answer);
    removeStale(path, found);
  }
  throw taken(directory, 'silent');
}

/** Leaves alone what another process has put there since. */
function removeStale(path: string, found: string | undefined): void {
  if (found !== undefined && fileAt(path) === found) rmSync(path, { force: true });
}

/** Closing a server removes its path, if it is still there. */
async function closed(server: Server): Promise<void> {
  const close = once(server, 'close');
  server.close();
  await close;
}

/** Short, whatever the directory: a socket's path may have 104 characters on some systems. */
function socketPath(directory: string): string {
  const key = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 16);
  return join(tmpdir(), `tenantry-${key}.sock`);
}

/** Which file a path leads to; the time as well, because the number of a removed file is given again. */
function fileAt(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}:${stat.mtimeNs}`;
}

/** `nobody`: no process listens. `silent`: one does, and does not answer. */
type Answer = { readonly pid: string } | 'silent' | 'nobody';

function taken(directory: string, answer: Answer): DirectoryTakenError {
  const holder =
    typeof answer === 'object'
      ? ` already (process ${answer.pid}): stop it`
      : ' already and does not answer, perhaps it is stopped (Ctrl-Z; `fg` continues it): stop it';
  return new DirectoryTakenError(
    `a sandbox runs in ${directory}${holder}, or give this one a directory of its own by --dir`,
  );
}

async function ask(path: string): Promise<Answer> {
  const socket = connect(path);
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('time-out')));
  let pid = '';
  try {
    for await (const chunk of socket) pid += String(chunk);
    return pid === '' ? 'silent' : { pid };
  } catch (error) {
    return ['ECONNREFUSED', 'ENOENT'].includes(codeOf(error) ?? '') ? 'nobody' : 'silent';
  } finally {
    socket.destroy();
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
