import { describeProduct } from '../../testing/index.ts';
import { accounts } from '../../src/products/accounts/product.ts';
import { part } from '../support/parts.ts';

describeProduct(accounts, { ministackUrl: async () => (await part('ministack')).url });
