import { describe } from 'vitest';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { firstProduct } from '../../examples/first-product/product.ts';
import { describeProduct } from '../../testing/index.ts';
import { part } from '../support/parts.ts';

describe.skipIf(process.env['CHAOS_SHORT'] === '1')('what `tenantry create product` writes', () => {
  describeProduct(firstProduct, {
    catalog: createCatalog({ products: [firstProduct] }),
    ministackUrl: async () => (await part('ministack')).url,
  });
});
