import type { ApiClient, Status, TenantEvent } from '../../src/cli/api-client.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { followOperation } from '../../src/cli/following.ts';
import { createProgressPrinter } from '../../src/cli/progress.ts';
import { catalogFileOf } from '../../src/config.ts';
import { atTime } from '../parts/log.ts';

export interface Finished {
  readonly tenantId: string;
  readonly slug: string;
  readonly status: Status;
  readonly events: readonly TenantEvent[];
}

/** Whose tenant is provisioned: the first tier of a product. */
export interface DemoProduct {
  readonly product: string;
  readonly tier: string | undefined;
  /** A tenant's slug is its id: none is chosen. */
  readonly isById: boolean;
  /** It brings migrations, so its tenants answer from a schema of their own. */
  readonly hasSchema: boolean;
  /** Components that are services of their own. */
  readonly services: readonly string[];
}

/**
 * The product of this name, else the installation's first.
 * @throws RangeError when there is none of the name
 */
export async function demoProduct(name: string | undefined): Promise<DemoProduct> {
  const { products } = await loadCatalog(catalogFileOf(process.env));
  const product = name === undefined ? Object.values(products)[0] : products[name];
  if (!product) throw new RangeError(`there is no product "${name ?? ''}" (has: ${Object.keys(products).join(', ')})`);
  return {
    product: product.name,
    tier: product.tiers[0],
    isById: product.slugs === 'tenant-id',
    hasSchema: product.migrations !== undefined,
    services: Object.keys(product.templates),
  };
}

/**
 * Creates a tenant and shows every step; one that fails rolls back at once, because nobody is asked to fix it.
 * @param name its slug, where its product lets one be chosen
 */
export async function createTenant(
  api: ApiClient,
  { isById, product, tier }: DemoProduct,
  name: string,
): Promise<Finished> {
  const chosen = { product, tier, ...(isById ? {} : { slug: name }) };
  const named = Object.entries(chosen).flatMap(([field, value]) =>
    value === undefined ? [] : `"${field}": "${value}"`,
  );
  console.log(`\n  ${atTime(`POST /api/v1/tenants { ${named.join(', ')}, ... }`)}`);
  const { tenantId, operationId } = await api.create({
    ...chosen,
    displayName: `Demo tenant ${name}`,
    contactEmail: `admin@${name}.example`,
    onFailure: 'rollback',
  });
  return { tenantId, slug: isById ? tenantId : name, ...(await follow(api, tenantId, operationId)) };
}

/** Deletes a tenant and shows every step. */
export async function deleteTenant(api: ApiClient, tenantId: string, slug: string): Promise<Finished> {
  console.log(`\n  ${atTime(`DELETE /api/v1/tenants/${tenantId}?confirm=${slug}`)}`);
  const accepted = await api.delete(tenantId, slug);
  if (!('operationId' in accepted)) throw new Error(`tenant ${tenantId} was gone before its deletion began`);
  return { tenantId, slug, ...(await follow(api, tenantId, accepted.operationId)) };
}

/** The wanted slug, or the first `<wanted>-N` that no tenant of a database that is kept holds. */
export async function freeSlug(api: ApiClient, product: string, wanted: string): Promise<string> {
  const { tenants } = await api.list({ product, limit: '200' });
  const taken = new Set(tenants.map((tenant) => tenant.slug));
  for (let n = 1; ; n++) {
    const slug = n === 1 ? wanted : `${wanted}-${n}`;
    if (!taken.has(slug)) return slug;
  }
}

/** Shows every step of an operation until it ends. */
export async function follow(api: ApiClient, tenantId: string, operationId: string) {
  const printer = createProgressPrinter(process.stdout);
  const events: TenantEvent[] = [];
  const onEvent = (event: TenantEvent) => {
    events.push(event);
    printer.event(event);
  };
  await followOperation(api, { tenantId, operationId, after: 0, onEvent });
  printer.finish();
  return { status: await api.status(tenantId), events };
}
