import { z } from 'zod';
import { RETRY_FOR_SECONDS, retryWaitSeconds, webhookEventTypes } from '../contracts/webhooks.ts';
import { bigint, operationType, time, uuid } from './columns.ts';
import type { Database, Queryable } from './database.ts';
import { rowOf, rowsOf } from './rows.ts';
import { insertAuditEntry } from './audit-entries.ts';
import { disableWebhook, lockWebhook, recordWebhookChange } from './webhooks.ts';
import type { Caller } from '../contracts/caller.ts';

const claimedDelivery = z.object({
  id: uuid,
  webhookId: uuid,
  url: z.string(),
  origin: z.string(),
  /** Noted before: one whose worker died is not. */
  attempts: z.int(),
  type: z.enum(webhookEventTypes),
  eventId: bigint,
  at: time,
  data: z.record(z.string(), z.unknown()),
  tenantId: uuid,
  slug: z.string(),
  product: z.string(),
  operationId: uuid.nullable(),
  operationType: operationType.nullable(),
});
/** A delivery that one worker alone attempts until its lease ends. */
export type ClaimedDelivery = z.output<typeof claimedDelivery>;

/** A worker that dies keeps a queue from the others for this long, in s: longer than an attempt may take. */
const LEASE_SECONDS = 60;

export interface ClaimBounds {
  readonly limit: number;
  /** Attempts that may be under way at an origin. */
  readonly slots: number;
  /** How many may be added at those where some are under way. */
  readonly free: ReadonlyMap<string, number>;
}

/** The next delivery of each queue whose time has come, origins side by side. */
export function claimDeliveries(db: Database, { limit, slots, free }: ClaimBounds): Promise<ClaimedDelivery[]> {
  return db.transaction(async (tx) => {
    const claimed = await claimQueues(tx, [limit, slots, [...free.keys()], [...free.values()]]);
    // A new statement: what was committed before a queue was locked is seen.
    const heads = claimed.length === 0 ? [] : await attemptHeads(tx, claimed);
    const idle = claimed.filter((q) => !heads.some((h) => h.webhookId === q.webhookId && h.tenantId === q.tenantId));
    for (const queue of idle) await setNextAttempt(tx, queue, `'infinity'`);
    return heads;
  });
}

const queueKey = z.object({ webhookId: uuid, tenantId: uuid });
type QueueKey = z.output<typeof queueKey>;

async function claimQueues(tx: Queryable, bounds: readonly unknown[]): Promise<QueueKey[]> {
  return rowsOf(
    queueKey,
    await tx.query(
      `with due as (
         select q.webhook_id, q.tenant_id, q.next_attempt_at, w.origin,
           row_number() over (partition by w.origin order by q.next_attempt_at, q.tenant_id) as place
         from webhooks w cross join lateral (
           select webhook_id, tenant_id, next_attempt_at from webhook_queues
           where webhook_id = w.id and next_attempt_at <= now() order by next_attempt_at limit $2) q
         where w.deleted_at is null and w.disabled_at is null and w.resume_at <= now()),
       chosen as (
         select due.webhook_id, due.tenant_id from due
         left join unnest($3::text[], $4::int[]) as busy(origin, slots) on busy.origin = due.origin
         where due.place <= coalesce(busy.slots, $2) order by due.place, due.next_attempt_at limit $1),
       locked as (
         select q.webhook_id, q.tenant_id from webhook_queues q
         where (q.webhook_id, q.tenant_id) in (select webhook_id, tenant_id from chosen) and q.next_attempt_at <= now()
         for update skip locked)
       update webhook_queues q set next_attempt_at = now() + ${LEASE_SECONDS} * interval '1 second'
       from locked l where q.webhook_id = l.webhook_id and q.tenant_id = l.tenant_id
       returning q.webhook_id as "webhookId", q.tenant_id as "tenantId"`,
      bounds,
    ),
  );
}

async function attemptHeads(tx: Queryable, queues: readonly QueueKey[]): Promise<ClaimedDelivery[]> {
  return rowsOf(
    claimedDelivery,
    await tx.query(
      `with heads as (
         select (select d.id from webhook_deliveries d
           where d.webhook_id = q.webhook_id and d.tenant_id = q.tenant_id and d.state = 'pending'
           order by d.event_id limit 1) as id
         from unnest($1::uuid[], $2::uuid[]) as q(webhook_id, tenant_id))
       update webhook_deliveries d set attempted_at = now()
       from heads h, webhooks w, tenants t, events e left join operations o on o.id = e.operation_id
       where d.id = h.id and w.id = d.webhook_id and t.id = d.tenant_id and e.id = d.event_id
       returning d.id, d.webhook_id as "webhookId", w.url, w.origin, d.attempts, d.type, d.event_id as "eventId", e.at, e.data,
         d.tenant_id as "tenantId", t.slug, t.product, e.operation_id as "operationId", o.type as "operationType"`,
      [queues.map((q) => q.webhookId), queues.map((q) => q.tenantId)],
    ),
  );
}

/** What an attempt came to. */
export interface AttemptRecord {
  readonly httpStatus: number | null;
  /** Undefined: it was delivered. */
  readonly error?: string | undefined;
  /** Its receiver is gone for good: nothing is sent there any more. */
  readonly isGone?: boolean | undefined;
  /** The pause that its receiver asks for, within bounds, in s. */
  readonly pauseSeconds?: number | undefined;
  readonly caller: Caller;
}

/** A delivery that was given up, and of which nobody was told since the last one that went well. */
export interface GivenUp {
  readonly webhookId: string;
  readonly deliveryId: string;
  readonly tenantId: string;
  readonly attempts: number;
  readonly error: string;
}

/** What is told of at once, as an attempt is noted. */
export interface Announcements {
  readonly givenUp: (given: GivenUp) => void;
  readonly disabled: (webhookId: string, reason: string) => void;
}

/**
 * Notes what an attempt came to. One that failed is made again by the schedule, or is given up after its last. A second note does
 * nothing.
 * @param announce called just before it takes effect: a death in between means that it is told again, not never
 */
export function recordAttempt(
  db: Database,
  delivery: Pick<ClaimedDelivery, 'id' | 'webhookId' | 'tenantId'>,
  outcome: AttemptRecord,
  announce: Announcements,
): Promise<void> {
  return db.transaction(async (tx) => {
    // Webhook, queue, delivery: the order in which an event's trigger locks them.
    if (!(await lockWebhook(tx, delivery.webhookId))) return;
    await tx.query('select 1 from webhook_queues where webhook_id = $1 and tenant_id = $2 for update', [
      delivery.webhookId,
      delivery.tenantId,
    ]);
    if (outcome.error === undefined) await recordDelivered(tx, delivery, outcome);
    else await recordFailed(tx, delivery, { ...outcome, error: outcome.error }, announce);
  });
}

async function recordDelivered(tx: Queryable, delivery: DeliveryKey, { httpStatus }: AttemptRecord): Promise<void> {
  await tx.query(
    `update webhook_deliveries set state = 'delivered', attempts = attempts + 1, ended_at = now(), http_status = $2, error = null
     where id = $1 and state = 'pending'`,
    [delivery.id, httpStatus],
  );
  await tx.query('update webhooks set failures = 0, delivered_at = now(), dead_told_at = null where id = $1', [
    delivery.webhookId,
  ]);
  await advance(tx, delivery);
}

type DeliveryKey = Pick<ClaimedDelivery, 'id' | 'webhookId' | 'tenantId'>;
const failedRow = z.object({ attempts: z.int(), isOld: z.boolean() });

async function recordFailed(
  tx: Queryable,
  delivery: DeliveryKey,
  outcome: AttemptRecord & { readonly error: string },
  announce: Announcements,
): Promise<void> {
  const { webhookId, tenantId } = delivery;
  const { error, httpStatus, pauseSeconds } = outcome;
  const row = rowOf(
    failedRow,
    await tx.query(
      `update webhook_deliveries set attempts = attempts + 1, http_status = $2, error = $3 where id = $1 and state = 'pending'
       returning attempts, since <= now() - $4 * interval '1 second' as "isOld"`,
      [delivery.id, httpStatus, error, RETRY_FOR_SECONDS],
    ),
  );
  if (!row) return;
  await tx.query(
    `update webhooks set failures = failures + 1,
       resume_at = case when $2::int is null then resume_at else now() + $2 * interval '1 second' end where id = $1`,
    [webhookId, pauseSeconds],
  );
  if (outcome.isGone === true) await disableAsGone(tx, webhookId, outcome, announce);
  const wait = row.isOld ? undefined : retryWaitSeconds(row.attempts, pauseSeconds);
  if (wait !== undefined) {
    // Up to a tenth later: what failed together is not tried together.
    await setNextAttempt(tx, delivery, `now() + ${wait * (1 + Math.random() / 10)} * interval '1 second'`);
    return;
  }
  await tx.query(`update webhook_deliveries set state = 'dead', ended_at = now() where id = $1`, [delivery.id]);
  await advance(tx, delivery);
  const { rowCount } = await tx.query(
    'update webhooks set dead_told_at = now() where id = $1 and dead_told_at is null',
    [webhookId],
  );
  if (rowCount === 1) announce.givenUp({ webhookId, deliveryId: delivery.id, tenantId, attempts: row.attempts, error });
}

async function disableAsGone(
  tx: Queryable,
  webhookId: string,
  { error, caller }: AttemptRecord,
  announce: Announcements,
): Promise<void> {
  const reason = `its receiver ${error ?? 'is gone'}`;
  if (!(await disableWebhook(tx, webhookId, reason))) return;
  await recordWebhookChange(tx, { webhookId, what: 'disabled', caller, data: { reason } });
  await insertAuditEntry(tx, { action: 'disableWebhook', outcome: 'done', caller, data: { webhookId, reason } });
  announce.disabled(webhookId, reason);
}

/** The next one of the queue, which is locked, is due at once. A statement of its own: it sees what came before the lock. */
async function advance(tx: Queryable, queue: QueueKey): Promise<void> {
  await setNextAttempt(
    tx,
    queue,
    `case when exists (select from webhook_deliveries
       where webhook_id = $1 and tenant_id = $2 and state = 'pending') then now() else 'infinity'::timestamptz end`,
  );
}

async function setNextAttempt(tx: Queryable, { webhookId, tenantId }: QueueKey, sql: string): Promise<void> {
  await tx.query(`update webhook_queues set next_attempt_at = ${sql} where webhook_id = $1 and tenant_id = $2`, [
    webhookId,
    tenantId,
  ]);
}
