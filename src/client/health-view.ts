import type { TenantStatus } from '../contracts/tenant-status.ts';
import type { TenantRow } from '../db/tenants.ts';
import type { HealthView } from './views.ts';

/** In service: users reach the tenant, or are to. */
const statusesInService: readonly TenantStatus[] = ['active', 'updating', 'migrating', 'suspending'];

/**
 * What looks from outside say of a tenant; null: it is not in service, or has no verdict yet. Nobody looks while an operation is at work
 * on it, or it is isolated, so that of before says nothing of now.
 */
export function healthView({
  health,
  isolation,
  status,
}: Pick<TenantRow, 'health' | 'isolation' | 'status'>): HealthView | null {
  if (!health || !statusesInService.includes(health.statusBefore ?? status)) return null;
  const { disturbedSince, lookedAt, reason, since } = health;
  if (isolation)
    return {
      status: 'unknown',
      since: isolation.since.toISOString(),
      reason: `the tenant is isolated: a notice answers at its host; before, it was ${health.status}`,
      lookedAt: lookedAt.toISOString(),
    };
  if (disturbedSince && disturbedSince > lookedAt)
    return {
      status: 'unknown',
      since: disturbedSince.toISOString(),
      reason: `an operation is open since ${disturbedSince.toISOString()}; before it, the tenant was ${health.status}`,
      lookedAt: lookedAt.toISOString(),
    };
  return { status: health.status, since: since.toISOString(), reason, lookedAt: lookedAt.toISOString() };
}
