import type { BlueprintRequest, Product } from './product.ts';
import { tiersOf } from './places.ts';

/** Where a tenant is, as far as its tier goes: in one that it began in, on the way to one, or in one that it came to. */
export type WayIntoTier = Required<Pick<BlueprintRequest, 'tier' | 'cameFrom' | 'isMoving'>>;

/** All that a product may be asked for a blueprint of. */
export function waysIntoTiers(product: Pick<Product, 'tiers' | 'tierChanges'>): WayIntoTier[] {
  return [
    ...tiersOf(product).map((tier) => ({ tier, cameFrom: null, isMoving: false })),
    ...product.tierChanges.flatMap(({ from, to }) =>
      [true, false].map((isMoving) => ({ tier: to, cameFrom: from, isMoving })),
    ),
  ];
}
