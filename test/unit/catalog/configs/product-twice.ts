import { defineConfig, moamalat } from 'tenantry';

export default defineConfig({ products: [moamalat, moamalat] });
