import { z } from 'zod';
import { statusesInService } from '../contracts/health.ts';
import type { OpenOperationState } from '../contracts/operation-state.ts';
import { DEFAULT_TENANT_SORT, type DriftFilter, type HealthFilter, type TenantSort } from '../contracts/tenant-list.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';
import { uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { cursorAfter, positionIn, shownTime, timePosition, type PagedList } from './page-cursor.ts';
import { reachSql, type TenantReach } from './tenant-reach.ts';
import { tenantColumns, tenantRow, wasNotWithdrawn, type TenantRow } from './tenants.ts';
import { disturbedSinceSql, statusInServiceSql, waitsSql } from './waiting-sql.ts';

export interface TenantFilter {
  readonly product?: string | undefined;
  readonly slug?: string | undefined;
  readonly tier?: string | undefined;
  /** In one of these; none: in no status at all. */
  readonly statuses?: readonly TenantStatus[] | undefined;
  /** Also those of which nothing is left: deleted, or failed and rolled back. Default false. */
  readonly includeGone?: boolean | undefined;
  /** State of the open operation. */
  readonly operation?: OpenOperationState | undefined;
  /** In its slug, display name or e-mail address, letter by letter, in whatever case. */
  readonly text?: string | undefined;
  /** One of these, as `healthView` has it. */
  readonly health?: readonly HealthFilter[] | undefined;
  /** As `driftOf` has it. */
  readonly drift?: DriftFilter | undefined;
}

export interface TenantListRequest extends TenantFilter {
  /** Default: newest first. */
  readonly sort?: TenantSort | undefined;
  /** Only these; undefined: all. */
  readonly reach?: TenantReach | undefined;
  readonly limit: number;
  /** The last page's `nextCursor`. */
  readonly cursor?: string | undefined;
}

export interface TenantPage {
  readonly tenants: TenantRow[];
  /** Undefined on the last page. */
  readonly nextCursor: string | undefined;
}

/** Of which nothing is left. The index `tenants_present` leaves out the same. */
const isGone = `status = 'deleted' or (status = 'failed' and not cleanup_pending)`;

/** A page of tenants, without those whose creation was withdrawn. @throws InvalidCursorError */
export async function listTenants(db: Queryable, request: TenantListRequest): Promise<TenantPage> {
  const { limit, cursor, reach, sort = DEFAULT_TENANT_SORT, ...filter } = request;
  const order = orders[sort];
  const list: PagedList = { of: 'tenants', given: { ...filter, sort } };
  const after = cursor === undefined ? undefined : positionIn(list, cursor, order.position);
  const values: unknown[] = [];
  const conditions = [wasNotWithdrawn, reachSql(reach, values), ...filterSql(filter, values)];
  if (after) conditions.push(afterSql(order, after, values));
  const answer = await db.query(
    `select ${tenantColumns}, ${order.shown} as position from tenants
     where ${conditions.join(' and ')}
     order by ${order.column} ${order.direction}, id ${order.tie} limit $${values.push(limit + 1)}`,
    values,
  );
  const rows = answer.rows.map((row) => listedRow.parse(row));
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const nextCursor = rows.length > limit && last ? cursorAfter(list, [last.position, last.id]) : undefined;
  return { tenants: page.map(({ position: _position, ...tenant }) => tenant), nextCursor };
}

const listedRow = tenantRow.extend({ position: z.string() });

// ---- order ----

interface Order {
  readonly column: string;
  /** As text, with nothing lost. */
  readonly shown: string;
  readonly type: 'timestamptz' | 'text';
  readonly direction: 'asc' | 'desc';
  /** Of the ids of equals. */
  readonly tie: 'asc' | 'desc';
  readonly position: z.ZodType<readonly [string, string]>;
}

const byTimeAndId = z.tuple([timePosition, uuid]);
const byTextAndId = z.tuple([z.string().regex(/^[ -~]{1,100}$/), uuid]);

const byTime = (column: string) =>
  ({ column, shown: shownTime(column), type: 'timestamptz', position: byTimeAndId }) as const;
const bySlug = { column: 'slug', shown: 'slug', type: 'text', position: byTextAndId } as const;

/** Each goes along an index, forwards or backwards. */
const orders: Readonly<Record<TenantSort, Order>> = {
  '-createdAt': { ...byTime('created_at'), direction: 'desc', tie: 'asc' },
  createdAt: { ...byTime('created_at'), direction: 'asc', tie: 'desc' },
  slug: { ...bySlug, direction: 'asc', tie: 'asc' },
  '-slug': { ...bySlug, direction: 'desc', tie: 'desc' },
  updatedAt: { ...byTime('updated_at'), direction: 'asc', tie: 'asc' },
  '-updatedAt': { ...byTime('updated_at'), direction: 'desc', tie: 'desc' },
};

function afterSql(
  { column, type, direction, tie }: Order,
  [value, id]: readonly [string, string],
  values: unknown[],
): string {
  const at = `$${values.push(value)}::${type}`;
  const last = `$${values.push(id)}::uuid`;
  const beyond = (way: Order['tie']) => (way === 'asc' ? '>' : '<');
  if (direction === tie) return `(${column}, id) ${beyond(tie)} (${at}, ${last})`;
  return `${column} ${beyond(direction)}= ${at} and (${column} <> ${at} or id ${beyond(tie)} ${last})`;
}

// ---- filters ----

function filterSql(filter: TenantFilter, values: unknown[]): string[] {
  const { product, slug, tier, statuses, includeGone = false, operation, text, health, drift } = filter;
  const is = (value: unknown) => `$${values.push(value)}`;
  return [
    ...(includeGone ? [] : [`not (${isGone})`]),
    ...(product === undefined ? [] : [`product = ${is(product)}`]),
    ...(slug === undefined ? [] : [`slug = ${is(slug)}`]),
    ...(tier === undefined ? [] : [`tier = ${is(tier)}`]),
    ...(statuses === undefined ? [] : [`status = any(${is(statuses)}::text[])`]),
    ...(operation === undefined
      ? []
      : [`exists (select from operations o where o.tenant_id = tenants.id and o.state = ${is(operation)})`]),
    ...(text === undefined ? [] : [textSql(is(text))]),
    ...(health === undefined ? [] : [healthSql(health, is)]),
    ...(drift === undefined ? [] : [driftSql[drift]]),
  ];
}

/** What follows from the three characters in a row, which are indexed, is looked at letter by letter. */
function textSql(searched: string): string {
  return `id in (select t.tenant_id from tenant_texts t where text_grams(t.text) @> text_grams(searched_text(${searched}))
    and strpos(t.text, searched_text(${searched})) > 0)`;
}

const inService = `(${statusesInService.map((status) => `'${status}'`).join(', ')})`;

/** A verdict on the tenant that counts: as `healthView`, whose times have milliseconds. */
const healthRows = `from tenant_health h where h.tenant_id = tenants.id and h.status is not null
  and ${statusInServiceSql('tenants')} in ${inService}`;
const isDisturbed = `coalesce(date_trunc('milliseconds', ${disturbedSinceSql('h.tenant_id')})
  > date_trunc('milliseconds', h.looked_at), false)`;

function healthSql(asked: readonly HealthFilter[], is: (value: unknown) => string): string {
  const verdicts = asked.filter((one) => one !== 'none');
  // Most are healthy: where those are not asked for, an index has the rest. One that is disturbed is unknown, whatever it was.
  const narrowed = verdicts.includes('healthy') || verdicts.includes('unknown') ? '' : ` and h.status <> 'healthy'`;
  const known = `exists (select ${healthRows}${narrowed}
    and case when ${isDisturbed} then 'unknown' else h.status end = any(${is(verdicts)}::text[]))`;
  return asked.includes('none') ? `(${known} or not exists (select ${healthRows}))` : known;
}

const isOutdated = `exists (select from operations o where o.tenant_id = l.tenant_id and o.accepted_at > l.looked_at
  and not ${waitsSql('o')})`;
const lookedAs = (outcomes: string) =>
  `exists (select from drift_looks l where l.tenant_id = tenants.id and l.outcome in (${outcomes}) and not ${isOutdated})`;

const driftSql: Readonly<Record<DriftFilter, string>> = {
  yes: lookedAs(`'drift'`),
  no: lookedAs(`'none'`),
  unknown: `not ${lookedAs(`'drift', 'none'`)}`,
};
