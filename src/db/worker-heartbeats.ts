import { z } from 'zod';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

/** A worker that has not said that it lives for so long is dead, in seconds: six beats. */
const SILENT_SECONDS = 30;

/** A worker lives, under the identity that Temporal lists it by. Forgets those that Temporal has long forgotten. */
export async function recordHeartbeat(db: Queryable, identity: string): Promise<void> {
  await db.query(
    `with old as (delete from worker_heartbeats where beat_at < clock_timestamp() - interval '1 day' and identity <> $1)
     insert into worker_heartbeats (identity) values ($1)
     on conflict (identity) do update set beat_at = clock_timestamp(), stopped_at = null`,
    [identity],
  );
}

/** A worker stopped in order. */
export async function recordWorkerStop(db: Queryable, identity: string): Promise<void> {
  await db.query('update worker_heartbeats set stopped_at = clock_timestamp() where identity = $1', [identity]);
}

/** Identities of workers that stopped or fell silent; one that never had a heartbeat is not among them. */
export async function listDeadWorkers(db: Queryable): Promise<ReadonlySet<string>> {
  const rows = rowsOf(
    z.object({ identity: z.string() }),
    await db.query(
      `select identity from worker_heartbeats
       where stopped_at is not null or beat_at < clock_timestamp() - $1 * interval '1 second'`,
      [SILENT_SECONDS],
    ),
  );
  return new Set(rows.map((row) => row.identity));
}
