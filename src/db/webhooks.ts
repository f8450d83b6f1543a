import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { webhookEventTypes, type WebhookEventType } from '../contracts/webhooks.ts';
import type { AuditFacts } from './audit-entries.ts';
import { caller, callerJson, json, optionalTime, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { shownTime } from './page-cursor.ts';
import { rowOf, rowsOf } from './rows.ts';

const webhookRow = z.object({
  id: uuid,
  url: z.string(),
  description: z.string().nullable(),
  /** Null: of any product, or a tenant's. */
  product: z.string().nullable(),
  /** Null: of any tenant. */
  tenantId: uuid.nullable(),
  /** Null: all that webhooks tell of. */
  eventTypes: z.array(z.enum(webhookEventTypes)).nullable(),
  createdAt: time,
  createdBy: caller,
  /** Null: it is told. */
  disabledAt: optionalTime,
  disabledReason: z.string().nullable(),
  /** Failed attempts since the last one that was answered well. */
  failures: z.int(),
  deliveredAt: optionalTime,
  /** When the earliest delivery came that waits; null: none does. */
  pendingSince: optionalTime,
  pending: z.int(),
  dead: z.int(),
});
/** Where events are told of. */
export type WebhookRow = z.output<typeof webhookRow>;

const columns = `w.id, w.url, w.description, w.product, w.tenant_id as "tenantId", w.event_types as "eventTypes",
  w.created_at as "createdAt", w.created_by as "createdBy", w.disabled_at as "disabledAt", w.disabled_reason as "disabledReason",
  w.failures, w.delivered_at as "deliveredAt",
  (select min(queued_at) from webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending') as "pendingSince",
  (select count(*)::int from webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending') as pending,
  (select count(*)::int from webhook_deliveries d where d.webhook_id = w.id and d.state = 'dead') as dead`;

export interface NewWebhook extends Pick<WebhookRow, 'id' | 'url' | 'description' | 'product' | 'tenantId'> {
  /** Scheme, host and port of the URL. */
  readonly origin: string;
  readonly eventTypes: readonly WebhookEventType[] | null;
  readonly caller: Caller;
}

/** Makes a webhook: it is told of what is committed after it. */
export async function insertWebhook(tx: Queryable, made: NewWebhook): Promise<void> {
  const { id, url, origin, description, product, tenantId, eventTypes } = made;
  await tx.query(
    `insert into webhooks (id, url, origin, description, product, tenant_id, event_types, created_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, url, origin, description, product, tenantId, eventTypes, callerJson(made.caller)],
  );
  const data = { url, description, product, tenantId, eventTypes };
  await recordWebhookChange(tx, { webhookId: id, what: 'created', caller: made.caller, data });
}

export interface WebhookChange {
  readonly webhookId: string;
  readonly what: 'created' | 'changed' | 'rotated' | 'disabled' | 'deleted' | 'replayed';
  readonly caller: Caller;
  /** No secret. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Notes who did what to a webhook; to be called in the transaction of the change. */
export async function recordWebhookChange(
  tx: Queryable,
  { webhookId, what, caller: by, data }: WebhookChange,
): Promise<void> {
  await tx.query('insert into webhook_changes (webhook_id, what, caller, data) values ($1, $2, $3, $4)', [
    webhookId,
    what,
    callerJson(by),
    json(data),
  ]);
}

const lastChange = z.object({
  webhookId: uuid,
  tenantId: uuid.nullable(),
  data: z.record(z.string(), z.unknown()),
});
const fields = z.record(z.string(), z.unknown()).optional();

/** What a request has just done to a webhook, for the audit; undefined: nothing. To be called in its transaction. */
export async function findLastChange(tx: Queryable, requestId: string): Promise<AuditFacts | undefined> {
  const row = rowOf(
    lastChange,
    await tx.query(
      `select c.webhook_id as "webhookId", w.tenant_id as "tenantId", c.data
       from webhook_changes c join webhooks w on w.id = c.webhook_id
       where c.caller ->> 'requestId' = $1 order by c.id desc limit 1`,
      [requestId],
    ),
  );
  if (!row) return undefined;
  const { webhookId, tenantId } = row;
  const { before, after, ...data } = row.data;
  return { tenantId, before: fields.parse(before), after: fields.parse(after), data: { webhookId, ...data } };
}

/** Undefined: there is none of that id (any more). */
export async function findWebhook(db: Queryable, id: string): Promise<WebhookRow | undefined> {
  const answer = await db.query(`select ${columns} from webhooks w where w.id = $1 and w.deleted_at is null`, [id]);
  return rowOf(webhookRow, answer);
}

/** Keeps others from changing the webhook until the transaction ends; false: there is none (any more). */
export async function lockWebhook(tx: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from webhooks where id = $1 and deleted_at is null for no key update', [
    id,
  ]);
  return rowCount === 1;
}

/** How many there are of a tenant, of a product, or of all tenants. Others that are made meanwhile wait for the transaction's end. */
export async function countWebhooksOf(
  tx: Queryable,
  { product, tenantId }: Pick<WebhookRow, 'product' | 'tenantId'>,
): Promise<number> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('tenantry webhooks', 0))`);
  const answer = await tx.query(
    `select count(*)::int as count from webhooks
     where deleted_at is null and product is not distinct from $1 and tenant_id is not distinct from $2`,
    [product, tenantId],
  );
  return z.object({ count: z.int() }).parse(answer.rows[0]).count;
}

/** Webhooks of whomever; of single tenants, whichever these are; or of these tenants. */
export type WebhookReach = 'all' | 'tenants' | readonly string[];

export interface WebhookFilter {
  readonly product?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly reach: WebhookReach;
  readonly limit: number;
  /** When the last one of the page before was made, as its `position` says, and its id. */
  readonly after?: readonly [string, string] | undefined;
}

const listedRow = webhookRow.extend({ position: z.string() });

/** Oldest first. */
export async function listWebhooks(db: Queryable, filter: WebhookFilter): Promise<z.output<typeof listedRow>[]> {
  return rowsOf(
    listedRow,
    await db.query(
      `select ${columns}, ${shownTime('w.created_at')} as position from webhooks w
       where w.deleted_at is null and ($1::text is null or w.product = $1) and ($2::uuid is null or w.tenant_id = $2)
         and ($3::boolean or w.tenant_id is not null) and ($4::uuid[] is null or w.tenant_id = any ($4))
         and ($5::timestamptz is null or (w.created_at, w.id) > ($5, $6::uuid))
       order by w.created_at, w.id limit $7`,
      [
        filter.product ?? null,
        filter.tenantId ?? null,
        filter.reach === 'all',
        typeof filter.reach === 'string' ? null : [...filter.reach],
        filter.after?.[0] ?? null,
        filter.after?.[1] ?? null,
        filter.limit,
      ],
    ),
  );
}

export interface WebhookFields {
  readonly url?: string | undefined;
  /** With the URL. */
  readonly origin?: string | undefined;
  /** Null: none. */
  readonly description?: string | null | undefined;
  /** Null: all. */
  readonly eventTypes?: readonly WebhookEventType[] | null | undefined;
}

/** What is left out stays as it is. What waits is told according to the types of its time. */
export async function updateWebhook(tx: Queryable, id: string, fields: WebhookFields): Promise<void> {
  const { url, origin, description, eventTypes } = fields;
  await tx.query(
    `update webhooks set url = coalesce($2, url), origin = coalesce($3, origin),
       description = case when $4::boolean then $5 else description end,
       event_types = case when $6::boolean then $7::text[] else event_types end
     where id = $1`,
    [id, url, origin, description !== undefined, description, eventTypes !== undefined, eventTypes],
  );
}

/** Nothing is told any more; what comes waits until it is enabled. False: it was disabled already. */
export async function disableWebhook(tx: Queryable, id: string, reason: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    'update webhooks set disabled_at = now(), disabled_reason = $2 where id = $1 and disabled_at is null',
    [id, reason],
  );
  return rowCount === 1;
}

/** What waits is due at once, each delivery as if it had just come. */
export async function restartWebhook(tx: Queryable, id: string): Promise<void> {
  await tx.query(
    `update webhooks set disabled_at = null, disabled_reason = null, resume_at = '-infinity', failures = 0,
       behind_told_at = null where id = $1`,
    [id],
  );
  await tx.query(
    `update webhook_queues set next_attempt_at = now() where webhook_id = $1 and next_attempt_at <> 'infinity'`,
    [id],
  );
  await tx.query(
    `update webhook_deliveries set attempts = 0, since = now() where webhook_id = $1 and state = 'pending'`,
    [id],
  );
}

/** Nothing comes for it any more; what waits is dropped, and its secrets are erased. */
export async function markWebhookDeleted(tx: Queryable, id: string): Promise<void> {
  await tx.query('update webhooks set deleted_at = now() where id = $1', [id]);
  await tx.query('delete from webhook_secrets where webhook_id = $1', [id]);
}
