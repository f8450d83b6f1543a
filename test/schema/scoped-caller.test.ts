import { createCatalog } from '../../src/catalog/catalog.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { describeHeldApi } from './held-api.ts';

// Of an installation without accounts, whose description lacks them; most of it is refused for the role.
describeHeldApi({ role: 'tenant-admin', catalog: createCatalog({ products: [moamalat] }) });
