import { z } from 'zod';
import { openOperationStates } from '../contracts/operation-state.ts';
import type { Queryable } from './database.ts';
import { optionalTime } from './columns.ts';
import { rowsOf } from './rows.ts';

const cellInUse = z.object({
  cell: z.string(),
  /** Of which anything is there, or may be. */
  tenants: z.number(),
  openOperations: z.number(),
  /** Things that the ledger does not hold as removed, of those tenants and of others. */
  resources: z.number(),
  /** Final dumps that are kept in the cell's bucket, or are being written. */
  archives: z.number(),
  /** When the last of these may be removed. */
  archivesUntil: optionalTime,
});
/** What a cell is still needed for. */
export type CellInUse = z.output<typeof cellInUse>;

/** Of a tenant `t`: anything of it is there, or may be; `$1` has the states of open operations. */
const isThere = `(t.status not in ('deleted', 'failed') or t.cleanup_pending
  or exists (select from operations o where o.tenant_id = t.id and o.state = any ($1)))`;

/** Every cell of which anything is left, whatever the platform description says. */
export async function listCellsInUse(db: Queryable): Promise<CellInUse[]> {
  const answer = await db.query(
    `with used as (
       select cell, 1 as tenants, 0 as operations, 0 as resources, 0 as archives, null::timestamptz as until from tenants t
       where ${isThere}
       union all
       select cell, 0, 1, 0, 0, null from operations where state = any ($1)
       union all
       select cell, 0, 0, 1, 0, null from ledger where state <> 'removed'
       union all
       select cell, 0, 0, 0, 1, expires_at from archives where state in ('kept', 'writing')
     )
     select cell, sum(tenants)::int as tenants, sum(operations)::int as "openOperations", sum(resources)::int as resources,
       sum(archives)::int as archives, max(until) as "archivesUntil"
     from used group by cell order by cell`,
    [[...openOperationStates]],
  );
  return rowsOf(cellInUse, answer);
}

const tenantInCell = z.object({ tenantId: z.string(), product: z.string(), slug: z.string(), status: z.string() });
export type TenantInCell = z.output<typeof tenantInCell>;

/** The oldest of those that {@link listCellsInUse} counts. */
export async function listTenantsInCell(db: Queryable, cell: string, limit: number): Promise<TenantInCell[]> {
  const answer = await db.query(
    `select id as "tenantId", product, slug, status from tenants t
     where cell = $2 and ${isThere}
     order by created_at, id limit $3`,
    [[...openOperationStates], cell, limit],
  );
  return rowsOf(tenantInCell, answer);
}
