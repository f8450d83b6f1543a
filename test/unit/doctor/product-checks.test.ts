import { createCatalog } from '../../../src/catalog/catalog.ts';
import { describe, expect, it } from 'vitest';
import type { Product } from '../../../src/products/product.ts';
import { moamalat } from '../../../src/products/moamalat/product.ts';
import { checkProducts } from '../../../src/doctor/product-checks.ts';
import { exampleCell } from '../../support/platform.ts';

/** Moamalat with another set of tenant migrations. */
function withMigrations(migrations: string): Product {
  return {
    ...moamalat,
    resolve: (request) => {
      const blueprint = moamalat.resolve(request);
      const steps = blueprint.steps.map((step) =>
        step.kind === 'postgres-schema' ? { ...step, spec: { ...step.spec, migrations } } : step,
      );
      return { ...blueprint, steps };
    },
  };
}

describe('the check of products', () => {
  it('finds a product in order whose set of tenant migrations can be read', () => {
    const [finding] = checkProducts(exampleCell(), createCatalog({ products: [withMigrations('moamalat')] }));
    expect(finding).toMatchObject({ verdict: 'ok' });
  });

  it('names a set of tenant migrations that is not there, before the first tenant does', () => {
    const [finding] = checkProducts(exampleCell(), createCatalog({ products: [withMigrations('nobodys')] }));
    expect(finding).toMatchObject({
      verdict: 'problem',
      detail: 'there is no set of tenant migrations "nobodys"',
    });
  });
});
