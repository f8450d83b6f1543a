import { createAccountsClient, type AccountsClient } from '../../src/cli/accounts-client.ts';
import { createApiClient, type ApiClient } from '../../src/cli/api-client.ts';
import type { Parts } from '../stack/parts.ts';

type Door = Pick<Parts, 'env' | 'credentials'>;

/** The sandbox's API, called by the sandbox itself. */
export function apiOf({ env, credentials }: Door): ApiClient {
  return createApiClient(env.TENANTRY_API_URL ?? '', credentials);
}

/** Its routes of accounts, likewise. */
export function accountsOf({ env, credentials }: Door): AccountsClient {
  return createAccountsClient(env.TENANTRY_API_URL ?? '', credentials);
}
