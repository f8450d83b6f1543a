import { z } from 'zod';
import { BEHIND_SECONDS, KEPT_DAYS } from '../contracts/webhooks.ts';
import { time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

const figures = z.object({
  webhooks: z.int(),
  disabled: z.int(),
  pending: z.int(),
  dead: z.int(),
  oldestPendingMs: z.coerce.number(),
});
/** Of all webhooks. What waits for a disabled one is counted as pending, and not in the age of the oldest. */
export type WebhookFigures = z.output<typeof figures>;

export async function measureWebhooks(db: Queryable): Promise<WebhookFigures> {
  const answer = await db.query(
    `select count(*)::int as webhooks, count(w.disabled_at)::int as disabled,
       coalesce(sum((select count(*) from webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending')), 0)::int
         as pending,
       coalesce(sum((select count(*) from webhook_deliveries d where d.webhook_id = w.id and d.state = 'dead')), 0)::int
         as dead,
       coalesce(extract(epoch from clock_timestamp() - min(case when w.disabled_at is null then (select min(d.queued_at)
         from webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending') end)), 0) * 1000 as "oldestPendingMs"
     from webhooks w where w.deleted_at is null`,
  );
  return figures.parse(answer.rows[0]);
}

const behindRow = z.object({ id: uuid, since: time, failures: z.int(), error: z.string().nullable() });
/** A webhook whose oldest delivery waits for too long. */
export type BehindWebhook = z.output<typeof behindRow>;

const oldest = `(select min(greatest(d.queued_at, d.since)) from webhook_deliveries d
  where d.webhook_id = w.id and d.state = 'pending')`;
const isBehind = `w.disabled_at is null and ${oldest} < now() - ${BEHIND_SECONDS} * interval '1 second'`;

/** Webhooks that are behind and of which nobody was told yet: each is answered to one caller. */
export async function takeNewlyBehind(tx: Queryable): Promise<BehindWebhook[]> {
  return rowsOf(
    behindRow,
    await tx.query(
      `update webhooks w set behind_told_at = now() where w.deleted_at is null and w.behind_told_at is null and ${isBehind}
       returning w.id, ${oldest} as since, w.failures, (select d.error from webhook_deliveries d
         where d.webhook_id = w.id and d.state = 'pending' and d.error is not null order by d.attempted_at desc limit 1) as error`,
    ),
  );
}

/** Ids of those that somebody was told of and that are behind no more. */
export async function takeCaughtUp(db: Queryable): Promise<string[]> {
  const answer = await db.query(
    `update webhooks w set behind_told_at = null where w.behind_told_at is not null
       and (w.deleted_at is not null or not (${isBehind}) or ${oldest} is null) returning w.id`,
  );
  return rowsOf(z.object({ id: uuid }), answer).map(({ id }) => id);
}

/** Removes what is kept no longer, a part at a time. @returns how many */
export async function pruneDeliveries(db: Queryable, limit: number): Promise<number> {
  const days = (count: number) => `now() - ${count} * interval '1 day'`;
  const { rowCount } = await db.query(
    `delete from webhook_deliveries where id in (
       select id from webhook_deliveries where state = 'delivered' and ended_at < ${days(KEPT_DAYS.delivered)}
       union all select id from webhook_deliveries where state = 'dead' and ended_at < ${days(KEPT_DAYS.dead)}
       union all select d.id from webhooks w join webhook_deliveries d on d.webhook_id = w.id
         where d.state = 'pending' and d.queued_at < ${days(KEPT_DAYS.pending)} and w.disabled_at is not null
       union all select d.id from webhooks w join webhook_deliveries d on d.webhook_id = w.id where w.deleted_at is not null
       limit $1)`,
    [limit],
  );
  // A day later: events that saw the webhook as it was are committed by then.
  await db.query(
    `delete from webhook_queues q using webhooks w where w.id = q.webhook_id and w.deleted_at < now() - interval '1 day'`,
  );
  return rowCount;
}
