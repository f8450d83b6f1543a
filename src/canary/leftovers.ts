import type { ApiClient, CallerIdentity, ListedTenant } from '../cli/api-client.ts';
import { MARK, runNamedBy } from './names.ts';
import type { Patience } from './patience.ts';

const PAGE = '200';

/**
 * Tenants of this product that canaries of this caller made and did not remove. The name alone makes none: the API says who asked
 * for it, and a caller that reaches what it made only is shown nothing else.
 */
export async function findLeftovers(
  api: ApiClient,
  { principal, reaches }: Pick<CallerIdentity, 'principal' | 'reaches'>,
  product: string,
  { ask }: Pick<Patience, 'ask'>,
): Promise<ListedTenant[]> {
  const found: ListedTenant[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await ask(() => api.list({ product, text: MARK, limit: PAGE, cursor }));
    for (const tenant of page.tenants.filter((each) => runNamedBy(each) !== undefined))
      if (reaches === 'own' || (await ask(() => makerOf(api, tenant.tenantId))) === principal) found.push(tenant);
    if (page.nextCursor === null) return found;
    cursor = page.nextCursor;
  }
}

/** Who asked for a tenant, by the first event of it; undefined: it is not known. */
async function makerOf(api: ApiClient, tenantId: string): Promise<string | undefined> {
  const [first] = await api.events(tenantId, { after: 0, limit: 1 });
  return first?.caller?.principal;
}
