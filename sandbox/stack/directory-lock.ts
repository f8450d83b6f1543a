import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Another sandbox keeps its files in the directory. */
export class DirectoryTakenError extends Error {
  override readonly name = 'DirectoryTakenError';
}

/** What answers at the socket of a directory's holder. */
interface Holder {
  readonly pid: number;
  readonly token: string;
}

/**
 * Takes a directory for this process alone, until it ends, however it ends: a socket that answers is the lock, and one that
 * does not was left by a process that is no more. A lock file could outlive its process, and a process id is used again.
 *
 * @returns gives it back
 * @throws DirectoryTakenError naming the process that has it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  mkdirSync(directory, { recursive: true });
  const path = socketPath(directory);
  const token = randomUUID();
  const holder = await ask(path);
  if (holder) throw taken(directory, holder);
  rmSync(path, { force: true });
  const server = createServer((socket) => socket.end(JSON.stringify({ pid: process.pid, token } satisfies Holder)));
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    await closed;
  };
  await listen(server, path).catch(async (error: unknown) => {
    throw (await takenBy(directory, path)) ?? error;
  });
  // Two that began at the same moment may both have found nobody: the path leads to the later one alone.
  const first = await ask(path);
  if (first?.token === token) return close;
  await close();
  throw taken(directory, first);
}

/** Short, whatever the directory: a socket's path may have 104 characters on some systems. */
function socketPath(directory: string): string {
  const key = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 16);
  return join(tmpdir(), `tenantry-${key}.sock`);
}

async function listen(server: Server, path: string): Promise<void> {
  server.unref();
  server.listen(path);
  await once(server, 'listening');
}

async function takenBy(directory: string, path: string): Promise<DirectoryTakenError | undefined> {
  const holder = await ask(path);
  return holder && taken(directory, holder);
}

function taken(directory: string, holder: Holder | undefined): DirectoryTakenError {
  const who = holder ? `process ${holder.pid}` : 'another process';
  return new DirectoryTakenError(
    `a sandbox runs in ${directory} already (${who}): stop it, or give this one a directory of its own by --dir`,
  );
}

async function ask(path: string): Promise<Holder | undefined> {
  const socket = connect(path);
  socket.setTimeout(2_000, () => socket.destroy(new Error('time-out')));
  let text = '';
  try {
    for await (const chunk of socket) text += String(chunk);
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}
