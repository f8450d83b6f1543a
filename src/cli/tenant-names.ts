import type { ApiClient, ListedTenant } from './api-client.ts';
import type { Common, Context } from './context.ts';

/** What names no tenant, or several. `usage`: the name itself is at fault. */
export class TenantNameError extends Error {
  override readonly name = 'TenantNameError';
  readonly fault: 'usage' | 'not-found';
  readonly code: 'TENANT_NAME_INVALID' | 'TENANT_NAME_AMBIGUOUS' | 'TENANT_NOT_FOUND';
  constructor(code: TenantNameError['code'], message: string) {
    super(message);
    this.code = code;
    this.fault = code === 'TENANT_NOT_FOUND' ? 'not-found' : 'usage';
  }
}

const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const path = /^(?:(?<product>[a-z0-9-]+)\/)?(?<slug>[a-z0-9-]+)$/i;

/**
 * The id of a tenant that is named by id, `product/slug` or slug. A slug means the tenant that has it now; when nobody has
 * it, the one that had it last. Says to people when earlier tenants had it.
 * @throws TenantNameError when there is none, or when several products have one
 */
export async function findTenantId({ api, terminal }: Context, name: string, options: Common): Promise<string> {
  if (id.test(name)) return name;
  const named = path.exec(name)?.groups;
  const slug = named?.slug?.toLowerCase();
  if (!named || slug === undefined)
    throw new TenantNameError('TENANT_NAME_INVALID', `"${name}" is no tenant's id, slug or product/slug`);
  const found = chooseTenant(await allWith(api, { product: named.product, slug }), name);
  const { tenant, earlier } = found;
  if (earlier > 0 && options.json !== true)
    terminal.err.write(
      `note: ${name} is tenant ${tenant.tenantId}; ${earlier === 1 ? 'an earlier one' : `${earlier} earlier ones`} had this slug: ` +
        `\`tenantry tenants list --product ${tenant.product} --slug ${slug} --all\` shows their ids, which name them\n`,
    );
  return tenant.tenantId;
}

/**
 * Of one product at most one tenant has the slug, and each later one got it after the earlier one had lost it: so the newest
 * has it, or had it last. Pure.
 * @param tenants newest first
 */
export function chooseTenant(
  tenants: readonly ListedTenant[],
  name: string,
): { readonly tenant: ListedTenant; readonly earlier: number } {
  const newest = [...new Map([...tenants].reverse().map((tenant) => [tenant.product, tenant])).values()];
  const there = newest.filter((tenant) => !isGone(tenant));
  const [tenant, ...others] = there.length > 0 ? there : newest;
  if (!tenant)
    throw new TenantNameError(
      'TENANT_NOT_FOUND',
      `there is no tenant ${name}; \`tenantry tenants list --all\` shows all`,
    );
  if (others.length > 0) {
    const names = [tenant, ...others].map(({ product, slug }) => `${product}/${slug}`).sort();
    throw new TenantNameError(
      'TENANT_NAME_AMBIGUOUS',
      `several products have a tenant ${name}: say which of ${names.join(', ')}`,
    );
  }
  return { tenant, earlier: tenants.filter(({ product }) => product === tenant.product).length - 1 };
}

/** Nothing of it is left, and nothing is being made: it does not hold its slug any more. */
function isGone({ status, openOperation, cleanupPending }: ListedTenant): boolean {
  return status === 'deleted' || (status === 'failed' && openOperation === null && !cleanupPending);
}

async function allWith(api: ApiClient, filter: { product: string | undefined; slug: string }): Promise<ListedTenant[]> {
  const tenants: ListedTenant[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.list({ ...filter, limit: '200', cursor });
    tenants.push(...page.tenants);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return tenants;
}
