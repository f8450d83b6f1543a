import type { Blueprint } from '../contracts/blueprint.ts';
import type { LoadBalancerShare } from '../contracts/load-balancer-share.ts';
import type { Cell } from '../contracts/platform.ts';
import type { KindRegistry } from '../kinds/framework/registry.ts';
import type { BlueprintRequest, Product } from './product.ts';

/** Whether tenants of a product can be made in a cell: it has a domain for their hosts, or lists the product where they have none. */
export function isServed(cell: Cell, { name, places }: Pick<Product, 'name' | 'places'>): boolean {
  return places.includes('host') ? cell.domains[name] !== undefined : cell.products?.includes(name) === true;
}

/** Whether further tenants are made in a cell; what it serves it serves either way. */
export function takesTenants({ acceptsTenants = true }: Pick<Cell, 'acceptsTenants'>): boolean {
  return acceptsTenants;
}

/** The host of a tenant in a cell; undefined for a product whose tenants have none. @throws RangeError when the cell has no domain for it */
export function hostIn(
  cell: Cell,
  { name, places }: Pick<Product, 'name' | 'places'>,
  slug: string,
): string | undefined {
  if (!places.includes('host')) return undefined;
  const domain = cell.domains[name];
  if (domain === undefined) throw new RangeError(`cell "${cell.id}" names no domain for the product ${name}`);
  return `${slug}.${domain}`;
}

/** The sizes that a product's tenants have: null, and nothing else, where it has no tiers. */
export function tiersOf({ tiers }: Pick<Product, 'tiers'>): readonly (string | null)[] {
  return tiers.length === 0 ? [null] : tiers;
}

/**
 * What a tenant takes of its load balancer, for as long as it lives: what its blueprint makes there, and a rule more for the notice
 * that answers while it is suspended. Pure.
 */
export function loadBalancerShare({ kinds }: KindRegistry, { steps }: Pick<Blueprint, 'steps'>): LoadBalancerShare {
  const sum = (what: keyof LoadBalancerShare) =>
    steps.reduce((total, { kind }) => total + (kinds.get(kind)?.loadBalancerShare?.[what] ?? 0), 0);
  const rules = sum('rules');
  return { rules: rules === 0 ? 0 : rules + 1, targetGroups: sum('targetGroups') };
}

/**
 * The blueprint of a tenant that is not accepted, as if it were placed on the cell's first load balancer.
 * @throws Error when the cell cannot serve the product
 */
export function resolveUnplaced(
  product: Product,
  cell: Cell,
  tenant: Pick<BlueprintRequest, 'tenantId' | 'slug' | 'tier' | 'settings' | 'cameFrom' | 'isMoving'>,
): Blueprint {
  const [loadBalancer] = product.places.includes('load-balancer') ? cell.loadBalancers : [];
  return product.resolve({ cell, ...tenant, host: hostIn(cell, product, tenant.slug), loadBalancer });
}
