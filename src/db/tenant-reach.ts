import type { Queryable } from './database.ts';

/** Some of all tenants: those named, or those that somebody made. */
export type TenantReach = { readonly ids: readonly string[] } | { readonly createdBy: string };

export async function isCreatedBy(db: Queryable, tenantId: string, principal: string): Promise<boolean> {
  const answer = await db.query('select from tenants where id = $1 and created_by = $2', [tenantId, principal]);
  return answer.rowCount === 1;
}

/** A condition on `tenants`. @param reach undefined: all @param values of the statement: what the condition needs is put behind them */
export function reachSql(reach: TenantReach | undefined, values: unknown[]): string {
  if (!reach) return 'true';
  return 'ids' in reach
    ? `id = any($${values.push([...reach.ids])}::uuid[])`
    : `created_by = $${values.push(reach.createdBy)}`;
}
