import { defineConfig } from 'tenantry';
import { firstProduct } from './product.ts';

export default defineConfig({ products: [firstProduct] });
