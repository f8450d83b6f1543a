import { z } from 'zod';
import { operationTable, operationTypes } from '../contracts/operation-table.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

/** Operations of a cell that the figures are taken from: its latest. */
const OPERATIONS = 50;

const row = z.object({
  kind: z.string(),
  becomes: z.enum(['make', 'change', 'drop']),
  medianMs: z.coerce.number(),
  p90Ms: z.coerce.number(),
});
/** How long steps of a kind took in a cell's latest operations, by what became of them. */
export type RecordedDuration = z.output<typeof row>;

const creating = operationTypes.filter((type) => operationTable[type].createsTenant);

/** Of the latest successful operations of a cell. What was restored counts as changed. */
export async function listRecordedDurations(db: Queryable, cell: string): Promise<RecordedDuration[]> {
  return rowsOf(
    row,
    await db.query(
      `with latest as (
         select id, tenant_id, type from operations where cell = $1 and state = 'succeeded' order by closed_at desc limit $2
       ), took as (
         select s.kind,
           case when e.type = 'step.removed' then 'drop' when o.type = any ($3) then 'make' else 'change' end as becomes,
           case when e.type = 'step.ready' then (e.data ->> 'durationMs')::float8
             else extract(epoch from e.at - (select max(b.at) from events b where b.tenant_id = e.tenant_id
               and b.operation_id = e.operation_id and b.step_id = e.step_id and b.type = 'step.removing')) * 1000 end as ms
         from latest o join events e on e.tenant_id = o.tenant_id and e.operation_id = o.id
         join steps s on s.tenant_id = e.tenant_id and s.step_id = e.step_id
         where e.type in ('step.ready', 'step.removed')
       )
       select kind, becomes, round(percentile_cont(0.5) within group (order by ms)) as "medianMs",
         round(percentile_cont(0.9) within group (order by ms)) as "p90Ms"
       from took where ms is not null group by kind, becomes`,
      [cell, OPERATIONS, creating],
    ),
  );
}
