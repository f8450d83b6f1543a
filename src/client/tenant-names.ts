import type { Caller } from '../contracts/caller.ts';
import { tenantNameText, type SlugName } from '../contracts/tenant-name.ts';
import type { Queryable } from '../db/database.ts';
import { listSlugHolders, type SlugHolderRow } from '../db/tenant-names.ts';
import { reachOf, unreached } from './reach.ts';
import { RequestError } from './request-error.ts';

/**
 * The id of the tenant that a slug means: the one that has it now; when nobody has it, the one that had it last. Only tenants that the
 * caller reaches are looked at, so that others' slugs are as good as unknown ones.
 * @throws RequestError TENANT_NOT_FOUND, TENANT_MISMATCH, TENANT_NAME_AMBIGUOUS
 */
export async function resolveTenantName(db: Queryable, caller: Caller, name: SlugName): Promise<string> {
  const reach = reachOf(caller);
  const chosen = chooseHolders(await listSlugHolders(db, name, reach));
  const [first, ...others] = chosen;
  if (first && others.length === 0) return first.tenantId;
  const text = tenantNameText(name);
  if (first) throw ambiguous(text, chosen);
  if (reach) throw unreached(caller, text, { tenant: text });
  throw new RequestError('TENANT_NOT_FOUND', `there is no tenant ${text}`, { details: { tenant: text } });
}

/**
 * Those that have the slug; when nobody has it, those that had it last. Pure.
 * @param newest the newest of each product
 */
export function chooseHolders<T extends Pick<SlugHolderRow, 'isGone'>>(newest: readonly T[]): readonly T[] {
  const there = newest.filter(({ isGone }) => !isGone);
  return there.length > 0 ? there : newest;
}

function ambiguous(text: string, holders: readonly SlugHolderRow[]): RequestError {
  const candidates = holders.map(({ tenantId, product, slug }) => ({
    tenantId,
    product,
    slug,
    name: tenantNameText({ product, slug }),
  }));
  return new RequestError(
    'TENANT_NAME_AMBIGUOUS',
    `several products have a tenant ${text}: say which of ${candidates.map(({ name }) => name).join(', ')}`,
    { details: { tenant: text, candidates } },
  );
}
