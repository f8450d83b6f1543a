import { accountsInExample, examplePlatform } from '../support/platform.ts';

export const SHARED_TABLE = accountsInExample.sharedTables[0];

/** For `createApiFixture`: an installation whose one cell serves accounts. */
export const withAccounts = { platform: examplePlatform({ ...accountsInExample, products: ['accounts'] }) };

const license = {
  ...{ enterpriseId: 'ent-1', productId: 'prod-1', serviceId: 'svc-1' },
  ...{ startDate: '2026-01-01', endDate: '2026-12-31' },
  ...{ contactFullName: 'Ada Lovelace', contactEmail: 'ada@acme.example' },
};
const address = { type: 'billing', line1: '1 Main Street', city: 'Berlin', country: 'DE' };

/** Body of `POST /accounts`. */
export const acmeAccount = {
  name: 'ACME Corporation',
  masterAccountName: 'acme-master',
  cloudType: 'public',
  addresses: [address],
  technicalUser: { name: 'Ada Lovelace', email: 'ada@acme.example' },
  licenses: [license],
} as const;
