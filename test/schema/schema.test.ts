import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { describeHeldApi } from './held-api.ts';

// Every operation, those of accounts too.
describeHeldApi({ role: 'platform-admin', catalog: defaultCatalog });
