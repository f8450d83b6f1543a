import { z } from 'zod';
import { deliveryStates, MOST_REPLAYS, webhookEventTypes, type DeliveryState } from '../contracts/webhooks.ts';
import { bigint, optionalTime, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowOf, rowsOf } from './rows.ts';

const deliveryRow = z.object({
  id: uuid,
  webhookId: uuid,
  tenantId: uuid,
  eventId: bigint,
  type: z.enum(webhookEventTypes),
  state: z.enum(deliveryStates),
  queuedAt: time,
  attempts: z.int(),
  attemptedAt: optionalTime,
  endedAt: optionalTime,
  /** Of the last attempt; null: it was not answered. */
  httpStatus: z.int().nullable(),
  error: z.string().nullable(),
  /** Of one that waits and is the next of its tenant; null: it waits behind another, or for nothing. */
  nextAttemptAt: optionalTime,
});
/** One event for one webhook. */
export type DeliveryRow = z.output<typeof deliveryRow>;

const columns = `d.id, d.webhook_id as "webhookId", d.tenant_id as "tenantId", d.event_id as "eventId", d.type, d.state,
  d.queued_at as "queuedAt", d.attempts, d.attempted_at as "attemptedAt", d.ended_at as "endedAt",
  d.http_status as "httpStatus", d.error,
  case when d.state = 'pending' and not exists (
      select from webhook_deliveries e where e.webhook_id = d.webhook_id and e.tenant_id = d.tenant_id
        and e.state = 'pending' and e.event_id < d.event_id)
    then (select nullif(q.next_attempt_at, 'infinity') from webhook_queues q
      where q.webhook_id = d.webhook_id and q.tenant_id = d.tenant_id) end as "nextAttemptAt"`;

export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined;
  readonly tenantId?: string | undefined;
  readonly type?: string | undefined;
  readonly limit: number;
  /** Event id of the last one of the page before. */
  readonly before?: number | undefined;
}

/** Deliveries of a webhook, newest event first. */
export async function listDeliveries(
  db: Queryable,
  webhookId: string,
  { state, tenantId, type, limit, before }: DeliveryFilter,
): Promise<DeliveryRow[]> {
  return rowsOf(
    deliveryRow,
    await db.query(
      `select ${columns} from webhook_deliveries d
       where d.webhook_id = $1 and ($2::text is null or d.state = $2) and ($3::uuid is null or d.tenant_id = $3)
         and ($4::text is null or d.type = $4) and ($5::bigint is null or d.event_id < $5)
       order by d.event_id desc limit $6`,
      [webhookId, state, tenantId, type, before, limit],
    ),
  );
}

export async function findDelivery(db: Queryable, webhookId: string, id: string): Promise<DeliveryRow | undefined> {
  return rowOf(
    deliveryRow,
    await db.query(`select ${columns} from webhook_deliveries d where d.webhook_id = $1 and d.id = $2`, [
      webhookId,
      id,
    ]),
  );
}

export interface ReplayChoice {
  readonly webhookId: string;
  /** This one, whatever its state; undefined: dead letters. */
  readonly deliveryId?: string | undefined;
  /** Dead letters of this tenant only. */
  readonly tenantId?: string | undefined;
}

/**
 * Makes deliveries pending anew, under the ids that they have, oldest event first. The webhook is locked by the caller.
 * @returns how many; {@link MOST_REPLAYS} at most
 */
export async function replayDeliveries(
  tx: Queryable,
  { webhookId, deliveryId, tenantId }: ReplayChoice,
): Promise<number> {
  const answer = await tx.query(
    `with again as (
       select id from webhook_deliveries
       where webhook_id = $1 and ($2::uuid is null or tenant_id = $2)
         and case when $3::uuid is null then state = 'dead' else id = $3 end
       order by event_id limit ${MOST_REPLAYS}),
     revived as (
       update webhook_deliveries d set state = 'pending', attempts = 0, since = now(), ended_at = null
       from again a where d.id = a.id returning d.tenant_id),
     due as (
       insert into webhook_queues as q (webhook_id, tenant_id, next_attempt_at)
       select $1, t.tenant_id, now() from (select distinct tenant_id from revived) t order by t.tenant_id
       on conflict (webhook_id, tenant_id) do update set next_attempt_at = excluded.next_attempt_at
       returning 1)
     select count(*)::int as count from revived, (select count(*) from due) as made`,
    [webhookId, tenantId, deliveryId],
  );
  return z.object({ count: z.int() }).parse(answer.rows[0]).count;
}
