import { z } from 'zod';
import { eventTypes } from '../contracts/events.ts';
import { bigint, time, uuid } from './columns.ts';
import type { Database, Queryable } from './database.ts';
import { listNotRemoved, type LedgerRow } from './ledger.ts';
import { listNewestOperationsOf, type OperationRow } from './operations.ts';
import { rowOf, rowsOf } from './rows.ts';
import { listSteps, type StepRow } from './steps.ts';
import { findTenant, type TenantRow } from './tenants.ts';

const pendingTenant = z.object({ tenantId: uuid, projectedEventId: bigint });
/** A tenant with events that are not projected yet. */
export type PendingTenant = z.output<typeof pendingTenant>;

/** Tenants of a cell whose events wait to be projected, those that wait longest first; without those that failed a moment ago. */
export async function listPendingTenants(db: Queryable, cell: string, limit: number): Promise<PendingTenant[]> {
  return rowsOf(
    pendingTenant,
    await db.query(
      `select tenant_id as "tenantId", projected_event_id as "projectedEventId" from tenant_projections
       where cell = $1 and pending_since is not null and next_attempt_at <= now()
       order by pending_since limit $2`,
      [cell, limit],
    ),
  );
}

/** A tenant as it is at one moment; its version is its newest event. */
export interface TenantState {
  readonly version: number;
  readonly tenant: TenantRow;
  readonly operation: OperationRow | undefined;
  readonly steps: readonly StepRow[];
  /** What is not removed of it. */
  readonly resources: readonly LedgerRow[];
}

/** Undefined: no such tenant, or nothing was ever told of it. */
export function readTenantState(db: Pick<Database, 'snapshot'>, tenantId: string): Promise<TenantState | undefined> {
  return db.snapshot(async (at) => {
    const tenant = await findTenant(at, tenantId);
    const version = await findNewestEventOf(at, tenantId);
    if (!tenant || version === undefined) return undefined;
    const [operation] = await listNewestOperationsOf(at, [tenantId]);
    const steps = await listSteps(at, tenantId);
    return { version, tenant, operation, steps, resources: await listNotRemoved(at, tenantId) };
  });
}

/** Id of a tenant's newest event; undefined: it has none. */
export async function findNewestEventOf(db: Queryable, tenantId: string): Promise<number | undefined> {
  const answer = await db.query('select id from events where tenant_id = $1 order by id desc limit 1', [tenantId]);
  return rowOf(z.object({ id: bigint }), answer)?.id;
}

const projectedEvent = z.object({
  id: bigint,
  /** ISO 8601, UTC, to the microsecond. */
  at: z.string(),
  tenantId: uuid,
  operationId: uuid.nullable(),
  type: z.enum(eventTypes),
  stepId: z.string().nullable(),
  data: z.record(z.string(), z.unknown()),
});
export type ProjectedEvent = z.output<typeof projectedEvent>;

/** Events of a tenant after an id up to another, oldest first. */
export async function listEventsBetween(
  db: Queryable,
  { tenantId, after, upTo, limit }: { tenantId: string; after: number; upTo: number; limit: number },
): Promise<ProjectedEvent[]> {
  return rowsOf(
    projectedEvent,
    await db.query(
      `select id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, tenant_id as "tenantId",
         operation_id as "operationId", type, step_id as "stepId", data
       from events where tenant_id = $1 and id > $2 and id <= $3 order by id limit $4`,
      [tenantId, after, upTo, limit],
    ),
  );
}

/** Notes that a tenant's events are projected up to this one. The cursor never goes back. */
export async function recordProjected(db: Queryable, tenantId: string, eventId: number): Promise<void> {
  await db.query(
    `update tenant_projections set
       projected_event_id = greatest(projected_event_id, $2),
       pending_since = case when newest_event_id > greatest(projected_event_id, $2) then coalesce(
         (select at from events where tenant_id = $1 and id > $2 order by id limit 1), now()) end,
       attempts = 0, next_attempt_at = '-infinity', last_error = null
     where tenant_id = $1`,
    [tenantId, eventId],
  );
}

const firstWaitSeconds = 5;
const longestWaitSeconds = 3_600;

/**
 * Notes why a tenant was not projected. @param keepBack leave it out for a while, longer each time, so that it does not keep
 * the others back; without it the next round tries it again
 */
export async function recordProjectionFailure(
  db: Queryable,
  { tenantId, reason, keepBack }: { tenantId: string; reason: string; keepBack: boolean },
): Promise<void> {
  await db.query(
    `update tenant_projections set last_error = $2, attempts = attempts + 1,
       next_attempt_at = case when $3::boolean
         then now() + least($4 * power(2, least(attempts, 20)), $5) * interval '1 second' else next_attempt_at end
     where tenant_id = $1`,
    [tenantId, reason, keepBack, firstWaitSeconds, longestWaitSeconds],
  );
}

/** Which of these tenants exist. */
export async function listExistingTenants(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const answer = await db.query('select id from tenants where id = any ($1::uuid[])', [[...ids]]);
  return rowsOf(z.object({ id: uuid }), answer).map((row) => row.id);
}

/** Tenants of a cell by id, a page after the one given. */
export async function listTenantIds(db: Queryable, cell: string, after: string, limit: number): Promise<string[]> {
  const answer = await db.query('select id from tenants where cell = $1 and id > $2::uuid order by id limit $3', [
    cell,
    after,
    limit,
  ]);
  return rowsOf(z.object({ id: uuid }), answer).map((row) => row.id);
}

const lagRow = z.object({ cell: z.string(), pending: z.int(), lagMs: z.coerce.number() });
/** How far the projection of a cell is behind. */
export interface ProjectionLag {
  readonly cell: string;
  /** Tenants with events that are not projected. */
  readonly pending: number;
  /** Age of the oldest of those events, in ms; 0: none. */
  readonly lagMs: number;
}

/** One for each of these cells. */
export async function measureLag(db: Queryable, cells: readonly string[]): Promise<ProjectionLag[]> {
  const rows = rowsOf(
    lagRow,
    await db.query(
      `select cell, count(*)::int as pending,
         greatest(0, extract(epoch from clock_timestamp() - min(pending_since)) * 1000) as "lagMs"
       from tenant_projections where pending_since is not null and cell = any ($1) group by cell`,
      [[...cells]],
    ),
  );
  return cells.map((cell) => rows.find((row) => row.cell === cell) ?? { cell, pending: 0, lagMs: 0 });
}

const failingRow = z.object({ tenantId: uuid, pendingSince: time, attempts: z.int(), error: z.string() });
/** A tenant whose projection failed at the last attempt. */
export type FailingProjection = z.output<typeof failingRow>;

/** The oldest first. */
export async function listFailingProjections(db: Queryable, cell: string, limit: number): Promise<FailingProjection[]> {
  return rowsOf(
    failingRow,
    await db.query(
      `select tenant_id as "tenantId", pending_since as "pendingSince", attempts, last_error as error
       from tenant_projections where cell = $1 and pending_since is not null and last_error is not null
       order by pending_since limit $2`,
      [cell, limit],
    ),
  );
}
