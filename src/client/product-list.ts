import type { ClientDeps } from './requests.ts';

/** A product that this installation knows. */
export interface ProductView {
  readonly name: string;
  /** Empty: the product has no tiers, and a tenant of it names none. */
  readonly tiers: readonly string[];
  /** Domains of its tenants, of each cell that serves it. Empty: no tenant can be created. */
  readonly domains: readonly string[];
  /** Slugs that it gives to no tenant, besides those that no product gives. */
  readonly reservedSlugs: readonly string[];
}

/** Every product, by name. Pure. */
export function listProducts({ catalog, platform }: Pick<ClientDeps, 'catalog' | 'platform'>): ProductView[] {
  return Object.values(catalog.products)
    .map(({ name, tiers, reservedSlugs }) => ({
      name,
      tiers,
      domains: [...new Set(platform.cells.flatMap(({ domains }) => domains[name] ?? []))],
      reservedSlugs,
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}
