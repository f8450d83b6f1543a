import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { CreateTenantInput, DeleteTenantInput, ListInput, MigrateTenantInput } from '../../client/requests.ts';
import { RequestError } from '../../client/request-error.ts';
import { tenantStatusesOf } from '../../products/accounts/provisioning-status.ts';
import type { createAccountBody, deleteAccountQuery, listAccountsQuery, moveAccountBody } from './schemas.ts';

/** Accounts are its tenants. */
export const PRODUCT = 'accounts';

export type CreateBody = z.output<typeof createAccountBody>;
export type ListQuery = z.output<typeof listAccountsQuery>;
export type MoveBody = z.output<typeof moveAccountBody>;
export type DeleteQuery = z.output<typeof deleteAccountQuery>;

/**
 * The tenant that an account is. Nobody picks a name for it, so its id is its slug; and nobody waits for a hold: the routers of its
 * services are to hear that it failed.
 */
export function inputOf({ cloudType, ...settings }: CreateBody): CreateTenantInput & { readonly tenantId: string } {
  const tenantId = randomUUID();
  return {
    product: PRODUCT,
    tier: cloudType,
    tenantId,
    slug: tenantId,
    displayName: settings.name,
    contactEmail: settings.technicalUser.email,
    onFailure: 'rollback',
    settings,
  };
}

/** To a table of its own: the only change of an account's cloud type that there is. */
export function moveOf(body: MoveBody): MigrateTenantInput {
  return { ...body, tier: 'private', onFailure: 'rollback' };
}

/** The page of tenants that a page of accounts is. */
export function pageOf({ cloudType, provisioningStatus, ...page }: ListQuery): ListInput {
  return {
    product: PRODUCT,
    tier: cloudType,
    ...(provisioningStatus !== undefined && { statuses: tenantStatusesOf(provisioningStatus) }),
    ...page,
  };
}

/**
 * The deletion of the tenant, once the account's id was typed back (C-13).
 * @throws RequestError CONFIRMATION_REQUIRED
 */
export function deletionOf(
  { tenantId: id, slug }: { readonly tenantId: string; readonly slug: string },
  { confirm, grace, export: exports }: DeleteQuery,
): DeleteTenantInput {
  if (confirm?.toLowerCase() === id) return { confirm: slug, graceMs: grace, exports };
  const typed = confirm === undefined ? 'is not confirmed' : `is not confirmed by "${confirm}"`;
  throw new RequestError(
    'CONFIRMATION_REQUIRED',
    `the deletion of account ${id} ${typed}, and nothing was deleted: type its id back (confirm=${id})`,
    { details: { parameter: 'confirm', given: confirm ?? null, expected: id } },
  );
}
