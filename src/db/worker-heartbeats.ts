import { z } from 'zod';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

/** A worker that has not said that it lives for so long is dead, in seconds: three beats. */
const SILENT_SECONDS = 15;

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

const heartbeatRow = z.object({
  identity: z.string(),
  /** How long ago the worker last said that it lives. */
  agoMs: z.coerce.number(),
  /** It stopped, or fell silent. */
  isDead: z.boolean(),
});
export type Heartbeat = z.output<typeof heartbeatRow>;

/** The last heartbeat of every worker that had one within a day. */
export async function listHeartbeats(db: Queryable): Promise<readonly Heartbeat[]> {
  return rowsOf(
    heartbeatRow,
    await db.query(
      `select identity, greatest(floor(extract(epoch from clock_timestamp() - beat_at) * 1000), 0) as "agoMs",
         stopped_at is not null or beat_at < clock_timestamp() - $1 * interval '1 second' as "isDead"
       from worker_heartbeats`,
      [SILENT_SECONDS],
    ),
  );
}
