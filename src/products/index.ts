import { moamalat } from './moamalat.ts';
import type { Product } from './product.ts';

/** Every product of this installation, by name: a new product is one file and a row here. */
export const products: Readonly<Record<string, Product>> = { moamalat };
