import type { TenantStatus } from '../contracts/tenant-status.ts';

/** Whether a tenant's address answers: it does, it does not yet, it may still, or there is none (any more). */
type AddressState = 'live' | 'planned' | 'ending' | 'none';

const addressStates: Readonly<Record<TenantStatus, AddressState>> = {
  pending: 'planned',
  validating: 'planned',
  creating: 'planned',
  active: 'live',
  failed: 'none',
  suspending: 'live',
  suspended: 'live',
  resuming: 'live',
  updating: 'live',
  migrating: 'live',
  deleting: 'ending',
  deleted: 'none',
};

/** A tenant's URL for people, labeled when it does not answer; undefined when there is none, or nothing behind it. Pure. */
export function addressText({ status, tenantUrl }: Addressed): string | undefined {
  if (tenantUrl === null) return undefined;
  switch (addressStates[status]) {
    case 'live':
      return tenantUrl;
    case 'planned':
      return `${tenantUrl} (not live yet)`;
    case 'ending':
      return `${tenantUrl} (being removed)`;
    case 'none':
      return undefined;
  }
}

interface Addressed {
  readonly status: TenantStatus;
  readonly tenantUrl: string | null;
}
