import { z } from 'zod';
import { openOperationStates } from '../contracts/operation-state.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

const inUse = z.object({ name: z.string(), tenants: z.number() });
/** The name of a product or kind, and how many tenants need it. */
export type InUse = z.output<typeof inUse>;

/** Products of the tenants of which anything is there, or may be. */
export async function listProductsInUse(db: Queryable): Promise<InUse[]> {
  const answer = await db.query(
    `select product as name, count(*)::int as tenants from tenants t
     where status not in ('deleted', 'failed') or cleanup_pending
       or exists (select from operations o where o.tenant_id = t.id and o.state = any ($1))
     group by product order by product`,
    [[...openOperationStates]],
  );
  return rowsOf(inUse, answer);
}

/** Kinds of the steps that are not removed, and of those that open operations are to make. */
export async function listKindsInUse(db: Queryable): Promise<InUse[]> {
  const answer = await db.query(
    `select kind as name, count(distinct tenant_id)::int as tenants from (
       select kind, tenant_id from steps where state <> 'removed'
       union all
       select step ->> 'kind', o.tenant_id from operations o
       cross join lateral jsonb_array_elements(o.blueprint -> 'steps') step where o.state = any ($1)
     ) used where kind is not null group by kind order by kind`,
    [[...openOperationStates]],
  );
  return rowsOf(inUse, answer);
}
