import { tenantStatuses, type TenantStatus } from '../../contracts/tenant-status.ts';

/** What the callers of accounts see: the words of requirement R-SSM-02, and `deleted` of an account of which nothing is left. */
export const provisioningStatuses = ['pending', 'creating', 'active', 'failed', 'deleting', 'deleted'] as const;
export type ProvisioningStatus = (typeof provisioningStatuses)[number];

/** An account serves while it is changed or moved, and nothing of it stops when its tenant is suspended. */
const ofTenant: Readonly<Record<TenantStatus, ProvisioningStatus>> = {
  pending: 'pending',
  validating: 'creating',
  creating: 'creating',
  active: 'active',
  failed: 'failed',
  suspending: 'active',
  suspended: 'active',
  resuming: 'active',
  updating: 'active',
  migrating: 'active',
  deleting: 'deleting',
  deleted: 'deleted',
};

/** Of an account whose tenant has this status. Pure. */
export function provisioningStatusOf(status: TenantStatus): ProvisioningStatus {
  return ofTenant[status];
}

/** The statuses of tenants whose accounts are so. Pure. */
export function tenantStatusesOf(provisioningStatus: ProvisioningStatus): TenantStatus[] {
  return tenantStatuses.filter((status) => ofTenant[status] === provisioningStatus);
}
