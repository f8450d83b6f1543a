/** Status of a tenant: what its users see. (The operation's *state* is another thing: `operation-state.ts`.) */
export const tenantStatuses = [
  'pending', // accepted, no run yet
  'validating', // a run has claimed the operation
  'creating', // resources are being made, or taken back
  'active', // wholly there
  'failed', // creation is stuck, or closed without success
  'suspending',
  'suspended',
  'resuming',
  'updating',
  'migrating',
  'deleting', // a deprovisioning is under way, or stuck
  'deleted', // wholly gone
] as const;

export type TenantStatus = (typeof tenantStatuses)[number];

/**
 * Allowed transitions: the one table that API, workflow and database share (the database's copy is the table
 * `tenant_status_transitions`, held against this one by a test).
 */
export const tenantStatusTransitions: Readonly<Record<TenantStatus, readonly TenantStatus[]>> = {
  pending: ['validating', 'deleted'], // deleted: the start was withdrawn
  validating: ['creating', 'failed'],
  creating: ['active', 'failed'],
  active: ['suspending', 'updating', 'migrating', 'deleting'],
  failed: ['creating', 'deleting', 'deleted'], // creating: `retry` of a stuck rollback
  suspending: ['suspended', 'active', 'deleting'],
  suspended: ['resuming', 'deleting'],
  resuming: ['active', 'suspended', 'deleting'],
  updating: ['active', 'deleting'], // deleting: an update that cannot be finished is superseded
  migrating: ['active', 'deleting'], // deleting: a change of tier that cannot be finished is superseded
  deleting: ['deleted', 'active', 'suspended', 'failed'], // back: cancelled within its grace period
  deleted: [],
};

/** A tenant that people use, or are about to use again: what it lacks is brought back, not removed. */
export function isInUse(status: TenantStatus): boolean {
  switch (status) {
    case 'active':
    case 'suspending':
    case 'suspended':
    case 'resuming':
    case 'updating':
    case 'migrating':
      return true;
    case 'pending':
    case 'validating':
    case 'creating':
    case 'failed':
    case 'deleting':
    case 'deleted':
      return false;
  }
}
