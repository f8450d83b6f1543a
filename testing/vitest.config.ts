import { defineConfig } from 'vitest/config';

/** For `tenantry test`: one file, whose tests start what they need. */
export default defineConfig({
  test: {
    include: ['testing/product-suite.test.ts'],
    reporters: ['verbose'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
});
