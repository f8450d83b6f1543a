import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { newPool } from './connections.ts';
import { isConflict, isUnavailable, unavailable, unlessAnswered, unlessRefused } from './database-errors.ts';
import { startListening, type Listening } from './listening.ts';
import { createLocks } from './locks.ts';
import { sessionProblems } from './session-problems.ts';
import { beginIdentified, wasCommitted, type UnclearCommit } from './unclear-commits.ts';

export { CommitUnclearError, DatabaseUnavailableError } from './database-errors.ts';

/** One answer of PostgreSQL. */
export interface QueryAnswer<T> {
  readonly rows: T[];
  /** Rows returned or changed. */
  readonly rowCount: number;
}

/** Something that SQL can be sent to: the pool, or one open transaction. */
export interface Queryable {
  /** @throws DatabaseUnavailableError when PostgreSQL cannot be reached or gives up for a reason that passes. */
  query<T extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<QueryAnswer<T>>;
}

/** The control plane's database. */
export interface Database extends Queryable {
  /**
   * Commits when `fn` resolves, rolls back and rethrows when it rejects. When the commit is not answered, PostgreSQL is asked
   * what became of it: a rejection means that nothing took effect, unless it is CommitUnclearError.
   *
   * `fn` runs again, in a new transaction, when PostgreSQL chose this one as the victim of a deadlock or the like. `once` rules
   * that out, for an `fn` that does more than SQL.
   */
  transaction<T>(fn: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Reads that see one and the same moment, however many queries they take. */
  snapshot<T>(fn: (at: Queryable) => Promise<T>): Promise<T>;
  /**
   * Listens on a channel with a connection of its own until the answered function is called. `onNotify` gets the
   * payload; or undefined when the connection was lost and is back, so that notifications may have been missed.
   */
  listen(channel: string, onNotify: (payload: string | undefined) => void): Promise<Listening>;
  /**
   * Runs `fn` while this process alone holds the lock of that name; does not wait for it. `lost` aborts when the
   * database lets the lock go while `fn` runs.
   *
   * @returns undefined when another holds it, else what `fn` answered
   */
  withLock<T>(name: string, fn: (lost: AbortSignal) => Promise<T>): Promise<{ readonly value: T } | undefined>;
  /** What is set up wrongly for sessions like these; a sentence each. @throws DatabaseUnavailableError */
  sessionProblems(): Promise<string[]>;
  close(): Promise<void>;
}

export interface TransactionOptions {
  readonly once?: boolean;
}

export interface DatabaseOptions {
  readonly url: string;
  /** Default 10. */
  readonly maxConnections?: number;
  readonly applicationName?: string;
  /** The server ends a statement after this, in ms; default 15,000. 0: no limit. */
  readonly statementTimeoutMs?: number;
}

/**
 * How long the server keeps a transaction whose client is silent: below every `latenessWindowMs`, so that a process that was
 * frozen does not commit what others took for lost.
 */
const IDLE_IN_TRANSACTION_MS = 20_000;
const STATEMENT_MS = 15_000;
const connectTimeoutMs = 5_000;
/** A host that hangs never answers that it timed out: the client gives up this much later than the server should. */
const answerGraceMs = 2_000;

/** Opens a pool (no connection is made before the first query). */
export function createDatabase(options: DatabaseOptions): Database {
  const pool = openPool(options);
  const commitMs = commitLandsWithinMs(options);
  const listenings = new Set<Listening>();
  const locks = createLocks(connectionOptions(options));
  return {
    query: (text, values) => againAfterConflict(MOST_TRIES, () => send(pool, text, values)),
    transaction: (fn, { once = false } = {}) =>
      againAfterConflict(once ? 1 : MOST_TRIES, () => transaction(pool, commitMs, fn)),
    snapshot: (fn) => snapshot(pool, fn),
    listen: async (channel, onNotify) => {
      const listening = await startListening(connectionOptions(options), channel, onNotify);
      listenings.add(listening);
      return listening;
    },
    withLock: (name, fn) => locks.withLock(name, fn),
    sessionProblems: () => sessionProblems(connectionOptions(options)),
    close: async () => {
      await Promise.all([...listenings].map((l) => l.stop()));
      await locks.close();
      await pool.end();
    },
  };
}

function openPool(options: DatabaseOptions): pg.Pool {
  return newPool({ ...connectionOptions(options), max: options.maxConnections ?? 10, idleTimeoutMillis: 30_000 });
}

/** What every session of the control plane's database is opened with. */
function connectionOptions({
  url,
  applicationName,
  statementTimeoutMs = STATEMENT_MS,
}: DatabaseOptions): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: applicationName ?? 'tenantry',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    ...(statementTimeoutMs === 0
      ? {}
      : { statement_timeout: statementTimeoutMs, query_timeout: statementTimeoutMs + answerGraceMs }),
  };
}

async function send<T extends object>(
  target: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly unknown[] = [],
): Promise<QueryAnswer<T>> {
  try {
    const { rows, rowCount } = await target.query<T & pg.QueryResultRow>(text, [...values]);
    return { rows, rowCount: rowCount ?? 0 };
  } catch (error) {
    throw unlessAnswered(error) ?? error;
  }
}

/** For what is sent besides {@link send}. */
function asUnavailable(error: unknown): never {
  throw unlessAnswered(error) ?? error;
}

type Work<T> = (tx: Queryable) => Promise<T>;

/**
 * How long after it was sent a commit may still take effect, in ms: one that is on its way for longer than PostgreSQL keeps a
 * silent transaction finds its session ended, and one that arrived is ended by the statement's own limit. Undefined: no limit.
 */
function commitLandsWithinMs({ statementTimeoutMs = STATEMENT_MS }: DatabaseOptions): number | undefined {
  return statementTimeoutMs === 0 ? undefined : IDLE_IN_TRANSACTION_MS + statementTimeoutMs;
}

const MOST_TRIES = 4;

/** The victim of a conflict took no effect, and what it collided with goes on: the next try usually gets through. */
async function againAfterConflict<T>(tries: number, fn: () => Promise<T>): Promise<T> {
  for (let left = tries - 1; ; left -= 1) {
    try {
      return await fn();
    } catch (error) {
      if (left <= 0 || !isConflict(error)) throw error;
      await sleep(20 + Math.random() * 80);
    }
  }
}

async function transaction<T>(pool: pg.Pool, commitMs: number | undefined, fn: Work<T>): Promise<T> {
  const work: { done?: UnclearCommit & { readonly answer: T } } = {};
  try {
    return await onClient(pool, async (client) => {
      const identity = await beginIdentified(client).catch(asUnavailable);
      const answer = await fn(queryable(client));
      const mayLandUntil = commitMs === undefined ? undefined : new Date(Date.now() + commitMs);
      work.done = { answer, identity, mayLandUntil };
      await commit(client);
      return answer;
    });
  } catch (error) {
    const { done } = work;
    if (!done || !isUnavailable(error)) throw error;
    if (await wasCommitted(pool, done, error)) return done.answer;
    throw error;
  }
}

/** A statement that failed, and whose error somebody caught, turns the commit into a rollback without an error. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('commit').catch((error: unknown) => {
    throw unlessRefused(error) ?? error;
  });
  if (command !== 'COMMIT') throw new Error(`a transaction was to be committed, and PostgreSQL answered ${command}`);
}

function snapshot<T>(pool: pg.Pool, fn: Work<T>): Promise<T> {
  return onClient(pool, async (client) => {
    await client.query('begin isolation level repeatable read, read only').catch(asUnavailable);
    const answer = await fn(queryable(client));
    await client.query('commit').catch(asUnavailable);
    return answer;
  });
}

function queryable(client: pg.PoolClient): Queryable {
  return { query: (text, values) => send(client, text, values) };
}

/** Runs `fn` with a connection of its own; rolls back and rethrows when it rejects. */
async function onClient<T>(pool: pg.Pool, fn: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch(asUnavailable);
  let broken = false;
  try {
    return await fn(client);
  } catch (error) {
    // A connection of unknown state is thrown away, which ends its transaction too.
    broken =
      isUnavailable(error) ||
      !(await client.query('rollback').then(
        () => true,
        () => false,
      ));
    throw unavailable(error) ?? error;
  } finally {
    client.release(broken);
  }
}
