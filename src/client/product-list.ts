import { isServed, takesTenants } from '../products/places.ts';
import type { Place, SlugRule, TierChange } from '../products/product.ts';
import type { ClientDeps } from './requests.ts';

/** A product that this installation knows. */
export interface ProductView {
  readonly name: string;
  /** Empty: the product has no tiers, and a tenant of it names none. */
  readonly tiers: readonly string[];
  /** From which tier to which a tenant of it may be moved. */
  readonly tierChanges: readonly TierChange[];
  readonly suspendable: boolean;
  /** What is reserved for a tenant of it. */
  readonly places: readonly Place[];
  /** Cells in which a tenant of it can be made. Empty: none can. */
  readonly cells: readonly string[];
  /** Domains of its tenants, of each cell that serves it. Empty where they have no host. */
  readonly domains: readonly string[];
  /** Where its tenants' slugs come from. */
  readonly slugs: SlugRule;
  /** Slugs that it gives to no tenant, besides those that no product gives. */
  readonly reservedSlugs: readonly string[];
}

/** Every product, by name. Pure. */
export function listProducts({ catalog, platform }: Pick<ClientDeps, 'catalog' | 'platform'>): ProductView[] {
  return Object.values(catalog.products)
    .map((product) => {
      const { name, tiers, tierChanges, suspendable = true, reservedSlugs, places, slugs = 'chosen' } = product;
      const serving = platform.cells.filter((cell) => isServed(cell, product));
      const domains = places.includes('host') ? serving.flatMap((cell) => cell.domains[name] ?? []) : [];
      const cells = serving.filter(takesTenants).map(({ id }) => id);
      const has = { name, tiers, tierChanges, suspendable, places, slugs, reservedSlugs };
      return { ...has, cells, domains: [...new Set(domains)] };
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}
