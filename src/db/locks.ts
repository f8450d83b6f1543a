import type pg from 'pg';
import { newClient } from './connections.ts';
import { DatabaseUnavailableError, unavailable } from './database-errors.ts';

/** Advisory locks that last longer than a transaction. */
export interface Locks {
  withLock<T>(name: string, fn: (lost: AbortSignal) => Promise<T>): Promise<{ readonly value: T } | undefined>;
  close(): Promise<void>;
}

interface Session {
  /** One after the other: the connection is shared. A query that fails ends the session. */
  readonly query: <T extends pg.QueryResultRow>(text: string, values: readonly unknown[]) => Promise<pg.QueryResult<T>>;
  readonly end: () => Promise<void>;
  readonly lost: AbortController;
}

/**
 * Locks held by one connection of this process, however many there are: work that lasts for minutes must not keep a
 * connection each. PostgreSQL lets a session take its own lock twice, so the process keeps account of its names itself.
 */
export function createLocks(config: pg.ClientConfig): Locks {
  const held = new Set<string>();
  let opening: Promise<Session> | undefined;
  /** The shared session; undefined when it was lost, and then forgotten: the next call opens another. */
  const current = async (): Promise<Session | undefined> => {
    const mine = (opening ??= open(config));
    // Several may wait for one that fails or is lost: only the first puts the next in its place.
    const forget = () => {
      if (opening === mine) opening = undefined;
    };
    try {
      const opened = await mine;
      if (!opened.lost.signal.aborted) return opened;
    } catch (error) {
      forget();
      throw unavailable(error) ?? error;
    }
    forget();
    return undefined;
  };
  const session = async (): Promise<Session> => {
    // The one that was lost meanwhile, then a new one. A server that ends that one too is left to the caller's own retries.
    const opened = (await current()) ?? (await current());
    if (opened) return opened;
    throw new DatabaseUnavailableError('PostgreSQL did not answer: it ended the session that holds the locks at once');
  };
  return {
    async withLock(name, fn) {
      if (held.has(name)) return undefined;
      held.add(name);
      try {
        const { query, lost } = await session();
        if (!(await tryLock(query, name))) return undefined;
        try {
          return { value: await fn(lost.signal) };
        } finally {
          // When the connection is gone, so is the lock.
          await query('select pg_advisory_unlock(hashtextextended($1, 0))', [name]).catch(() => undefined);
        }
      } finally {
        held.delete(name);
      }
    },
    async close() {
      const opened = await opening?.catch(() => undefined);
      await opened?.end();
    },
  };
}

async function open(config: pg.ClientConfig): Promise<Session> {
  const client = newClient({ ...config, application_name: `${config.application_name ?? 'tenantry'}-locks` });
  const lost = new AbortController();
  const end = () => client.end().catch(() => undefined);
  const lose = () => lost.abort(new Error('the connection that holds the lock was lost'));
  client.on('error', lose);
  client.on('end', lose);
  await connectWithKeepalive(client);
  let last: Promise<unknown> = Promise.resolve();
  const query = <T extends pg.QueryResultRow>(text: string, values: readonly unknown[]) => {
    const next = last.then(() => client.query<T>(text, [...values]));
    last = next.catch(() => {
      // A lock that was asked for without an answer may be held; only the session's end frees it for certain.
      lose();
      void end();
    });
    return next;
  };
  return { query, end, lost };
}

/**
 * Connects so that PostgreSQL ends the session of a host that vanished without a word after 25 s, and frees its locks: by
 * default it asks after two hours. Over a Unix socket this has no effect; a server that knows no such setting keeps its own.
 */
export async function connectWithKeepalive(client: pg.Client): Promise<void> {
  await client.connect();
  await client
    .query('set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3')
    .catch(() => undefined);
}

async function tryLock(query: Session['query'], name: string): Promise<boolean> {
  try {
    const answer = await query<{ locked: boolean }>('select pg_try_advisory_lock(hashtextextended($1, 0)) as locked', [
      name,
    ]);
    return answer.rows[0]?.locked === true;
  } catch (error) {
    throw unavailable(error) ?? error;
  }
}
