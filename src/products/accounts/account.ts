import { failureLine, LONGEST_PROVISIONING_ERROR, type Failure } from '../../contracts/errors.ts';
import type { OpenOperation } from '../../contracts/open-operation.ts';
import type { Cell } from '../../contracts/platform.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { TenantStatus } from '../../contracts/tenant-status.ts';
import { AccountPlatformError, accountPlatformOf, type AccountPlatform } from './platform.ts';
import { provisioningStatusOf, type ProvisioningStatus } from './provisioning-status.ts';
import { dedicatedTable } from './stack.ts';
import { storedAccountSettings, type Address, type License, type TechnicalUser } from './settings.ts';

/** A tenant of the product as the callers of accounts see it; times are ISO 8601. */
export interface Account {
  readonly id: string;
  readonly name: string;
  readonly cloudType: string;
  /** Of DynamoDB. Null: nothing of the account is left, or its cell is not described (as it has to be for accounts) any more. */
  readonly tableName: string | null;
  readonly provisioningStatus: ProvisioningStatus;
  /** Why it is not (or not yet) what it is to be, where something failed: code, message and detail. */
  readonly provisioningError?: string | undefined;
  /** Null: it was made without one. */
  readonly masterAccountName: string | null;
  /** Empty as well once nothing of the account is left. */
  readonly addresses: readonly Address[];
  /** Null: it was made without one, or nothing of the account is left. */
  readonly technicalUser: TechnicalUser | null;
  /** With their contacts; empty as well once nothing of the account is left. */
  readonly licenses: readonly License[];
  readonly cell: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly activatedAt: string | null;
  readonly deletedAt: string | null;
  /** Of a deletion in its grace period: when it begins to remove. */
  readonly deletesAt: string | null;
  /** What is in progress of it, such as a move. Null: nothing is. */
  readonly openOperation: OpenOperation | null;
}

/** What is read of the tenant that an account is. */
export interface AccountTenant {
  readonly tenantId: string;
  readonly tier: string | null;
  readonly displayName: string;
  readonly cell: string;
  readonly status: TenantStatus;
  readonly cleanupPending: boolean;
  readonly settings: Settings;
  readonly error?: Failure | undefined;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly activatedAt: string | null;
  readonly deletedAt: string | null;
  readonly deletesAt?: string | null | undefined;
  readonly openOperation?: OpenOperation | null | undefined;
}

/** @param cell the account's, as it is described now. Pure. */
export function accountOf(tenant: AccountTenant, cell: Cell | undefined): Account {
  const { tenantId: id, tier, createdAt, updatedAt, activatedAt, deletedAt } = tenant;
  const { deletesAt = null, openOperation = null } = tenant;
  // The door and the product have checked them.
  const settings = storedAccountSettings.safeParse(tenant.settings).data ?? {};
  const isLeft = !isGone(tenant);
  // Who lived where and whom to write to goes with the account.
  const { addresses = [], licenses = [], technicalUser = null } = isLeft ? settings : {};
  return {
    id,
    name: settings.name ?? tenant.displayName,
    cloudType: tier ?? '',
    tableName: isLeft ? tableNameOf(tenant, cell) : null,
    ...provisioningOf(tenant),
    masterAccountName: settings.masterAccountName ?? null,
    ...{ addresses, technicalUser, licenses },
    cell: tenant.cell,
    ...{ createdAt, updatedAt, activatedAt, deletedAt, deletesAt },
    openOperation,
  };
}

/** How far an account is. Pure. */
export function provisioningOf({
  status,
  error,
}: Pick<AccountTenant, 'status' | 'error'>): Pick<Account, 'provisioningStatus' | 'provisioningError'> {
  const provisioningStatus = provisioningStatusOf(status);
  // Of an account that serves, what failed was a change of it.
  if (error === undefined || provisioningStatus === 'active') return { provisioningStatus };
  return {
    provisioningStatus,
    provisioningError: failureLine(error).slice(0, LONGEST_PROVISIONING_ERROR).toWellFormed(),
  };
}

function isGone({ cleanupPending, status }: Pick<AccountTenant, 'cleanupPending' | 'status'>): boolean {
  return status === 'deleted' || (status === 'failed' && !cleanupPending);
}

function tableNameOf({ tier, tenantId }: Pick<AccountTenant, 'tier' | 'tenantId'>, cell: Cell | undefined) {
  const platform = cell && platformOrNone(cell);
  if (!platform) return null;
  return tier === 'private' ? dedicatedTable(platform, tenantId) : platform.sharedTable;
}

function platformOrNone(cell: Cell): AccountPlatform | undefined {
  try {
    return accountPlatformOf(cell);
  } catch (error) {
    if (error instanceof AccountPlatformError) return undefined;
    throw error;
  }
}
