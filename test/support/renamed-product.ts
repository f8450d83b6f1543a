import type { Platform } from '../../src/contracts/platform.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import type { Product } from '../../src/products/product.ts';
import { examplePlatform } from './platform.ts';

/** Names as MOAMALAT's (`<product>-<slug>-<component>`), or without a component, as the guard of the cell allows too. */
export function productOf(name: string, shape: 'component' | 'bare'): Product {
  const resolve: Product['resolve'] = (request) => {
    const resolved = moamalat.resolve(request);
    const text = JSON.stringify(resolved.steps)
      .replaceAll(`moamalat-${request.slug}-backend`, `moamalat-${request.slug}${shape === 'bare' ? '' : '-web'}`)
      .replaceAll(`moamalat-${request.slug}`, `${name}-${request.slug}`);
    return { ...resolved, product: name, steps: JSON.parse(text) as typeof resolved.steps };
  };
  return { ...moamalat, name, resolve };
}

/** A platform that serves all these products. */
export function platformFor(
  products: readonly string[],
  domainOf: (product: string) => string = (name) => `${name}.example.test`,
): Platform {
  const { cells, ...rest } = examplePlatform();
  const serving = cells.map((cell) => ({
    ...cell,
    domains: Object.fromEntries(products.map((name) => [name, domainOf(name)])),
    // Their blueprints are MOAMALAT's, renamed.
    templateServices: Object.fromEntries(
      [...products, 'moamalat'].map((name) => [name, cell.templateServices['moamalat'] ?? {}]),
    ),
  }));
  return { ...rest, cells: serving };
}
