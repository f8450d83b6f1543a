import { defineConfig, logGroup, moamalat } from 'tenantry';

export default defineConfig({ products: [moamalat], kinds: [logGroup] });
