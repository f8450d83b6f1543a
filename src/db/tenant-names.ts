import { z } from 'zod';
import type { SlugName } from '../contracts/tenant-name.ts';
import { openOperationStates } from '../contracts/operation-state.ts';
import { uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';
import { reachSql, type TenantReach } from './tenant-reach.ts';
import { wasNotWithdrawn } from './tenants.ts';

const holderRow = z.object({
  tenantId: uuid,
  product: z.string(),
  slug: z.string(),
  /** It does not hold the slug any more: nothing of it is left, and nothing is being made. */
  isGone: z.boolean(),
});
export type SlugHolderRow = z.output<typeof holderRow>;

const openStates = openOperationStates.map((state) => `'${state}'`).join(', ');

/**
 * Of each product the tenant that has the slug, or had it last, among those within reach. At most one of a product has it, and each later
 * one got it after the earlier one had lost it: so it is the newest.
 */
export async function listSlugHolders(
  db: Queryable,
  { product, slug }: SlugName,
  reach: TenantReach | undefined,
): Promise<SlugHolderRow[]> {
  const values: unknown[] = [slug, product ?? null];
  const answer = await db.query(
    `select distinct on (product) id as "tenantId", product, slug,
       status = 'deleted' or (status = 'failed' and not cleanup_pending and not exists (
         select from operations o where o.tenant_id = tenants.id and o.state in (${openStates}))) as "isGone"
     from tenants
     where slug = $1 and ($2::text is null or product = $2) and ${wasNotWithdrawn} and ${reachSql(reach, values)}
     order by product, created_at desc, id`,
    values,
  );
  return rowsOf(holderRow, answer);
}
