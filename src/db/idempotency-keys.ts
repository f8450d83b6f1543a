import { z } from 'zod';
import { json, uuid } from './columns.ts';
import { isConflict } from './database-errors.ts';
import type { Queryable } from './database.ts';
import { rowOf } from './rows.ts';

/** A key belongs to whoever gave it. */
export interface KeyName {
  readonly principal: string;
  readonly key: string;
}

const asked = z.object({
  operationId: z.uuid(),
  runId: z.string().nullable(),
  /** Of a cancel: as `recordCancelRequest` answered it. */
  recordedAt: z.string().optional(),
});
/** The run that a request was to be asked of. */
export type AskedRun = z.output<typeof asked>;

const keyRow = z.object({
  id: uuid,
  requestHash: z.string(),
  answer: z.instanceof(Buffer).nullable(),
  asked: asked.nullable(),
});
export type KeyRow = z.output<typeof keyRow>;

/** Held by the transaction that writes the row of a key, also while nobody knows what became of its commit. */
const lockOf = ({ principal, key }: KeyName) => JSON.stringify(['idempotency-key-row', principal, key]);

/**
 * What is stored under a key. A row that answers this request is marked as told: from then on nobody withdraws what it says.
 * @returns `in-use`: a transaction is at it, which may end either way
 */
export async function lookUpKey(
  db: Queryable,
  { principal, key }: KeyName,
  requestHash: string,
): Promise<KeyRow | 'in-use' | undefined> {
  try {
    const answer = await db.query(
      `with mine as (
         select id, request_hash, answer, asked from idempotency_keys
         where principal = $1 and key = $2 and expires_at > clock_timestamp() for update nowait
       ), told as (
         update idempotency_keys k set told_at = coalesce(k.told_at, clock_timestamp()) from mine
         where k.id = mine.id and mine.answer is not null and mine.request_hash = $3
       )
       select id, request_hash as "requestHash", answer, asked from mine`,
      [principal, key, requestHash],
    );
    return rowOf(keyRow, answer);
  } catch (error) {
    if (isConflict(error)) return 'in-use';
    throw error;
  }
}

/** What is stored under a key of which a repeat was told: nobody withdraws it, whatever transaction is at its row. */
export async function findToldKey(db: Queryable, { principal, key }: KeyName): Promise<KeyRow | undefined> {
  const answer = await db.query(
    `select id, request_hash as "requestHash", answer, asked from idempotency_keys
     where principal = $1 and key = $2 and expires_at > clock_timestamp() and told_at is not null`,
    [principal, key],
  );
  return rowOf(keyRow, answer);
}

/**
 * Takes a key in the transaction of the change, before anything else of it; does not wait for another transaction that has it. An
 * expired row makes room.
 * @returns whether it did
 */
export async function takeKey(
  tx: Queryable,
  { id, principal, key, requestHash }: KeyName & { readonly id: string; readonly requestHash: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into idempotency_keys (id, principal, key, request_hash)
       select $1, $2, $3, $4 where pg_try_advisory_xact_lock(hashtextextended($5, 0))
     on conflict (principal, key) do update set
       id = excluded.id, request_hash = excluded.request_hash, answer = null, operation_id = null, asked = null, told_at = null,
       created_at = excluded.created_at, expires_at = excluded.expires_at
       where idempotency_keys.expires_at <= clock_timestamp()`,
    [id, principal, key, requestHash, lockOf({ principal, key })],
  );
  return rowCount === 1;
}

/** Stores the answer. @param operationId that was accepted with it */
export async function storeAnswer(
  db: Queryable,
  id: string,
  { answer, operationId = null }: { readonly answer: Buffer; readonly operationId?: string | null | undefined },
): Promise<void> {
  await db.query('update idempotency_keys set answer = $2, operation_id = $3, asked = null where id = $1', [
    id,
    answer,
    operationId,
  ]);
}

/** Before a run is asked: a repeat asks the same one the same. */
export async function recordAskedRun(tx: Queryable, id: string, run: AskedRun): Promise<void> {
  await tx.query('update idempotency_keys set asked = $2 where id = $1', [id, json(run)]);
}

/** Frees a key under which nothing was answered. */
export async function freeKey(db: Queryable, id: string): Promise<void> {
  await db.query('delete from idempotency_keys where id = $1 and answer is null', [id]);
}

/** Frees the key with which an operation was accepted that is withdrawn. @returns false: a repeat was told that it is accepted */
export async function freeKeyOfOperation(tx: Queryable, operationId: string): Promise<boolean> {
  const { rows } = await tx.query<{ told: boolean }>(
    'delete from idempotency_keys where operation_id = $1 returning told_at is not null as told',
    [operationId],
  );
  return !rows.some(({ told }) => told);
}

/** Rows of a round: one statement must not last long. */
const BATCH = 1_000;

/** Deletes keys that have expired. @returns how many */
export async function sweepExpiredKeys(db: Queryable): Promise<number> {
  for (let deleted = 0; ;) {
    const { rowCount } = await db.query(
      `delete from idempotency_keys where id in (
         select id from idempotency_keys where expires_at <= clock_timestamp() order by expires_at limit $1 for update skip locked)`,
      [BATCH],
    );
    deleted += rowCount;
    if (rowCount < BATCH) return deleted;
  }
}
