import type { TenantStatus } from './tenant-status.ts';

/** What looks from outside say of a tenant (requirement U-49). */
export const healthStatuses = [
  'healthy', // everything that it is asked for answers
  'degraded', // it answers, but slowly, or something that is not critical does not
  'unhealthy', // something critical does not answer, or with an error
  'unknown', // the way to it is broken, so that nothing is said of the tenant
] as const;
export type HealthStatus = (typeof healthStatuses)[number];

/** Of tenants in service: users reach them, or are to. The others have no health. */
export const statusesInService: readonly TenantStatus[] = ['active', 'updating', 'migrating', 'suspending'];

/** A verdict counts after so many equal results (requirement U-49). */
export const RESULTS_THAT_COUNT = 3;

/** A tenant's health. */
export interface Health {
  readonly status: HealthStatus;
  readonly since: Date;
  /** A sentence; null: healthy. */
  readonly reason: string | null;
  readonly lookedAt: Date;
}

// ---- the scheduled workflow ----

/** Id of the schedule, and prefix of its workflows' ids. */
export function healthScheduleId(installationId: string): string {
  return `tenantry.health.${installationId}`;
}

export const HEALTH_WORKFLOW = 'HealthCheck';

export interface HealthCellInput {
  readonly cell: string;
  /** ISO 8601: when the round began. Names it: a round that is repeated looks at nothing twice. */
  readonly round: string;
}

export interface HealthCellAnswer {
  readonly cell: string;
  /** Tenants that were looked at, and those that there was no time for: they come first in the next round. */
  readonly looked: number;
  readonly left: number;
  /** Tenants whose health is another one since. */
  readonly changed: number;
}

export interface HealthActivities {
  listHealthCells(): Promise<string[]>;
  checkHealth(input: HealthCellInput): Promise<HealthCellAnswer>;
}

/** Of `checkHealth`, in ms. What is begun within `roundMs` ends well before the attempt does. */
export const healthLimits = {
  roundMs: 90_000,
  startToCloseMs: 150_000,
  heartbeatMs: 30_000,
  maximumAttempts: 2,
} as const;
