import { defineConfig } from 'tenantry';
import { starter } from './product.ts';

export default defineConfig({ products: [starter] });
