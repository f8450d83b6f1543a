import { defineConfig } from 'tenantry';
import { ledger } from '../../../examples/ledger/product.ts';
import notesConfig from '../../../examples/notes/tenantry.config.ts';

export default defineConfig({ ...notesConfig, products: [...notesConfig.products, ledger] });
