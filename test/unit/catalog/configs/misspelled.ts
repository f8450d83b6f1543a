import { defineConfig, moamalat } from '../../../../src/index.ts';

const misspelled = { products: [moamalat], kind: [] };
export default defineConfig(misspelled);
