import { createCatalog } from '../../src/catalog/catalog.ts';
import { firstProduct } from '../../examples/first-product/product.ts';
import { describeProduct } from '../../testing/index.ts';
import { part } from '../support/parts.ts';

/** What `tenantry create product` writes passes what `tenantry test` runs. */
describeProduct(firstProduct, {
  catalog: createCatalog({ products: [firstProduct] }),
  ministackUrl: async () => (await part('ministack')).url,
});
