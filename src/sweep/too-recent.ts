import { LONGEST_LATENESS_MS } from '../contracts/verbs.ts';
import type { SweptItem } from '../contracts/sweep.ts';
import type { SweptTenant } from '../db/sweep-ledger.ts';

/**
 * Why it is too early to call a thing a leak: something of its tenant is under way, or an effect may still land (design rule 7).
 * Undefined when it is not. A stuck operation is not under way: it waits for a person.
 */
export function tooRecentReason(
  item: Pick<SweptItem, 'createdAt'>,
  tenant: SweptTenant | undefined,
  now: Date,
): string | undefined {
  const sinceMs = (at: Date) => now.getTime() - at.getTime();
  if (item.createdAt && sinceMs(item.createdAt) < LONGEST_LATENESS_MS)
    return `it was made ${ago(sinceMs(item.createdAt))}`;
  if (!tenant) return undefined;
  if (tenant.openOperationId !== null && tenant.openOperationState !== 'stuck')
    return `operation ${tenant.openOperationId} of its tenant is ${tenant.openOperationState ?? 'open'}`;
  if (tenant.unclearUntil && tenant.unclearUntil.getTime() > now.getTime())
    return `an effect of a lost answer may land until ${tenant.unclearUntil.toISOString()}`;
  if (tenant.lastEventAt && sinceMs(tenant.lastEventAt) < LONGEST_LATENESS_MS)
    return `something happened to its tenant ${ago(sinceMs(tenant.lastEventAt))}`;
  return undefined;
}

function ago(ms: number): string {
  return ms < 0 ? 'just now' : `${Math.floor(ms / 1000)} s ago`;
}
