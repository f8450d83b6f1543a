import type { ApiClient } from '../../src/cli/api-client.ts';
import type { CloudType } from '../../src/products/accounts/cloud-types.ts';
import { atTime } from '../parts/log.ts';
import type { Parts } from '../stack/parts.ts';
import { demoAccount } from './account-settings.ts';
import { accountsOf } from './clients.ts';
import { follow, type Finished } from './provision.ts';

/** Makes an account and shows every step; one that fails goes back at once. */
export async function createAccount(parts: Parts, api: ApiClient, cloudType: CloudType): Promise<Finished> {
  const body = demoAccount(cloudType);
  console.log(`\n  ${atTime(`POST /accounts { "name": "${body.name}", "cloudType": "${cloudType}", ... }`)}`);
  const { id, operationId } = await accountsOf(parts).create(body);
  return { tenantId: id, slug: id, ...(await follow(api, id, operationId)) };
}

/** Deletes an account and shows every step. */
export async function deleteAccount(parts: Parts, api: ApiClient, id: string): Promise<Finished> {
  console.log(`\n  ${atTime(`DELETE /accounts/${id}?confirm=${id}`)}`);
  const accepted = await accountsOf(parts).delete(id, id);
  if (!('operationId' in accepted)) throw new Error(`account ${id} was gone before its deletion began`);
  return { tenantId: id, slug: id, ...(await follow(api, id, accepted.operationId)) };
}
