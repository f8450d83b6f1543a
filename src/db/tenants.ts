import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import type { Failure } from '../contracts/errors.ts';
import type { EventType } from '../contracts/events.ts';
import { healthStatuses } from '../contracts/health.ts';
import { operationTable, operationTypes } from '../contracts/operation-table.ts';
import type { Settings } from '../contracts/settings.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';
import { caller, callerJson, failure, json, optionalTime, tenantStatus, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { appendEvent, type NewEvent } from './events.ts';
import { rowOf } from './rows.ts';
import { settingsColumn } from './settings.ts';
import { disturbedSinceSql, disturbedUntilSql, statusBeforeSql } from './waiting-sql.ts';

export const tenantRow = z.object({
  id: uuid,
  product: z.string(),
  tier: z.string().nullable(),
  /** The tier before its last change of tier; null: it had none. */
  cameFromTier: z.string().nullable(),
  slug: z.string(),
  displayName: z.string(),
  contactEmail: z.string(),
  cell: z.string(),
  /** Null, as its URL is: the product's tenants have no host. */
  hostName: z.string().nullable(),
  tenantUrl: z.string().nullable(),
  /** What is desired: an open operation may be carrying it out. */
  settings: settingsColumn,
  settingsVersion: z.number(),
  /** Which of its credentials its services are to use. */
  credentials: z.number(),
  status: tenantStatus,
  cleanupPending: z.boolean(),
  failure: failure.nullable(),
  createdAt: time,
  updatedAt: time,
  activatedAt: optionalTime,
  deletedAt: optionalTime,
  /** Null: no verdict yet. */
  health: z
    .object({
      status: z.enum(healthStatuses),
      since: z.coerce.date(),
      reason: z.string().nullable(),
      lookedAt: z.coerce.date(),
      /** Of that look, and how many in a row were so. */
      result: z.enum(healthStatuses),
      results: z.int(),
      /** Of a tenant whose deletion waits for the end of its grace period. */
      statusBefore: tenantStatus.nullable(),
      /** Since when an operation is at work on it. */
      disturbedSince: z.coerce.date().nullable(),
      /** Until when the last one was at work that is not any more. */
      disturbedUntil: z.coerce.date().nullable(),
    })
    .nullable(),
  /** Null: none is wanted, and nothing of one is left. */
  isolation: z
    .object({
      wanted: z.boolean(),
      /** What is wanted is so. */
      isSettled: z.boolean(),
      reason: z.string(),
      caller,
      since: z.coerce.date(),
      failure: failure.nullable(),
    })
    .nullable(),
});
export type TenantRow = z.output<typeof tenantRow>;

/** For {@link tenantRow}, of `tenants`. */
export const tenantColumns = `id, product, tier, came_from_tier as "cameFromTier", slug, display_name as "displayName", contact_email as "contactEmail", cell,
  host_name as "hostName", tenant_url as "tenantUrl", settings, settings_version as "settingsVersion", credentials, status, cleanup_pending as "cleanupPending", failure,
  created_at as "createdAt", updated_at as "updatedAt", activated_at as "activatedAt", deleted_at as "deletedAt",
  (select jsonb_build_object('status', h.status, 'since', h.since, 'reason', h.reason, 'lookedAt', h.looked_at,
     'result', h.result, 'results', h.results, 'disturbedUntil', ${disturbedUntilSql('h.tenant_id')},
     'statusBefore', ${statusBeforeSql('h.tenant_id')}, 'disturbedSince', ${disturbedSinceSql('h.tenant_id')})
   from tenant_health h where h.tenant_id = id and h.status is not null) as health,
  (select jsonb_build_object('wanted', i.wanted, 'isSettled', i.settled_generation = i.generation, 'reason', i.reason,
     'caller', i.caller, 'since', i.since, 'failure', i.failure)
   from tenant_isolations i where i.tenant_id = id and (i.wanted or i.settled_generation < i.generation)) as isolation`;

export type NewTenant = Pick<
  TenantRow,
  'id' | 'product' | 'tier' | 'slug' | 'displayName' | 'contactEmail' | 'cell' | 'hostName' | 'tenantUrl'
> & { readonly settings?: Settings | undefined };

/** Inserts a tenant, `pending`, and its event `tenant.accepted`. */
export async function insertTenant(tx: Queryable, tenant: NewTenant, caller: Caller): Promise<TenantRow> {
  const t = tenant;
  const data = { product: t.product, tier: t.tier, slug: t.slug };
  const answer = await tx.query(
    `with accepted as (
       insert into tenants (id, product, tier, slug, display_name, contact_email, cell, host_name, tenant_url, settings, created_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $14) returning *
     ), told as (
       insert into events (cell, tenant_id, type, data, caller) select cell, id, $11::text, $12::jsonb, $13::jsonb from accepted
     )
     select ${tenantColumns} from accepted`,
    [
      t.id,
      t.product,
      t.tier,
      t.slug,
      t.displayName,
      t.contactEmail,
      t.cell,
      t.hostName,
      t.tenantUrl,
      json(t.settings ?? {}),
      'tenant.accepted' satisfies EventType,
      json(data),
      callerJson(caller),
      caller.principal,
    ],
  );
  return tenantRow.parse(answer.rows[0]);
}

export async function findTenant(db: Queryable, id: string): Promise<TenantRow | undefined> {
  return rowOf(tenantRow, await db.query(`select ${tenantColumns} from tenants where id = $1`, [id]));
}

/** The tenant that holds the slug now, or held it last. */
export async function findTenantBySlug(
  db: Queryable,
  key: { product: string; slug: string },
): Promise<TenantRow | undefined> {
  return rowOf(
    tenantRow,
    await db.query(
      `select ${tenantColumns} from tenants where product = $1 and slug = $2
       order by status = 'deleted', created_at desc limit 1`,
      [key.product, key.slug],
    ),
  );
}

/** What may change along with a tenant's status; what is left out stays. */
export interface StatusChange {
  readonly operationId?: string | undefined;
  /** As {@link NewEvent.caller}. */
  readonly caller?: NewEvent['caller'];
  readonly cleanupPending?: boolean | undefined;
  /** Null: forget the last one. */
  readonly failure?: Failure | null | undefined;
}

/**
 * Moves a tenant to a status, with its event `tenant.status`; a tenant that has the status already keeps it without one.
 * Going `active` for the first time sets `activatedAt`, going `deleted` sets `deletedAt`.
 *
 * @throws an error of PostgreSQL (check_violation) when the transition is not in the table.
 */
export async function changeTenantStatus(
  tx: Queryable,
  id: string,
  to: TenantStatus,
  change: StatusChange = {},
): Promise<TenantRow> {
  const before = await lockTenant(tx, id);
  const after = tenantRow.parse(
    (
      await tx.query(
        `update tenants set status = $2,
           cleanup_pending = coalesce($3, cleanup_pending),
           failure = case when $4::boolean then $5::jsonb else failure end,
           activated_at = case when $2 = 'active' then coalesce(activated_at, now()) else activated_at end,
           deleted_at = case when $2 = 'deleted' then coalesce(deleted_at, now()) else deleted_at end
         where id = $1 returning ${tenantColumns}`,
        [id, to, change.cleanupPending ?? null, change.failure !== undefined, json(change.failure)],
      )
    ).rows[0],
  );
  if (before.status !== to) {
    const data = { from: before.status, to };
    await appendEvent(tx, {
      cell: after.cell,
      tenantId: id,
      operationId: change.operationId,
      type: 'tenant.status',
      data,
      caller: change.caller,
    });
  }
  return after;
}

/**
 * Gives a tenant the tier of the blueprint that an operation walks to, with the event `tenant.tier`, in the transaction of its commit.
 * One that is in it already stays as it is: a retry commits anew.
 */
export async function changeTier(
  tx: Queryable,
  { id: operationId, tenantId }: { readonly id: string; readonly tenantId: string },
  caller: NewEvent['caller'],
): Promise<TenantRow> {
  const before = await lockTenant(tx, tenantId);
  const answer = await tx.query(
    `update tenants t set came_from_tier = t.tier, tier = o.blueprint ->> 'tier'
     from operations o where o.id = $2 and t.id = $1 and t.tier is distinct from o.blueprint ->> 'tier' returning t.id`,
    [tenantId, operationId],
  );
  if (answer.rowCount === 0) return before;
  const after = await lockTenant(tx, tenantId);
  const data = { from: before.tier, to: after.tier };
  await appendEvent(tx, { cell: after.cell, tenantId, operationId, type: 'tenant.tier', data, caller });
  return after;
}

/** What people know a tenant by; what is left out stays. */
export interface TenantDetails {
  readonly displayName?: string | undefined;
  readonly contactEmail?: string | undefined;
}

/** Changes details of a tenant, with the event `tenant.details`; nothing happens where they are so already. */
export async function changeDetails(
  tx: Queryable,
  id: string,
  { displayName, contactEmail }: TenantDetails,
  { caller, operationId }: { readonly caller: Caller; readonly operationId?: string | undefined },
): Promise<TenantRow> {
  const before = await lockTenant(tx, id);
  const to = { displayName: displayName ?? before.displayName, contactEmail: contactEmail ?? before.contactEmail };
  const changed = (['displayName', 'contactEmail'] as const).filter((name) => to[name] !== before[name]);
  if (changed.length === 0) return before;
  const answer = await tx.query(
    `update tenants set display_name = $2, contact_email = $3 where id = $1 returning ${tenantColumns}`,
    [id, to.displayName, to.contactEmail],
  );
  const data = Object.fromEntries(changed.map((name) => [name, { from: before[name], to: to[name] }]));
  await appendEvent(tx, { cell: before.cell, tenantId: id, operationId, type: 'tenant.details', data, caller });
  return tenantRow.parse(answer.rows[0]);
}

/** The tenant, locked until the transaction ends. @throws Error when there is none. */
export async function lockTenant(tx: Queryable, id: string): Promise<TenantRow> {
  const row = rowOf(
    tenantRow,
    await tx.query(`select ${tenantColumns} from tenants where id = $1 for no key update`, [id]),
  );
  if (!row) throw new Error(`there is no tenant ${id}`);
  return row;
}

/**
 * Whether a tenant was ever accepted for its callers: the creation of one that was withdrawn was answered as if nothing had
 * happened. Its rows are audit trail, found by id only.
 */
export const wasNotWithdrawn = `(tenants.status <> 'deleted' or not exists (
  select from operations o where o.tenant_id = tenants.id and o.type in (${creatingTypes()}) and o.state = 'withdrawn'))`;

function creatingTypes(): string {
  const types = operationTypes.filter((type) => operationTable[type].createsTenant);
  return types.map((type) => `'${type}'`).join(', ');
}
