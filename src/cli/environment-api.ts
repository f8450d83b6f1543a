import { loadApiUrl } from '../config.ts';
import { createApiClient, type ApiClient } from './api-client.ts';
import { credentialsFor } from './credentials.ts';

/** The API at `TENANTRY_API_URL`, asked by whoever `TENANTRY_API_TOKEN` or the sign-in names. @throws ConfigError */
export function environmentApi(): ApiClient {
  const url = loadApiUrl();
  return createApiClient(url, credentialsFor(url));
}
