import { defineConfig, moamalat, tenantActivation } from 'tenantry';

export default defineConfig({
  products: [moamalat, { ...moamalat, name: 'notes', tiers: ['free', 'team'] }],
  kinds: [{ ...tenantActivation, name: 'nothing-at-all' }],
});
