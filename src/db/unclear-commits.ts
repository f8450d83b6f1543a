import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { z } from 'zod';
import { CommitUnclearError, isRefusal } from './database-errors.ts';
import { rowOf } from './rows.ts';

/** What PostgreSQL knows a transaction by beyond its session. */
export interface TransactionIdentity {
  readonly xid: string;
  /** Process of the session. */
  readonly pid: number;
}

/** A commit that was sent and not answered. */
export interface UnclearCommit {
  readonly identity: TransactionIdentity;
  /** See {@link CommitUnclearError.mayLandUntil}. */
  readonly mayLandUntil: Date | undefined;
}

const identityRow = z.object({ xid: z.string(), pid: z.number() });

/** Begins a transaction in one round trip, and names it. */
export async function beginIdentified(client: pg.ClientBase): Promise<TransactionIdentity> {
  const answers: unknown = await client.query(
    'begin; select pg_current_xact_id()::text as xid, pg_backend_pid() as pid',
  );
  const [, named] = z.tuple([z.unknown(), z.object({ rows: z.array(z.unknown()) })]).parse(answers);
  return identityRow.parse(named.rows[0]);
}

/** How long PostgreSQL is asked what became of a transaction, in ms: somebody waits for the answer. */
const FIND_OUT_MS = 6_000;
const PAUSE_MS = 200;

/**
 * What became of a transaction whose commit was sent and not answered. One that is still open is ended first: its commit
 * may be on the way, and must not take effect after this answer.
 * @throws CommitUnclearError when PostgreSQL does not say within a few seconds
 */
export async function wasCommitted(
  pool: pg.Pool,
  { identity, mayLandUntil }: UnclearCommit,
  cause: unknown,
): Promise<boolean> {
  const deadlineMs = Date.now() + FIND_OUT_MS;
  while (Date.now() < deadlineMs) {
    const fate = await within(deadlineMs - Date.now(), askFate(pool, identity, mayLandUntil));
    if (fate === 'committed') return true;
    if (fate === 'aborted') return false;
    await sleep(PAUSE_MS);
  }
  throw new CommitUnclearError('PostgreSQL did not say whether it committed the transaction', { mayLandUntil, cause });
}

/** Undefined: it is open, or nobody knows. */
async function askFate(
  pool: pg.Pool,
  { xid, pid }: TransactionIdentity,
  mayLandUntil: Date | undefined,
): Promise<string | undefined> {
  try {
    const answer = await pool.query('select pg_xact_status($1::xid8) as fate', [xid]);
    const fate = rowOf(z.object({ fate: z.string().nullable() }), answer)?.fate ?? undefined;
    if (fate === 'in progress') {
      const end =
        'select pg_terminate_backend(pid) from pg_stat_activity where pid = $2 and backend_xid = $1::xid8::xid';
      await pool.query(end, [xid, pid]);
    }
    return fate;
  } catch (error) {
    if (!isRefusal(error)) return undefined;
    throw new CommitUnclearError('PostgreSQL does not know the transaction (any more)', { mayLandUntil, cause: error });
  }
}

async function within<T>(limitMs: number, asked: Promise<T>): Promise<T | undefined> {
  const late = new AbortController();
  try {
    return await Promise.race([asked, sleep(limitMs, undefined, { signal: late.signal })]);
  } finally {
    late.abort();
  }
}
