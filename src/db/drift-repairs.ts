import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { openOperationStates } from '../contracts/operation-state.ts';
import { operationTable, operationTypes } from '../contracts/operation-table.ts';
import { caller as callerColumn, callerJson, optionalTime, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { isFrozenBy } from './freezes.ts';
import { rowOf, rowsOf } from './rows.ts';
import { waitsSql } from './waiting-sql.ts';

const breaker = z.object({
  cell: z.string(),
  stoppedAt: optionalTime,
  reason: z.string().nullable(),
  resumedAt: optionalTime,
  resumedBy: callerColumn.nullable(),
});
/** Whether automatic repair of a cell was stopped. */
export type DriftBreaker = z.output<typeof breaker>;

/** Of cells in which it was ever stopped. */
export async function listDriftBreakers(db: Queryable): Promise<DriftBreaker[]> {
  const answer = await db.query(
    `select cell, stopped_at as "stoppedAt", reason, resumed_at as "resumedAt", resumed_by as "resumedBy"
     from drift_breakers order by cell`,
  );
  return rowsOf(breaker, answer);
}

/** @returns false when it was stopped already */
export async function stopDriftRepairs(db: Queryable, cell: string, reason: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into drift_breakers as b (cell, stopped_at, reason) values ($1, now(), $2)
     on conflict (cell) do update set stopped_at = now(), reason = excluded.reason where b.stopped_at is null`,
    [cell, reason],
  );
  return rowCount > 0;
}

/** Drift and failures from before count no more. @returns false when it was not stopped */
export async function resumeDriftRepairs(db: Queryable, cell: string, by: Caller): Promise<boolean> {
  const { rowCount } = await db.query(
    `update drift_breakers set stopped_at = null, resumed_at = now(), resumed_by = $2
     where cell = $1 and stopped_at is not null`,
    [cell, callerJson(by)],
  );
  return rowCount > 0;
}

const facts = z.object({
  looked: z.int(),
  drifting: z.int(),
  failed: z.int(),
  openRepairs: z.int(),
  openAsked: z.int(),
});

/** Types whose operations bring back what was applied. */
const repairs = operationTypes.filter((type) => operationTable[type].target === 'applied');

/** That the last look `l` saw the finding `f`: one of a step that it could not see is kept from an earlier look. */
const seenByLastLook = 'f.tenant_id = l.tenant_id and f.last_seen_at >= l.looked_at';

/** Whether a finding came after automatic repair was allowed to go on ($4). */
const isRecent = (column: string) => `($4::timestamptz is null or ${column} > $4)`;

/**
 * How a cell stands since `since`. A tenant counts as its last look saw it, also once a repair has begun: else the drift of a whole cell,
 * found a few tenants at a time, would never be much at once. One that nobody could see does not count at all. What a repair does not
 * bring back is no reason to stop. An automatic repair is one that a process began.
 */
export async function countForRepairs(
  db: Queryable,
  { cell, since, windowMs }: { readonly cell: string; readonly since: Date | null; readonly windowMs: number },
): Promise<z.output<typeof facts>> {
  const answer = await db.query(
    `with automatic as (
       select o.*, o.state = any ($3) as is_open from operations o
       where o.cell = $1 and o.type = any ($2) and o.caller ->> 'role' = 'system'),
     seen as (
       select l.unseen, (select min(f.first_seen_at) from drift_findings f where ${seenByLastLook}) as found_at,
         exists (select from drift_findings f where ${seenByLastLook} and f.remedy = 'repair' and ${isRecent('f.first_seen_at')})
           as is_drifting
       from drift_looks l where l.cell = $1)
     select
       (select count(*)::int from seen where unseen = '[]' or found_at is not null) as looked,
       (select count(*)::int from seen where is_drifting) as drifting,
       (select count(*)::int from automatic a
        where a.accepted_at > now() - make_interval(secs => $5) and ${isRecent('a.accepted_at')}
          and (${hasFailed} or ${cameBack})) as failed,
       (select count(*)::int from automatic where is_open) as "openRepairs",
       (select count(*)::int from operations o where o.cell = $1 and ${isAtWork}
         and not exists (select from automatic a where a.id = o.id)) as "openAsked"`,
    [cell, repairs, [...openOperationStates], since, windowMs / 1_000],
  );
  const row = rowOf(facts, answer);
  if (!row) throw new Error('a count answered no row');
  return row;
}

/** One that could not be started says nothing of what it would have done. */
const hasFailed = `(a.state = 'stuck' or not a.is_open and a.state not in ('succeeded', 'withdrawn'))`;

const cameBack = `(a.state = 'succeeded' and exists (
  select from drift_findings f where f.tenant_id = a.tenant_id and f.remedy = 'repair' and f.last_seen_at > a.closed_at))`;

/** A stuck operation and one in its grace period may wait for days, and change nothing meanwhile. */
const isAtWork = `o.state = any ($3) and o.state <> 'stuck'
  and not (${waitsSql('o')} and o.grace_until > now())`;

const candidate = z.object({ tenantId: uuid, product: z.string(), since: time });

/**
 * Active tenants of a cell that a repair may be begun of, oldest drift first: the last look saw every step and something that a repair
 * brings back, and nothing for a person; no operation came after it, and no freeze is in force.
 */
export async function listRepairCandidates(
  db: Queryable,
  cell: string,
  products: readonly string[],
): Promise<z.output<typeof candidate>[]> {
  const answer = await db.query(
    `select l.tenant_id as "tenantId", t.product, min(f.first_seen_at) as since
     from drift_looks l join tenants t on t.id = l.tenant_id
       join drift_findings f on ${seenByLastLook} and f.remedy = 'repair'
     where l.cell = $1 and t.status = 'active' and t.product = any ($2) and l.unseen = '[]'
       and not exists (select from drift_findings h where h.tenant_id = l.tenant_id and h.remedy = 'hand' and h.source = 'look')
       and not exists (select from operations o where o.tenant_id = l.tenant_id and (o.state = any ($3) or o.accepted_at > l.looked_at))
       and not exists (select from freezes z where ${isFrozenBy('z', 't.product', '$1')})
     group by l.tenant_id, t.product order by since, l.tenant_id limit 20`,
    [cell, [...products], [...openOperationStates]],
  );
  return rowsOf(candidate, answer);
}
