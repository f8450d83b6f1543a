import { z } from 'zod';
import { time } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

/** A step that was ready, as the look before the commit saw it. */
export interface SeenStep {
  readonly stepId: string;
  /** What was seen; null: it is ready. */
  readonly detail: string | null;
}

/** Tells of steps that are waited for again (`step.pending`), and of those that are ready again (`step.ready`), each time once. */
export async function recordReadiness(
  db: Queryable,
  { operationId, tenantId }: { readonly operationId: string; readonly tenantId: string },
  seen: readonly SeenStep[],
): Promise<void> {
  await db.query(
    `insert into events (cell, tenant_id, operation_id, type, step_id, data)
     select s.cell, s.tenant_id, $2, case when l.detail is null then 'step.ready' else 'step.pending' end, s.step_id,
       case when l.detail is null then jsonb_build_object('durationMs', round(extract(epoch from now() - last.at) * 1000))
         else jsonb_build_object('detail', l.detail) end
     from unnest($3::text[], $4::text[]) as l (step_id, detail)
     join steps s on s.tenant_id = $1 and s.step_id = l.step_id and s.state = 'ready'
     cross join lateral (select e.type, e.at from events e where e.tenant_id = s.tenant_id and e.step_id = s.step_id
       order by e.id desc limit 1) last
     where (l.detail is null) = (last.type = 'step.pending')`,
    [tenantId, operationId, seen.map(({ stepId }) => stepId), seen.map(({ detail }) => detail)],
  );
}

const awaitedRow = z.object({ stepId: z.string(), since: time, detail: z.string().nullable() });
/** A step that an operation waits for. */
export type AwaitedStep = z.output<typeof awaitedRow>;

/** Steps whose readiness an operation waits for, by their newest event. */
export async function listAwaited(
  db: Queryable,
  { id, tenantId }: { readonly id: string; readonly tenantId: string },
): Promise<AwaitedStep[]> {
  return rowsOf(
    awaitedRow,
    await db.query(
      `select step_id as "stepId", at as since, data ->> 'detail' as detail from (
         select distinct on (e.step_id) e.step_id, e.type, e.at, e.data from events e
         where e.tenant_id = $1 and e.operation_id = $2 and e.step_id is not null order by e.step_id, e.id desc
       ) last where last.type = 'step.pending' order by at, step_id`,
      [tenantId, id],
    ),
  );
}
