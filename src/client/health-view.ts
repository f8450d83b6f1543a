import type { TenantStatus } from '../contracts/tenant-status.ts';
import type { TenantRow } from '../db/tenants.ts';
import type { HealthView } from './views.ts';

/** In service: users reach the tenant, or are to. */
const statusesInService: readonly TenantStatus[] = ['active', 'updating', 'migrating', 'suspending'];

/** What looks from outside say of a tenant; null: it is not in service, or has no verdict yet. */
export function healthView({ health, status }: Pick<TenantRow, 'health' | 'status'>): HealthView | null {
  if (!health || !statusesInService.includes(status)) return null;
  return { ...health, since: health.since.toISOString(), lookedAt: health.lookedAt.toISOString() };
}
