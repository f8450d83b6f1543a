import { createAccountsClient } from '../../src/cli/accounts-client.ts';
import type { ApiClient } from '../../src/cli/api-client.ts';
import type { CloudType } from '../../src/products/accounts/cloud-types.ts';
import { atTime } from '../parts/log.ts';
import type { Parts } from '../stack/parts.ts';
import { demoAccount } from './account-settings.ts';
import { follow, type Finished } from './provision.ts';

/** Makes an account and shows every step; one that fails goes back at once. */
export async function createAccount(parts: Parts, api: ApiClient, cloudType: CloudType): Promise<Finished> {
  const body = demoAccount(cloudType);
  console.log(`\n  ${atTime(`POST /accounts { "name": "${body.name}", "cloudType": "${cloudType}", ... }`)}`);
  const { id, operationId } = await clientOf(parts).create(body);
  return { tenantId: id, slug: id, ...(await follow(api, id, operationId)) };
}

/** Deletes an account and shows every step. */
export async function deleteAccount(parts: Parts, api: ApiClient, id: string): Promise<Finished> {
  console.log(`\n  ${atTime(`DELETE /accounts/${id}?confirm=${id}`)}`);
  const accepted = await clientOf(parts).delete(id, id);
  if (!('operationId' in accepted)) throw new Error(`account ${id} was gone before its deletion began`);
  return { tenantId: id, slug: id, ...(await follow(api, id, accepted.operationId)) };
}

function clientOf({ env }: Parts) {
  return createAccountsClient(env.TENANTRY_API_URL ?? '');
}
