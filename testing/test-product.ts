import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadCatalog } from '../src/catalog/load.ts';
import { catalogFileOf } from '../src/config.ts';
import { tiersOf } from '../src/products/places.ts';
import { runGroup } from './run-group.ts';

const packageFolder = fileURLToPath(new URL('../', import.meta.url));

/**
 * Runs `product-suite.ts` for a product of the configuration, and prints what it prints.
 * @returns exit code: 0 when all passed; 128 + the number of a signal that stopped it, with all that it had started
 * @throws RangeError naming what there is, when product or tier is unknown
 */
export async function testProduct(name: string, tier: string | undefined): Promise<number> {
  const file = catalogFileOf(process.env);
  const { products } = await loadCatalog(file);
  const product = products[name];
  if (!product) throw new RangeError(`there is no product "${name}" (there are: ${Object.keys(products).join(', ')})`);
  if (tier !== undefined && !tiersOf(product).includes(tier))
    throw new RangeError(`${name} has no tier "${tier}" (it has: ${product.tiers.join(', ') || 'none'})`);
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const config = join(packageFolder, 'testing', 'vitest.config.ts');
  return runGroup({
    args: [vitest, 'run', '--root', packageFolder, '--config', config],
    env: {
      ...process.env,
      ...(file !== undefined && { TENANTRY_CONFIG: resolve(file) }),
      TENANTRY_TEST_PRODUCT: name,
      ...(tier !== undefined && { TENANTRY_TEST_TIER: tier }),
    },
  });
}
