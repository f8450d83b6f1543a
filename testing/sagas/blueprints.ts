import type { Catalog } from '../../src/catalog/catalog.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import type { Cell } from '../../src/contracts/platform.ts';
import { acceptanceProblems } from '../../src/products/acceptance-problems.ts';
import { hostIn, resolveUnplaced } from '../../src/products/places.ts';
import type { Product } from '../../src/products/product.ts';
import { accountsInExample, exampleCell } from '../example-cell.ts';

/**
 * The steps of a product's tenants, for naming the cases before anything runs.
 * @throws Error when they cannot run; the message says why
 */
export function blueprintOfProduct(product: Product, tier: string | null, { kinds }: Catalog): readonly Step[] {
  const tenant = { tenantId: '6b1f6f0e-6d5c-4b52-9a53-0d8a4d1f9c11', slug: 'acme', tier };
  const cell = cellFor(product);
  const blueprint = resolveUnplaced(product, cell, tenant);
  const host = hostIn(cell, product, tenant.slug);
  const [loadBalancer] = product.places.includes('load-balancer') ? cell.loadBalancers : [];
  const problems = acceptanceProblems(kinds, product, blueprint, { ...tenant, cell, host, loadBalancer });
  if (problems.length > 0) throw new Error(`the blueprint of ${product.name} cannot run: ${problems.join('; ')}`);
  return blueprint.steps;
}

/** A cell that serves the product, with no AWS behind it. */
function cellFor({ name, ssmParameters = [], templates }: Product): Cell {
  const services = Object.keys(templates).map((component) => [component, `${name}-${component}`] as const);
  return exampleCell({
    templateServices: { [name]: Object.fromEntries(services) },
    domains: { [name]: 'tenants.example' },
    products: [name],
    ...accountsInExample,
    ssmParameters: {
      ...Object.fromEntries(ssmParameters.map((parameter) => [parameter, 'example'])),
      ...accountsInExample.ssmParameters,
    },
  });
}
