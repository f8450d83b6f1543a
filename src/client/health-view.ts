import { RESULTS_THAT_COUNT, statusesInService } from '../contracts/health.ts';
import type { TenantRow } from '../db/tenants.ts';
import type { HealthView } from './views.ts';

/**
 * What looks from outside say of a tenant; null: it is not in service, or has no verdict yet. Nobody looks while an operation is at work
 * on it, so that of before says nothing of now.
 */
export function healthView({ health, status }: Pick<TenantRow, 'health' | 'status'>): HealthView | null {
  if (!health || !statusesInService.includes(health.statusBefore ?? status)) return null;
  const { disturbedSince, disturbedUntil, lookedAt, reason, since } = health;
  const look = {
    lookedAt: lookedAt.toISOString(),
    lastLook: { status: health.result, inARow: health.results, needed: RESULTS_THAT_COUNT },
  };
  if (disturbedSince && disturbedSince > lookedAt)
    return {
      status: 'unknown',
      since: disturbedSince.toISOString(),
      reason: `an operation is at work since ${disturbedSince.toISOString()}; before it, the tenant was ${health.status}`,
      reasonAt: disturbedSince.toISOString(),
      ...look,
      outdatedSince: null,
    };
  return {
    status: health.status,
    since: since.toISOString(),
    reason,
    // A verdict is recorded with its reason; what counts for it afterwards is not.
    reasonAt: reason === null ? null : since.toISOString(),
    ...look,
    outdatedSince: disturbedUntil && disturbedUntil > lookedAt ? disturbedUntil.toISOString() : null,
  };
}
