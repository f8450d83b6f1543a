import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { FINALIZE_STEP } from '../contracts/blueprint.ts';
import { makingStates, operationTable } from '../contracts/operation-table.ts';
import { failure, json, operationState, operationType, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { appendEvent } from './events.ts';
import type { LedgerState } from './ledger.ts';
import { rowOf, rowsOf } from './rows.ts';

const slowRow = z.object({
  id: uuid,
  tenantId: uuid,
  cell: z.string(),
  type: operationType,
  state: operationState,
  /** The last time that anything came of it. */
  since: time,
});
export type SlowOperation = z.output<typeof slowRow>;

/** For how long nothing may come of an operation in each state, in ms; for `holding` beyond the end of its hold. */
export type SlowAfter = Readonly<Record<'accepted' | 'running' | 'holding' | 'rolling-back' | 'committing', number>>;

/**
 * Open operations of which nothing has come for so long; each until it is told of by {@link recordSlow}, and again when it
 * has moved on since.
 */
export async function listSlow(db: Queryable, slowAfter: SlowAfter): Promise<SlowOperation[]> {
  return rowsOf(
    slowRow,
    await db.query(
      `${untold} and o.state = any ($2)
         and greatest(p.since, case when o.state in ('accepted', 'running') then o.grace_until end) < now() - interval '1 millisecond'
         * (($1::jsonb ->> o.state)::bigint + case when o.state = 'holding' then o.hold_ms else 0 end)
       order by p.since`,
      [json(slowAfter), Object.keys(slowAfter)],
    ),
  );
}

/** The operation, unless it was told of by {@link recordSlow} and has not moved on since. */
export async function findUntold(db: Queryable, operationId: string): Promise<SlowOperation | undefined> {
  return rowOf(slowRow, await db.query(`${untold} and o.id = $1`, [operationId]));
}

const untold = `select o.id, o.tenant_id as "tenantId", o.cell, o.type, o.state, p.since
  from operations o cross join lateral (
    -- That somebody asked for something is no progress.
    select max(e.at) filter (where e.type not in ('operation.slow', 'operation.requested', 'operation.request-refused')) as since,
      max(e.at) filter (where e.type = 'operation.slow') as told
    from events e where e.tenant_id = o.tenant_id and e.operation_id = o.id
  ) p
  where (p.told is null or p.told < p.since)`;

export interface WaitingStep {
  readonly stepId: string;
  /** What was last seen of it. */
  readonly waitsFor: string;
}

const unready: readonly LedgerState[] = ['intended', 'present'];

const waitingRow = z.object({ stepId: z.string(), detail: z.string().nullable(), failure: failure.nullable() });

/** The steps that an operation is at: those being made or removed, or the one that commits. */
export async function listWaiting(db: Queryable, operation: SlowOperation): Promise<WaitingStep[]> {
  const commits = operationTable[operation.type].succeedsBy === 'finalize' && operation.state === 'committing';
  const rows = rowsOf(
    waitingRow,
    await db.query(
      `select step_id as "stepId", detail, failure from steps
       where tenant_id = $1 and case when $2::boolean then step_id = $3 else state = any ($4) end
       order by started_at, step_id`,
      [operation.tenantId, commits, FINALIZE_STEP, underWay(operation)],
    ),
  );
  return rows.map(({ stepId, detail, failure: failed }) => ({
    stepId,
    waitsFor: failed ? `${failed.code}: ${failed.message}` : (detail ?? 'no answer came yet'),
  }));
}

function underWay({ type, state }: SlowOperation): readonly string[] {
  const restored = makingStates(type, true).includes(state) ? unready : [];
  return state === 'running' ? unready : [...restored, 'removing'];
}

/** Remembers that it was told of, with an event for whoever follows. */
export async function recordSlow(
  db: Queryable,
  { id, tenantId, cell, state, since }: SlowOperation,
  waiting: readonly WaitingStep[],
  caller: Caller,
  reason?: string,
): Promise<void> {
  const data = { state, since: since.toISOString(), waiting, ...(reason !== undefined && { reason }) };
  await appendEvent(db, { cell, tenantId, operationId: id, type: 'operation.slow', data, caller });
}
