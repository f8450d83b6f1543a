import { healthStatuses } from './health.ts';

/** How lists of tenants may be sorted; `-`: descending. Equals are told apart by their ids. */
export const tenantSorts = ['createdAt', '-createdAt', 'slug', '-slug', 'updatedAt', '-updatedAt'] as const;
export type TenantSort = (typeof tenantSorts)[number];

/** Newest first. */
export const DEFAULT_TENANT_SORT: TenantSort = '-createdAt';

/** What may be asked of tenants' health. */
export const healthFilters = [
  ...healthStatuses,
  'none', // it has none: it is not in service, or was not looked at yet
] as const;
export type HealthFilter = (typeof healthFilters)[number];

/** Whether a tenant is not as it was applied; `unknown`: no look says so for now. */
export const driftFilters = ['yes', 'no', 'unknown'] as const;
export type DriftFilter = (typeof driftFilters)[number];

/** Of a text that is searched for, in characters. */
export const LONGEST_SEARCH = 100;
