import type { Caller } from '../contracts/caller.ts';
import type { Queryable } from '../db/database.ts';
import { isCreatedBy, type TenantReach } from '../db/tenant-reach.ts';
import { RequestError } from './request-error.ts';

/** Which tenants a list of the caller's may hold; undefined: all. */
export function reachOf({ principal, role, scope }: Caller): TenantReach | undefined {
  if (!scope) return undefined;
  if (scope.kind === 'tenants') return { ids: scope.ids };
  // It may delete: a key of that name that had another role before has made others' tenants.
  return role === 'canary' ? { createdBy: principal, as: role } : { createdBy: principal };
}

/**
 * Refuses another's tenant, and one that there is not, in the same words. Neither who made a tenant nor a credential's tenants change, so
 * what holds here holds in the transaction that follows.
 * @throws RequestError TENANT_MISMATCH
 */
export async function assertReachable(db: Queryable, caller: Caller, tenantId: string): Promise<void> {
  const reach = reachOf(caller);
  if (!reach) return;
  const isReached = 'ids' in reach ? reach.ids.includes(tenantId) : await isCreatedBy(db, tenantId, reach);
  if (isReached) return;
  throw unreached(caller, tenantId, { tenantId });
}

/** Says no more of another's tenant, or account, than of one that there is not. @param name as the request has it */
export function unreached(
  { principal }: Caller,
  name: string,
  details: Readonly<Record<string, string>>,
): RequestError {
  return new RequestError('TENANT_MISMATCH', `${name} is none that ${principal} may reach`, { details });
}
