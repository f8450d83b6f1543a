import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { healthStatuses, type HealthStatus } from '../contracts/health.ts';
import { madeTrue } from './applied.ts';
import { uuid } from './columns.ts';
import type { Database, Queryable } from './database.ts';
import { appendEvent } from './events.ts';
import { isIsolatedSql } from './isolations.ts';
import { rowOf, rowsOf } from './rows.ts';
import { disturbedSinceSql, statusInServiceSql } from './waiting-sql.ts';

const status = z.enum(healthStatuses);

/** Whatever waits for the end of a grace period is in service until then, and what is changed is so throughout. */
const isInService = `t.status in ('active', 'updating', 'migrating', 'deleting') and ${statusInServiceSql('t')} in ('active', 'updating', 'migrating')`;

/** Tenants that are looked at: in service, nothing is being done to them, and no notice answers for them. */
const isWatched = `${isInService} and ${disturbedSinceSql('t.id')} is null and not ${isIsolatedSql('t.id')}`;

const dueRow = z.object({
  tenantId: uuid,
  slug: z.string(),
  product: z.string(),
  /** Its last successful operation, whose blueprint is the applied one. */
  operationId: uuid,
  /** Of earlier rounds; null: none. */
  streak: z.object({ status: status.nullable(), result: status, results: z.int() }).nullable(),
});
/** A tenant that a round is to look at. */
export type DueTenant = z.output<typeof dueRow>;

/** Tenants that a round has not looked at yet, the longest not looked at first. */
export async function listDueForHealth(db: Queryable, cell: string, round: Date): Promise<DueTenant[]> {
  return rowsOf(
    dueRow,
    await db.query(
      `select t.id as "tenantId", t.slug, t.product, applied.id as "operationId",
         case when h.tenant_id is null then null
           else jsonb_build_object('status', h.status, 'result', h.result, 'results', h.results) end as streak
       from tenants t
       cross join lateral (select o.id from operations o where o.tenant_id = t.id and ${madeTrue('o')}
         order by o.closed_at desc, o.accepted_at desc limit 1) applied
       left join tenant_health h on h.tenant_id = t.id
       where t.cell = $1 and ${isWatched} and (h.round is null or h.round < $2)
       order by h.looked_at nulls first, t.id`,
      [cell, round],
    ),
  );
}

/** Forgets the health of tenants that are out of service: a later round begins anew. */
export async function forgetHealth(db: Queryable, cell: string): Promise<void> {
  await db.query(
    `delete from tenant_health h using tenants t
     where t.id = h.tenant_id and h.cell = $1 and t.status in ('suspended', 'failed', 'deleted')`,
    [cell],
  );
}

const appliedRow = z.object({
  operationId: uuid,
  /** Unknown: one that cannot be read is that tenant's fault only. */
  blueprint: z.unknown(),
  steps: z.array(z.object({ stepId: z.string(), outputs: z.record(z.string(), z.unknown()).nullable() })),
});
/** What a tenant consists of, with what its steps gave. */
export type AppliedSteps = z.output<typeof appliedRow>;

/** Of each of these successful operations the blueprint, and the outputs of its tenant's steps. */
export async function listAppliedSteps(db: Queryable, operationIds: readonly string[]): Promise<AppliedSteps[]> {
  return rowsOf(
    appliedRow,
    await db.query(
      `select o.id as "operationId", o.blueprint, coalesce((
         select jsonb_agg(jsonb_build_object('stepId', s.step_id, 'outputs', s.outputs))
         from steps s where s.tenant_id = o.tenant_id and s.state = 'ready'), '[]') as steps
       from operations o where o.id = any ($1::uuid[])`,
      [[...operationIds]],
    ),
  );
}

/** What a round saw of a tenant. */
export interface Look {
  readonly tenantId: string;
  readonly slug: string;
  readonly result: HealthStatus;
  readonly results: number;
}

/** Records looks that change no verdict, in one statement. A round counts once for a tenant, and not for one that is at work by now. */
export async function recordLooks(db: Queryable, round: Date, looks: readonly Look[]): Promise<void> {
  if (looks.length === 0) return;
  await db.query(
    `insert into tenant_health as h (tenant_id, cell, result, results, round, looked_at)
     select t.id, t.cell, l.result, l.results, $4, now()
     from unnest($1::uuid[], $2::text[], $3::int[]) l (id, result, results) join tenants t on t.id = l.id
     where ${isWatched}
     on conflict (tenant_id) do update set result = excluded.result, results = excluded.results, round = excluded.round,
       looked_at = excluded.looked_at
     where h.round < excluded.round`,
    [looks.map((l) => l.tenantId), looks.map((l) => l.result), looks.map((l) => l.results), round],
  );
}

/** A look by which a tenant's health becomes another one. */
export interface HealthChange extends Look {
  /** Null: the first verdict. */
  readonly from: HealthStatus | null;
  readonly to: HealthStatus;
  /** Null: healthy. */
  readonly reason: string | null;
}

/**
 * Records it with its event, unless another attempt at the round has, or an operation was accepted meanwhile.
 * @param beforeCommit called with everything written: what it tells is told twice at worst, never not at all
 * @returns whether it was recorded
 */
export function recordHealthChange(
  db: Database,
  round: Date,
  change: HealthChange,
  caller: Caller,
  beforeCommit: () => void,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const cell = await lockWatched(tx, change.tenantId);
    if (cell === undefined || !(await writeChange(tx, round, cell, change))) return false;
    const { tenantId, from, to, reason } = change;
    await appendEvent(tx, { cell, tenantId, type: 'tenant.health', data: { from, to, reason }, caller });
    beforeCommit();
    return true;
  });
}

/** Changes of a tenant are accepted under the same lock. */
async function lockWatched(tx: Queryable, tenantId: string): Promise<string | undefined> {
  await tx.query('select from tenants where id = $1 for no key update', [tenantId]);
  const answer = await tx.query(`select t.cell from tenants t where t.id = $1 and ${isWatched}`, [tenantId]);
  return rowOf(z.object({ cell: z.string() }), answer)?.cell;
}

async function writeChange(tx: Queryable, round: Date, cell: string, change: HealthChange): Promise<boolean> {
  const { tenantId, to, reason, result, results } = change;
  const { rowCount } = await tx.query(
    `insert into tenant_health as h (tenant_id, cell, status, since, reason, result, results, round, looked_at)
     values ($1, $2, $3, now(), $4, $5, $6, $7, now())
     on conflict (tenant_id) do update set status = excluded.status, since = excluded.since, reason = excluded.reason,
       result = excluded.result, results = excluded.results, round = excluded.round, looked_at = excluded.looked_at
     where h.round < excluded.round`,
    [tenantId, cell, to, reason, result, results, round],
  );
  return rowCount > 0;
}

const figures = z.object({ status, count: z.int() });
const ages = z.object({ cell: z.string(), ageMs: z.coerce.number() });

export interface HealthFigures {
  /** Tenants in service by health; those without a verdict are left out. */
  readonly tenants: Readonly<Partial<Record<HealthStatus, number>>>;
  /** By cell: how long ago the tenant was looked at that is to be looked at next, in ms. */
  readonly oldestLooks: readonly { readonly cell: string; readonly ageMs: number }[];
}

/** Tenants by health, and the age of the oldest look of each of these cells. */
export async function measureHealth(db: Queryable, cells: readonly string[]): Promise<HealthFigures> {
  const counted = rowsOf(
    figures,
    await db.query(
      `select h.status, count(*)::int as count from tenant_health h join tenants t on t.id = h.tenant_id
       where ${isInService} and h.status is not null group by h.status`,
    ),
  );
  const measured = rowsOf(
    ages,
    await db.query(
      // One that was never looked at counts from when it came into service; a tenant without an address has nothing to ask.
      `select t.cell, greatest(0, extract(epoch from clock_timestamp() - min(coalesce(h.looked_at, t.updated_at))) * 1000) as "ageMs"
       from tenants t left join tenant_health h on h.tenant_id = t.id
       where t.cell = any ($1) and ${isWatched} and (h.tenant_id is not null or t.host_name is not null) group by t.cell`,
      [[...cells]],
    ),
  );
  return {
    tenants: Object.fromEntries(counted.map((row) => [row.status, row.count])),
    oldestLooks: cells.map((cell) => measured.find((row) => row.cell === cell) ?? { cell, ageMs: 0 }),
  };
}
