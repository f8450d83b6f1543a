import { z } from 'zod';
import type { Failure } from '../contracts/errors.ts';
import type { Residue } from '../contracts/messages.ts';
import { operationTable, operationTypes } from '../contracts/operation-table.ts';
import { failure, json, optionalTime, time } from './columns.ts';
import type { Queryable } from './database.ts';
import { ledgerStates } from './ledger.ts';
import { rowOf, rowsOf } from './rows.ts';
import type { StepKey } from './steps.ts';

/* The changes of a step on its way down; each is one statement, like those in step-making.ts. */

const marked = z.object({ state: z.enum(ledgerStates), removingAt: optionalTime, unclearUntil: optionalTime });

/**
 * Marks a step and its resources as being removed, before the first call: from here on a late `ensure` stops itself.
 * `removingAt` is when the last attempt began: what drains (a record's TTL) drains from the deletion that worked.
 *
 * @returns the step as it is now; undefined when it was never begun. A removed one stays removed.
 */
export async function markRemoving(db: Queryable, key: StepKey): Promise<z.output<typeof marked> | undefined> {
  return rowOf(
    marked,
    await db.query(
      `with before as (
         select * from steps where tenant_id = $1 and step_id = $2 for no key update
       ), step as (
         update steps s set state = 'removing', operation_id = $3, removing_at = now()
         from before b where s.tenant_id = b.tenant_id and s.step_id = b.step_id and b.state <> 'removed'
         returning s.*
       ), rows as (
         update ledger l set state = 'removing', operation_id = $3, updated_at = now() from step s
         where l.tenant_id = s.tenant_id and l.step_id = s.step_id and l.state <> 'removed'
       ), event as (
         insert into events (cell, tenant_id, operation_id, type, step_id)
         select s.cell, s.tenant_id, s.operation_id, 'step.removing', s.step_id from step s cross join before b
         where b.state <> 'removing' or b.operation_id <> s.operation_id
       )
       select coalesce(s.state, b.state) as state, coalesce(s.removing_at, b.removing_at) as "removingAt",
         b.unclear_until as "unclearUntil"
       from before b left join step s on true`,
      [key.tenantId, key.stepId, key.operationId],
    ),
  );
}

const removingAll = operationTypes.filter((type) => operationTable[type].target === 'nothing');

/**
 * A step that an earlier operation removed is being removed again, by one that removes everything. What the step made itself stays
 * `removed` in the ledger: nobody makes that again.
 */
export async function reopenRemoved(db: Queryable, key: Pick<StepKey, 'operationId' | 'stepId'>): Promise<void> {
  await db.query(
    `update steps s set state = 'removing', removing_at = null, removed_at = null, failure = null
     from operations o where o.id = $1 and o.type = any ($3) and o.state = 'committing' and o.tenant_id = s.tenant_id
       and s.step_id = $2 and s.state = 'removed' and s.operation_id <> o.id`,
    [key.operationId, key.stepId, removingAll],
  );
}

/** Until when a deletion that was just let through may land; `unclearBefore` stood there. */
const removalWindow = z.object({ unclearUntil: time, unclearBefore: optionalTime });
export type RemovalWindow = z.output<typeof removalWindow>;

/** Opens the window of a deletion, before it; undefined, and nothing is written, when the step is not being removed by this operation. */
export async function openRemovalWindow(
  db: Queryable,
  key: StepKey,
  latenessMs: number,
): Promise<RemovalWindow | undefined> {
  const answer = await db.query(
    `with before as (
       select * from steps where tenant_id = $1 and step_id = $2 and operation_id = $3 and state = 'removing'
       for no key update
     ), step as (
       update steps s set unclear_until = greatest(s.unclear_until,
         date_trunc('milliseconds', clock_timestamp()) + $4 * interval '1 millisecond')
       from before b where s.tenant_id = b.tenant_id and s.step_id = b.step_id
       returning s.unclear_until
     )
     select s.unclear_until as "unclearUntil", b.unclear_until as "unclearBefore" from step s cross join before b`,
    [key.tenantId, key.stepId, key.operationId, latenessMs],
  );
  return rowOf(removalWindow, answer);
}

/** Takes the window of a deletion back that had a clear answer; one that stood before, or came since, stays. */
export async function settleRemovalWindow(db: Queryable, key: StepKey, window: RemovalWindow): Promise<void> {
  await db.query(
    `update steps set unclear_until = case when $5::timestamptz > now() then $5::timestamptz end
     where tenant_id = $1 and step_id = $2 and operation_id = $3 and unclear_until = $4::timestamptz`,
    [key.tenantId, key.stepId, key.operationId, window.unclearUntil, window.unclearBefore],
  );
}

/**
 * Some of a step's resources are gone, whatever becomes of the others. While a late effect may bring one back they stay as
 * they are.
 */
export async function recordGone(
  db: Queryable,
  key: Pick<StepKey, 'tenantId' | 'stepId'>,
  resources: readonly { readonly type: string; readonly name: string }[],
): Promise<void> {
  await db.query(
    `update ledger l set state = 'removed', failure = null, updated_at = now(), absent_at = ${seenAbsent}
     from steps s, unnest($3::text[], $4::text[]) as r (type, name)
     where l.tenant_id = $1 and l.step_id = $2 and l.type = r.type and l.name = r.name
       and s.tenant_id = l.tenant_id and s.step_id = l.step_id and s.state = 'removing'
       and (s.unclear_until is null or s.unclear_until <= clock_timestamp())`,
    [key.tenantId, key.stepId, resources.map((r) => r.type), resources.map((r) => r.name)],
  );
}

/** Remembers what the next attempt at a removal has to know; null forgets a field. */
export async function noteRemoval(
  db: Queryable,
  key: Pick<StepKey, 'tenantId' | 'stepId'>,
  notes: Readonly<Record<string, string | null>>,
): Promise<void> {
  await db.query(
    `update steps set removal = jsonb_strip_nulls(coalesce(removal, '{}') || $3::jsonb)
     where tenant_id = $1 and step_id = $2 and state = 'removing'`,
    [key.tenantId, key.stepId, json(notes)],
  );
}

/** The moment at which it was seen absent, not a later one at which that was recorded again. */
const seenAbsent = `case when l.state = 'removed' then l.absent_at else clock_timestamp() end`;

/** What is kept for a while, on the step's first resource; on the step itself, with what an earlier removal left, where it has none. */
export async function recordResidues(db: Queryable, key: StepKey, residues: readonly Residue[]): Promise<void> {
  if (residues.length === 0) return;
  await db.query(
    `with first as (
       update ledger set residues = $3, updated_at = now()
       where id = (select min(id) from ledger where tenant_id = $1 and step_id = $2) returning id
     )
     update steps s set residues = $3::jsonb || coalesce((
       select jsonb_agg(was) from jsonb_array_elements(s.residues) was where not exists (
         select from jsonb_array_elements($3::jsonb) now where now ->> 'type' = was ->> 'type' and now ->> 'name' = was ->> 'name')), '[]')
     where tenant_id = $1 and step_id = $2 and not exists (select from first)`,
    [key.tenantId, key.stepId, json(residues)],
  );
}

/**
 * A step was seen gone: it and its resources are `removed`, with the event; but for a step whose last attempt may still
 * have an effect, which stays `removing` until that time has come.
 *
 * @returns the time until which an effect may land, when that lies ahead
 */
export async function recordRemoved(db: Queryable, key: StepKey): Promise<Date | undefined> {
  const answer = await db.query(
    `with step as (
       update steps set state = 'removed', removed_at = now(), unclear_until = null, detail = null
       where tenant_id = $1 and step_id = $2 and state = 'removing'
         and (unclear_until is null or unclear_until <= clock_timestamp())
       returning *
     ), rows as (
       update ledger l set state = 'removed', failure = null, updated_at = now(), absent_at = ${seenAbsent} from step s
       where l.tenant_id = s.tenant_id and l.step_id = s.step_id
     ), event as (
       insert into events (cell, tenant_id, operation_id, type, step_id, data)
       select s.cell, s.tenant_id, s.operation_id, 'step.removed', s.step_id, jsonb_build_object('residues', coalesce(
         (select jsonb_path_query_array(jsonb_agg(l.residues), '$[*][*]') from ledger l
          where l.tenant_id = s.tenant_id and l.step_id = s.step_id and l.residues is not null), s.residues, '[]'))
       from step s
     )
     select case when unclear_until > clock_timestamp() then unclear_until end as "recheckAt" from steps
     where tenant_id = $1 and step_id = $2 and state = 'removing' and not exists (select from step)`,
    [key.tenantId, key.stepId],
  );
  return rowOf(z.object({ recheckAt: optionalTime }), answer)?.recheckAt ?? undefined;
}

/** An attempt at a removal that failed; `final`: it will not be tried again by itself. */
export async function recordRemovalFailure(
  db: Queryable,
  key: StepKey,
  failure: Failure,
  final: boolean,
): Promise<void> {
  await db.query(
    `with rows as (
       update ledger set failure = $4, updated_at = now() where tenant_id = $1 and step_id = $2 and state <> 'removed'
     ), step as (
       update steps set detail = $5, failure = $4 where tenant_id = $1 and step_id = $2 and state <> 'removed'
     )
     insert into events (cell, tenant_id, operation_id, type, step_id, data)
     select $6, $1, $3, 'step.remove-failed', $2, $4::jsonb - 'stepId' where $7::boolean`,
    [key.tenantId, key.stepId, key.operationId, json(failure), failure.detail ?? failure.message, key.cell, final],
  );
}

const failingRow = z.object({ stepId: z.string(), failure });

/** Steps that are being removed, with the failure of the last attempt at that, where it failed: it is tried again. */
export async function listFailingRemovals(db: Queryable, tenantId: string): Promise<z.output<typeof failingRow>[]> {
  return rowsOf(
    failingRow,
    await db.query(
      `select distinct on (s.started_at, s.step_id) s.step_id as "stepId", l.failure
       from steps s join ledger l using (tenant_id, step_id)
       where s.tenant_id = $1 and s.state = 'removing' and l.state <> 'removed' and l.failure is not null
       order by s.started_at, s.step_id`,
      [tenantId],
    ),
  );
}
