import type { Product } from './product.ts';

/** Products of an installation, by name. */
export type Products = Readonly<Record<string, Product>>;

/** Undefined: the installation does not have it (any more). */
export function knownProduct(products: Products, name: string): Product | undefined {
  return Object.hasOwn(products, name) ? products[name] : undefined;
}

/** What the product's callers call a tenant, for messages. */
export function nounOf(products: Products, { product }: { readonly product: string }): string {
  return knownProduct(products, product)?.noun ?? 'tenant';
}
