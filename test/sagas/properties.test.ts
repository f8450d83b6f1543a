import { describeProduct } from '../../testing/index.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { part } from '../support/parts.ts';

describeProduct(moamalat, { ministackUrl: async () => (await part('ministack')).url });
