import type { z } from 'zod';
import type { Conditional } from '../../client/precondition.ts';
import type {
  ChangeTenantInput,
  CreateTenantInput,
  DeleteTenantInput,
  ListInput,
  MigrateTenantInput,
} from '../../client/requests.ts';
import { tenantStatusesOf } from '../../products/accounts/provisioning-status.ts';
import type {
  changeAccountBody,
  createAccountBody,
  deleteAccountQuery,
  listAccountsQuery,
  moveAccountBody,
} from './schemas.ts';

/** Accounts are its tenants. */
export const PRODUCT = 'accounts';

export type CreateBody = z.output<typeof createAccountBody>;
export type ChangeBody = z.output<typeof changeAccountBody>;
export type ListQuery = z.output<typeof listAccountsQuery>;
export type MoveBody = z.output<typeof moveAccountBody>;
export type DeleteQuery = z.output<typeof deleteAccountQuery>;

/** The tenant that an account is. Nobody waits for a hold: the routers of its services are to hear that it failed. */
export function inputOf({ cloudType, ...settings }: CreateBody): CreateTenantInput {
  return {
    product: PRODUCT,
    tier: cloudType,
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

/** Fields of an account that a change of its tenant's fields changed: its settings are its fields. */
export function changedOf(fields: readonly string[]): string[] {
  const prefix = 'settings.';
  return fields.filter((field) => field.startsWith(prefix)).map((field) => field.slice(prefix.length));
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

/** The deletion of the tenant: the account's id is its slug, which the client asks for (C-13). */
export function deletionOf({ confirm, grace, export: exports, ifMatch }: DeleteQuery & Conditional): DeleteTenantInput {
  return { confirm, graceMs: grace, exports, ifMatch };
}

/** A change of the tenant's settings: they are the account's fields. */
export function changeOf(patch: ChangeBody): ChangeTenantInput {
  return { settings: patch, settingsAt: ['body'] };
}
