import type { Role } from '../contracts/caller.ts';
import type { Queryable } from './database.ts';

/** What somebody made; with `as`, in that role. */
export interface MadeBy {
  readonly createdBy: string;
  readonly as?: Role;
}

/** Some of all tenants: those named, or those that somebody made. */
export type TenantReach = { readonly ids: readonly string[] } | MadeBy;

export async function isCreatedBy(db: Queryable, tenantId: string, made: MadeBy): Promise<boolean> {
  const values: unknown[] = [tenantId];
  const answer = await db.query(`select from tenants where id = $1 and ${madeSql(made, values)}`, values);
  return answer.rowCount === 1;
}

/** A condition on `tenants`. @param reach undefined: all @param values of the statement: what the condition needs is put behind them */
export function reachSql(reach: TenantReach | undefined, values: unknown[]): string {
  if (!reach) return 'true';
  return 'ids' in reach ? `id = any($${values.push([...reach.ids])}::uuid[])` : madeSql(reach, values);
}

/** Who made a tenant asked for its first operation. */
function madeSql({ as, createdBy }: MadeBy, values: unknown[]): string {
  const by = `created_by = $${values.push(createdBy)}`;
  if (as === undefined) return by;
  return `${by} and (select o.caller ->> 'role' from operations o where o.tenant_id = tenants.id
    order by o.accepted_at, o.id limit 1) = $${values.push(as)}`;
}
