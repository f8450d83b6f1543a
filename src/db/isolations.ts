import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { ISOLATION_STEP } from '../contracts/isolation.ts';
import type { Failure } from '../contracts/errors.ts';
import { caller, callerJson, failure, json, optionalTime, time, uuid } from './columns.ts';
import type { Database, Queryable } from './database.ts';
import { appendEvent } from './events.ts';
import { rowOf, rowsOf } from './rows.ts';

const outputs = z.object({ arn: z.string(), priority: z.number() });
/** Of the rule that shows the notice. */
export type IsolationOutputs = z.output<typeof outputs>;

const isolationRow = z.object({
  tenantId: uuid,
  cell: z.string(),
  operationId: uuid,
  wanted: z.boolean(),
  generation: z.int(),
  settledGeneration: z.int(),
  reason: z.string(),
  caller,
  /** When what is wanted now was asked for. */
  since: time,
  loadBalancerArn: z.string(),
  host: z.string(),
  outputs: outputs.nullable(),
  failure: failure.nullable(),
  unclearUntil: optionalTime,
});
/** Whether a tenant's users are to see a notice instead of it, and what came of that. */
export type IsolationRow = z.output<typeof isolationRow>;

const columns = `tenant_id as "tenantId", cell, operation_id as "operationId", wanted, generation,
  settled_generation as "settledGeneration", reason, caller, since, load_balancer_arn as "loadBalancerArn", host, outputs,
  failure, unclear_until as "unclearUntil"`;

/** Whether anything of an isolation is there or may be: it is wanted, or not lifted yet. */
export const isIsolatedSql = (tenantId: string) =>
  `exists (select from tenant_isolations i where i.tenant_id = ${tenantId} and (i.wanted or i.settled_generation < i.generation))`;

export async function findIsolation(db: Queryable, tenantId: string): Promise<IsolationRow | undefined> {
  return rowOf(
    isolationRow,
    await db.query(`select ${columns} from tenant_isolations where tenant_id = $1`, [tenantId]),
  );
}

export interface NewIsolation extends Pick<
  IsolationRow,
  'tenantId' | 'cell' | 'operationId' | 'reason' | 'loadBalancerArn' | 'host'
> {
  readonly caller: Caller;
}

/** A tenant is to be isolated: with the row of what that will make, so that no end of the tenant passes over it. */
export async function requestIsolation(tx: Queryable, wish: NewIsolation): Promise<IsolationRow> {
  const { tenantId, cell, operationId, reason, loadBalancerArn, host } = wish;
  const answer = await tx.query(
    `insert into tenant_isolations as i (tenant_id, cell, operation_id, wanted, reason, caller, load_balancer_arn, host)
     values ($1, $2, $3, true, $4, $5, $6, $7)
     on conflict (tenant_id) do update set operation_id = excluded.operation_id, wanted = true, generation = i.generation + 1,
       reason = excluded.reason, caller = excluded.caller, since = now(), load_balancer_arn = excluded.load_balancer_arn,
       host = excluded.host, failure = null
     returning ${columns}`,
    [tenantId, cell, operationId, reason, callerJson(wish.caller), loadBalancerArn, host],
  );
  await tx.query(
    `insert into ledger as l (tenant_id, step_id, cell, operation_id, type, name, state)
     values ($1, $2, $3, $4, 'elbv2:rule', $5, 'intended')
     on conflict (tenant_id, step_id, type, name) do update set operation_id = excluded.operation_id, updated_at = now(),
       failure = null, absent_at = null,
       physical_id = case when l.state = 'removed' then null else l.physical_id end,
       earlier_ids = case when l.state = 'removed' then '{}' else l.earlier_ids end,
       made_at = case when l.state = 'removed' then null else l.made_at end,
       state = case when l.made_at is null or l.state = 'removed' then 'intended' else 'present' end`,
    [tenantId, ISOLATION_STEP, cell, operationId, host],
  );
  await tellWish(tx, wish, { wanted: true, reason });
  return isolationRow.parse(answer.rows[0]);
}

/** It is to be lifted; undefined, and nothing is changed, when none is wanted. */
export async function requestLifting(
  tx: Queryable,
  tenantId: string,
  by: Caller | undefined,
): Promise<IsolationRow | undefined> {
  const lifting = rowOf(
    isolationRow,
    await tx.query(
      `update tenant_isolations set wanted = false, generation = generation + 1, caller = coalesce($2, caller), since = now(),
         failure = null where tenant_id = $1 and wanted returning ${columns}`,
      [tenantId, callerJson(by)],
    ),
  );
  if (!lifting) return undefined;
  await tx.query(
    `update ledger set state = 'removing', updated_at = now() where tenant_id = $1 and step_id = $2 and state <> 'removed'`,
    [tenantId, ISOLATION_STEP],
  );
  await tellWish(tx, lifting, { wanted: false });
  return lifting;
}

function tellWish(
  tx: Queryable,
  { cell, tenantId, caller: by }: Pick<IsolationRow, 'cell' | 'tenantId' | 'caller'>,
  data: Readonly<Record<string, unknown>>,
): Promise<void> {
  return appendEvent(tx, { cell, tenantId, type: 'tenant.isolation-requested', data, caller: by });
}

/** What an attempt works for. */
export type IsolationKey = Pick<IsolationRow, 'tenantId' | 'generation'>;

const recordedWindow = z.object({ unclearUntil: time, unclearBefore: optionalTime });
/** Until when the change that was let through may land; `unclearBefore` stood there. */
export type IsolationWindow = z.output<typeof recordedWindow>;

/** Before each change; undefined, and nothing is written, when something else is wanted by now. */
export async function openIsolationWindow(
  db: Queryable,
  { tenantId, generation }: IsolationKey,
  latenessMs: number,
): Promise<IsolationWindow | undefined> {
  return rowOf(
    recordedWindow,
    await db.query(
      `with before as (
         select unclear_until from tenant_isolations where tenant_id = $1 and generation = $2 for no key update
       ), opened as (
         update tenant_isolations i set unclear_until = greatest(i.unclear_until,
           date_trunc('milliseconds', clock_timestamp()) + $3 * interval '1 millisecond')
         from before where i.tenant_id = $1 returning i.unclear_until
       )
       select o.unclear_until as "unclearUntil", b.unclear_until as "unclearBefore" from opened o cross join before b`,
      [tenantId, generation, latenessMs],
    ),
  );
}

/** Takes an attempt's own window back after a clear answer; one that stood before, or came since, stays. */
const settledWindow = `case when unclear_until is not distinct from $3::timestamptz
  then case when $4::timestamptz > clock_timestamp() then $4::timestamptz end else unclear_until end`;

/** The rule is there, whatever is wanted by now. */
export async function recordNotice(
  db: Database,
  { tenantId }: IsolationKey,
  made: IsolationOutputs,
  window: IsolationWindow | undefined,
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.query(`update tenant_isolations set outputs = $2, unclear_until = ${settledWindow} where tenant_id = $1`, [
      tenantId,
      json(made),
      window?.unclearUntil ?? null,
      window?.unclearBefore ?? null,
    ]);
    await tx.query(
      `update ledger l set physical_id = $3, updated_at = now(), absent_at = null,
         made_at = case when l.physical_id = $3 then coalesce(l.made_at, now()) else now() end,
         state = case when l.state in ('removing', 'removed') then 'removing' else 'ready' end,
         earlier_ids = array(select unnest(l.earlier_ids || l.physical_id) except select $3 except select null)
       where l.tenant_id = $1 and l.step_id = $2`,
      [tenantId, ISOLATION_STEP, made.arn],
    );
  });
}

/** What was wanted is so, with its event, once; false when something else is wanted by now. */
export function recordIsolated(db: Database, { tenantId, generation }: IsolationKey): Promise<boolean> {
  return db.transaction(async (tx) => {
    const now = await settle(tx, { tenantId, generation });
    if (now === undefined) return false;
    const { cell, caller: by, reason, outputs: made } = now.row;
    if (now.isNew)
      await appendEvent(tx, { cell, tenantId, type: 'tenant.isolated', data: { reason, ...made }, caller: by });
    return true;
  });
}

/**
 * The notice was seen gone: its row and its place in the listener go with it, but while an effect may still land.
 * @returns `again`, until when to wait; `other`: something else is wanted by now
 */
export function recordLifted(
  db: Database,
  { tenantId, generation }: IsolationKey,
  window: IsolationWindow | undefined,
): Promise<{ readonly is: 'lifted' } | { readonly is: 'other' } | { readonly is: 'again'; readonly at: Date }> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<{ unclearUntil: Date | null }>(
      `update tenant_isolations set unclear_until = ${settledWindow} where tenant_id = $1 and generation = $2
       returning case when unclear_until > clock_timestamp() then unclear_until end as "unclearUntil"`,
      [tenantId, generation, window?.unclearUntil ?? null, window?.unclearBefore ?? null],
    );
    const [still] = rows;
    if (!still) return { is: 'other' };
    if (still.unclearUntil) return { is: 'again', at: still.unclearUntil };
    const now = await settle(tx, { tenantId, generation });
    if (!now) return { is: 'other' };
    await tx.query(
      `update ledger set state = 'removed', failure = null, updated_at = now(),
         absent_at = case when state = 'removed' then absent_at else clock_timestamp() end
       where tenant_id = $1 and step_id = $2`,
      [tenantId, ISOLATION_STEP],
    );
    await tx.query('delete from allocations where tenant_id = $1 and step_id = $2', [tenantId, ISOLATION_STEP]);
    await tx.query('update tenant_isolations set outputs = null, unclear_until = null where tenant_id = $1', [
      tenantId,
    ]);
    const { cell, caller: by } = now.row;
    if (now.isNew) await appendEvent(tx, { cell, tenantId, type: 'tenant.isolation-lifted', caller: by });
    return { is: 'lifted' };
  });
}

async function settle(
  tx: Queryable,
  { tenantId, generation }: IsolationKey,
): Promise<{ readonly row: IsolationRow; readonly isNew: boolean } | undefined> {
  const before = rowOf(
    isolationRow,
    await tx.query(
      `select ${columns} from tenant_isolations where tenant_id = $1 and generation = $2 for no key update`,
      [tenantId, generation],
    ),
  );
  if (!before) return undefined;
  await tx.query(
    `update tenant_isolations set settled_generation = generation, failure = null,
       settled_at = case when settled_generation = generation then settled_at else now() end where tenant_id = $1`,
    [tenantId],
  );
  return { row: before, isNew: before.settledGeneration < generation };
}

export interface FailedIsolation {
  readonly failure: Failure;
  /** Taken back: the answer was clear. */
  readonly window: IsolationWindow | undefined;
  /** What was so is not so any more for sure. */
  readonly isLost: boolean;
}

/** An attempt failed. */
export async function recordIsolationFailure(
  db: Queryable,
  { tenantId, generation }: IsolationKey,
  { failure: failed, isLost, window }: FailedIsolation,
): Promise<void> {
  await db.query(
    `with isolation as (
       update tenant_isolations set unclear_until = ${settledWindow},
         failure = case when generation = $2 then $5::jsonb else failure end,
         settled_generation = case when generation = $2 and $7::boolean then least(settled_generation, generation - 1)
           else settled_generation end
       where tenant_id = $1
     )
     update ledger set failure = $5::jsonb, updated_at = now() where tenant_id = $1 and step_id = $6 and state <> 'removed'`,
    [
      tenantId,
      generation,
      window?.unclearUntil ?? null,
      window?.unclearBefore ?? null,
      json(failed),
      ISOLATION_STEP,
      isLost,
    ],
  );
}

const unsettledRow = z.object({ tenantId: uuid, product: z.string(), slug: z.string(), cell: z.string() });
export type UnsettledIsolation = z.output<typeof unsettledRow>;

/** Those that are not as wanted for so long, oldest first. */
export async function listUnsettled(db: Queryable, forMs: number): Promise<UnsettledIsolation[]> {
  return rowsOf(
    unsettledRow,
    await db.query(
      `select t.id as "tenantId", t.product, t.slug, i.cell from tenant_isolations i join tenants t on t.id = i.tenant_id
       where i.settled_generation < i.generation and i.since < now() - $1 * interval '1 millisecond' order by i.since`,
      [forMs],
    ),
  );
}

const overdueRow = unsettledRow.extend({
  wanted: z.boolean(),
  generation: z.int(),
  reason: z.string(),
  since: time,
  failure: failure.nullable(),
});
export type OverdueIsolation = z.output<typeof overdueRow>;

/** Those that are not as wanted for so long, and of which no alert was raised since that was asked for. */
export async function listOverdue(db: Queryable, forMs: number): Promise<OverdueIsolation[]> {
  return rowsOf(
    overdueRow,
    await db.query(
      `select t.id as "tenantId", t.product, t.slug, i.cell, i.wanted, i.generation, i.reason, i.since, i.failure
       from tenant_isolations i join tenants t on t.id = i.tenant_id
       where i.settled_generation < i.generation and i.since < now() - $1 * interval '1 millisecond'
         and i.alerted_generation is distinct from i.generation order by i.since`,
      [forMs],
    ),
  );
}

export async function markOverdueTold(db: Queryable, { tenantId, generation }: IsolationKey): Promise<void> {
  await db.query('update tenant_isolations set alerted_generation = $2 where tenant_id = $1', [tenantId, generation]);
}

const countedRow = z.object({ isWanted: z.boolean(), isSettled: z.boolean(), isOverdue: z.boolean(), count: z.int() });

export interface IsolationFigures {
  readonly isolated: number;
  /** Not as wanted, and of those, for longer than it should take. */
  readonly pending: number;
  readonly overdue: number;
}

/** How many tenants are isolated, and how many are not as wanted. */
export async function countIsolations(db: Queryable, overdueAfterMs: number): Promise<IsolationFigures> {
  const rows = rowsOf(
    countedRow,
    await db.query(
      `select wanted as "isWanted", settled_generation = generation as "isSettled",
         settled_generation < generation and since < now() - $1 * interval '1 millisecond' as "isOverdue", count(*)::int as count
       from tenant_isolations where wanted or settled_generation < generation group by 1, 2, 3`,
      [overdueAfterMs],
    ),
  );
  const sum = (of: (row: z.output<typeof countedRow>) => boolean) =>
    rows.filter(of).reduce((total, { count }) => total + count, 0);
  return {
    isolated: sum(({ isSettled, isWanted }) => isSettled && isWanted),
    pending: sum(({ isSettled }) => !isSettled),
    overdue: sum(({ isOverdue }) => isOverdue),
  };
}
