import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { blueprintProblems, type Step } from '../../src/contracts/blueprint.ts';
import type { Product } from '../../src/products/product.ts';
import { exampleCell } from '../support/platform.ts';

/** The steps of a product's tenants, for naming the cases before anything runs. */
export function blueprintOfProduct(product: Product): readonly Step[] {
  const cell = exampleCell();
  const blueprint = product.resolve({
    cell,
    loadBalancer: cell.loadBalancers[0]!,
    tenantId: '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11',
    slug: 'acme',
    tier: product.tiers[0] ?? null,
    host: 'acme.moamalat-pro.com',
  });
  const problems = blueprintProblems(blueprint, defaultCatalog.kinds);
  if (problems.length > 0) throw new Error(`the blueprint of ${product.name} cannot run: ${problems.join('; ')}`);
  return blueprint.steps;
}
