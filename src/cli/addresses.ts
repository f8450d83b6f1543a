import type { Open } from './open-answers.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';

/** Whether a tenant's address answers: it does, it does not yet, it may still, there is none (any more), or a later release knows. */
type AddressState = 'live' | 'planned' | 'ending' | 'none' | 'unknown';

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

/**
 * A tenant's URL for people, labeled when it does not answer; undefined when there is none, or nothing behind it. A deletion in its grace
 * period has removed nothing. Pure.
 */
export function addressText({ status, tenantUrl, deletesAt }: Addressed): string | undefined {
  if (tenantUrl === null) return undefined;
  if (typeof deletesAt === 'string') return tenantUrl;
  switch (stateOf(status)) {
    case 'unknown':
      return `${tenantUrl} (${status})`;
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

function stateOf(status: Open<TenantStatus>): AddressState {
  return Object.entries(addressStates).find(([known]) => known === status)?.[1] ?? 'unknown';
}

interface Addressed {
  readonly status: Open<TenantStatus>;
  readonly tenantUrl: string | null;
  /** Of a deletion in its grace period. */
  readonly deletesAt?: string | null | undefined;
}
