/** What sets a thing apart from what was applied. */
export const differenceClasses = [
  'missing', // it is not there
  'changed', // it is there, and a field of it is another
  'extra', // it has something that nobody asked for
] as const;
export type DifferenceClass = (typeof differenceClasses)[number];

/** What brings a thing back to what was applied. */
export const driftRemedies = [
  'repair', // the tenant's repair: the step is made again
  'resume', // a suspended tenant's resumption: a repair of it is refused
  'refresh', // an update that clones the template as it is now
  'hand', // a person: nothing of Tenantry changes it
] as const;
export type DriftRemedy = (typeof driftRemedies)[number];

/** How drift is repaired: an operator asks for each repair, or a worker begins it, a few at a time. */
export const driftRepairPolicies = ['approval', 'automatic'] as const;
export type DriftRepairPolicy = (typeof driftRepairPolicies)[number];

/** One difference of a step, as its kind tells it. Neither side holds a secret. */
export interface Difference {
  readonly is: DifferenceClass;
  /** Of a missing thing: its type and name. */
  readonly field: string;
  readonly wanted?: unknown;
  readonly found?: unknown;
  /** Default: `repair`. */
  readonly remedy?: DriftRemedy | undefined;
}

/** Who saw a finding: a look at the tenant's own steps, or the sweep among all that a cell has. */
export type DriftSource = 'look' | 'sweep';

/** A difference of a tenant's step. */
export interface DriftFinding {
  readonly stepId: string;
  readonly is: DifferenceClass;
  readonly field: string;
  readonly wanted: unknown;
  readonly found: unknown;
  readonly remedy: DriftRemedy;
  readonly source: DriftSource;
}

/** A step that could not be looked at, so that nothing is said of it. */
export interface UnseenStep {
  /** Empty: none of the tenant's. */
  readonly stepId: string;
  readonly code: string;
  readonly message: string;
}

/**
 * What came of a look at a tenant. `void`: an operation was open or began meanwhile, or the tenant is not one that is looked at: nothing
 * is said.
 */
export type DriftOutcome = 'none' | 'drift' | 'unknown' | 'void';

export interface DriftLook {
  readonly tenantId: string;
  readonly product: string;
  readonly slug: string;
  readonly cell: string;
  readonly outcome: DriftOutcome;
  readonly findings: readonly DriftFinding[];
  readonly unseen: readonly UnseenStep[];
  /** Why it is void, a sentence. */
  readonly why?: string | undefined;
}

// ---- the scheduled workflow ----

/** Id of the schedule, and prefix of its workflows' ids. */
export function driftScheduleId(installationId: string): string {
  return `tenantry.drift.${installationId}`;
}

export const DRIFT_WORKFLOW = 'DriftCheck';

export interface DriftPageInput {
  readonly cell: string;
  /** Id of the last tenant of the page before; absent: the first page. */
  readonly after?: string | undefined;
}

export interface DriftPageAnswer {
  readonly looked: number;
  readonly drifting: number;
  readonly unknown: number;
  /** Absent: it was the last page. */
  readonly after?: string | undefined;
}

export interface DriftActivities {
  listDriftCells(): Promise<string[]>;
  lookAtTenants(input: DriftPageInput): Promise<DriftPageAnswer>;
}

/** Of `lookAtTenants`, in ms: its calls come after everybody else's. */
export const driftPageLimits = { startToCloseMs: 30 * 60_000, heartbeatMs: 60_000, maximumAttempts: 3 } as const;

/** Tenants that one activity looks at. */
export const DRIFT_PAGE = 25;
