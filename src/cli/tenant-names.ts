import type { ApiClient } from './api-client.ts';

/** What names no tenant, or several. `usage`: the name itself is at fault. */
export class TenantNameError extends Error {
  override readonly name = 'TenantNameError';
  readonly fault: 'usage' | 'not-found';
  constructor(fault: 'usage' | 'not-found', message: string) {
    super(message);
    this.fault = fault;
  }
}

const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const path = /^(?:(?<product>[a-z0-9-]+)\/)?(?<slug>[a-z0-9-]+)$/i;

/**
 * The id of a tenant that is named by id, `product/slug` or slug. A slug means the tenant that has it now; when nobody has
 * it, the one that had it last.
 * @throws TenantNameError when there is none, or when several products have one
 */
export async function findTenantId(api: ApiClient, name: string): Promise<string> {
  if (id.test(name)) return name;
  const named = path.exec(name)?.groups;
  if (!named) throw new TenantNameError('usage', `"${name}" is no tenant's id, slug or product/slug`);
  const { tenants } = await api.list({ product: named.product, slug: named.slug?.toLowerCase(), limit: '200' });
  const living = tenants.filter((tenant) => tenant.status !== 'deleted');
  const [first, ...others] = living.length > 0 ? living : tenants.slice(0, 1);
  if (!first) throw new TenantNameError('not-found', `there is no tenant ${name}; \`tenantry tenants list\` shows all`);
  if (others.length === 0) return first.tenantId;
  const names = living.map((tenant) => `${tenant.product}/${tenant.slug}`).join(', ');
  throw new TenantNameError('usage', `several products have a tenant ${name}: say which of ${names}`);
}
