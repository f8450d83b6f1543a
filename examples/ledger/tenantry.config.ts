import { defineConfig } from 'tenantry';
import { ledger } from './product.ts';

export default defineConfig({ products: [ledger] });
