import type { Queryable } from '../db/database.ts';
import { listKindsInUse, listProductsInUse, type InUse } from '../db/kinds-in-use.ts';
import type { Catalog } from './catalog.ts';

/** What tenants of the database need and the catalog does not have, as sentences; empty when it has all. */
export async function lackingProblems(db: Queryable, catalog: Catalog): Promise<string[]> {
  const products = (await listProductsInUse(db)).filter(({ name }) => !Object.hasOwn(catalog.products, name));
  const kinds = (await listKindsInUse(db)).filter(({ name }) => !catalog.kinds.kinds.has(name));
  return [...products.map((one) => lacking('product', one)), ...kinds.map((one) => lacking('kind', one))];
}

function lacking(what: string, { name, tenants }: InUse): string {
  return `${tenants} ${tenants === 1 ? 'tenant is' : 'tenants are'} of ${what} "${name}", which is not loaded`;
}

/** Where a catalog comes from, for people. */
export function sourceOf(catalogFile: string | undefined): string {
  return catalogFile ?? 'no tenantry.config.ts in the current folder: only what comes with Tenantry';
}
