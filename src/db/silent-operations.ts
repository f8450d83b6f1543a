import { z } from 'zod';
import { lostRunCodes, type Failure } from '../contracts/errors.ts';
import { ISOLATION_STEP } from '../contracts/isolation.ts';
import { openOperationStates } from '../contracts/operation-state.ts';
import { failure, operationState, operationType, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import type { OperationRow } from './operations.ts';
import { rowOf, rowsOf } from './rows.ts';

/**
 * The failure that an operation had before it got one with such a code, as its events tell; undefined when it had none. A run
 * that goes on (`running`) has forgotten what failed before.
 */
export async function findFailureBefore(
  db: Queryable,
  operation: Pick<OperationRow, 'id' | 'tenantId'>,
  codes: readonly string[],
): Promise<Failure | undefined> {
  const row = rowOf(
    z.object({ failure: failure.nullable() }),
    await db.query(
      `select data -> 'failure' as failure from events
       where tenant_id = $1 and operation_id = $2 and type = 'operation.state'
         and (data ->> 'to' = 'running' or data #>> '{failure,code}' <> all ($3::text[]))
       order by id desc limit 1`,
      [operation.tenantId, operation.id, codes],
    ),
  );
  return row?.failure ?? undefined;
}

const silentRow = z.object({
  id: uuid,
  tenantId: uuid,
  cell: z.string(),
  type: operationType,
  state: operationState,
  workflowId: z.string(),
  runId: z.string(),
  /** How long ago the last sign of life was. */
  silentMs: z.coerce.number(),
});
export type SilentOperation = z.output<typeof silentRow>;

/**
 * Claimed, open operations that gave no sign of life for so long: neither the operation nor any attempt at one of its steps
 * (each writes at its beginning) changed a row. Oldest first. Those that are known to have lost their run are left out.
 */
export async function listSilent(db: Queryable, silentMs: number): Promise<SilentOperation[]> {
  return rowsOf(
    silentRow,
    await db.query(
      `select o.id, o.tenant_id as "tenantId", o.cell, o.type, o.state, o.workflow_id as "workflowId",
         o.run_id as "runId", floor(extract(epoch from now() - seen) * 1000) as "silentMs"
       from operations o cross join lateral (
         select greatest(o.updated_at,
           (select max(greatest(s.started_at, s.ready_at, s.removing_at, s.removed_at,
              s.unclear_until - $1 * interval '1 millisecond')) from steps s where s.tenant_id = o.tenant_id),
           (select max(l.updated_at) from ledger l where l.tenant_id = o.tenant_id and l.step_id <> $4)) as seen
       ) life
       where o.state = any ($2) and o.run_id is not null
         and not (o.state = 'stuck' and coalesce(o.failure ->> 'code', '') = any ($3::text[]))
         and seen < now() - $1 * interval '1 millisecond'
       order by seen`,
      [silentMs, openOperationStates.filter((state) => state !== 'accepted'), lostRunCodes, ISOLATION_STEP],
    ),
  );
}
