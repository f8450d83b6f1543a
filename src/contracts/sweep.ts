import type { Caller } from './caller.ts';

/** What a finding of the sweep is; `docs/architecture.md`, "The sweep". */
export const findingClasses = [
  'leak', // bears this installation's mark, and no row of the ledger holds it
  'unmarked', // a name of our pattern, or a thing of the ledger, without our mark: reported only
  'missing', // the ledger says it is there, and it is not
  'left', // a row of the ledger that a closed or stuck operation left: the tenant's own commands finish it
  'lost-run', // an open operation whose run is not open in Temporal
  'stale-allocation', // a place that nobody takes any more
] as const;
export type FindingClass = (typeof findingClasses)[number];

/** Classes that an approved report may take away or finish. */
export const removableClasses: readonly FindingClass[] = ['leak', 'lost-run', 'stale-allocation'];

/** One thing that exists, as its own API lists it. */
export interface SweptItem {
  /** As in the ledger: `ecs:service`; a schema and its role count as one. */
  readonly type: string;
  /** ARN, `<zone id>/<host>` or `<database id>/<schema>`. */
  readonly physicalId: string;
  /** As the ledger names it. */
  readonly name: string;
  /** The ownership mark, as tags; empty without one. Undefined: not read, because the ledger holds it. */
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** Where the API tells it. */
  readonly createdAt: Date | undefined;
  /** Why it goes away by itself, when it does. */
  readonly passing: string | undefined;
  /** What its fingerprint is made of: all that would make it another thing, nothing that changes by itself. */
  readonly seen: Readonly<Record<string, unknown>>;
}

/** What the listing need not look at closely: the ledger holds it, so its tags cost no call. */
export type IsHeld = (type: string, name: string, physicalId: string) => boolean;

/** What of a type exists in a cell, by that type's own API. Every method throws StepError. */
export interface TypeList {
  /** Everything of the type, foreign things too. */
  list(isHeld: IsHeld): Promise<SweptItem[]>;
  /** One thing, looked at closely, as it is now; undefined when it is not there. */
  find(ref: { readonly name: string; readonly physicalId: string }): Promise<SweptItem | undefined>;
}

/** Who made a thing, as far as its mark tells. */
export interface KnownOwner {
  readonly installationId?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly product?: string | undefined;
  readonly operationId?: string | undefined;
  readonly stepId?: string | undefined;
}

export interface SweepFinding {
  /** The same for the same thing in every report: 12 hexadecimal digits. */
  readonly id: string;
  readonly class: FindingClass;
  /** A type of the ledger, `operation` or `allocation`. */
  readonly type: string;
  /** ARN, `<zone>/<host>`, `<database>/<schema>`, operation id or allocation id. */
  readonly physicalId: string;
  readonly name: string;
  readonly owner: KnownOwner;
  /** Why it is a finding, a sentence. */
  readonly why: string;
  /** What to do about it: for people. */
  readonly remedy: string;
  /** ISO 8601: the first of the unbroken row of reports that show it. */
  readonly firstSeenAt: string;
  /** SHA-256 of all that was seen of it; a removal happens only while it is the same. */
  readonly fingerprint: string;
  /** Whether an approved report may take it away. */
  readonly removable: boolean;
}

/** Something that would be a finding, were it not that work on it may still be under way. */
export interface TooYoung {
  readonly type: string;
  readonly physicalId: string;
  readonly why: string;
}

/** How the ledger stands to the mark that is kept of it outside the database. */
export type MarkState =
  | 'intact' // the marked event is there, as it was marked
  | 'broken' // it is not: the ledger is older than the mark (a restored backup), or another one
  | 'missing' // there is no mark, and none may be made by itself
  | 'unreachable'; // nobody knows

export interface MarkVerdict {
  readonly state: MarkState;
  /** A sentence: what was seen. */
  readonly detail: string;
  /** Of a mark that is missing or unreachable: whether this ledger marked the cell before. */
  readonly wasMade?: boolean | undefined;
}

/** A mark that was never made is none that is lost: an installation without an event has none. */
export function isInOrder({ state, wasMade }: MarkVerdict): boolean {
  return state === 'intact' || (state === 'missing' && wasMade !== true);
}

/** What was seen and is no finding. */
export interface SweepCounts {
  readonly held: number;
  readonly otherCells: number;
  readonly otherInstallations: number;
  readonly foreign: number;
  /** On their way out by themselves: secrets in their recovery window, draining services. */
  readonly passing: number;
}

export interface SweepApproval {
  readonly at: string;
  readonly by: string;
  /** Null: not known, it was approved by an earlier release. */
  readonly caller: Caller | null;
  readonly findings: readonly { readonly id: string; readonly fingerprint: string }[];
}

/** A stored report of one cell. */
export interface SweepReport {
  readonly id: string;
  readonly cell: string;
  readonly at: string;
  /** Who or what asked for it: `schedule`, or a person. */
  readonly by: string;
  /** Null: not known, it was made by an earlier release. */
  readonly caller: Caller | null;
  readonly mark: MarkVerdict;
  readonly findings: readonly SweepFinding[];
  readonly tooYoung: readonly TooYoung[];
  readonly counts: SweepCounts;
  /** What could not be listed, so that nothing is said of it. */
  readonly problems: readonly { readonly what: string; readonly message: string }[];
  readonly approval: SweepApproval | null;
}

/** `begun` is written before the call, one of the others after it. */
export const removalOutcomes = ['begun', 'removed', 'gone', 'skipped', 'failed'] as const;
export type RemovalOutcome = (typeof removalOutcomes)[number];

export interface SweepRemoval {
  readonly findingId: string;
  readonly class: FindingClass;
  readonly type: string;
  readonly physicalId: string;
  readonly outcome: RemovalOutcome;
  /** What was done, or why not. */
  readonly detail: string;
}

/** An open operation whose run is not open. */
export interface LostOperation {
  readonly operationId: string;
  readonly cell: string;
  readonly tenantId: string;
  readonly product: string;
  readonly workflowId: string;
  readonly runId: string | null;
  /** A sentence: how its run ended, as far as Temporal knows. */
  readonly why: string;
  /** Why no run may finish it, when none may. */
  readonly obstacle?: string | undefined;
}

// ---- the scheduled workflow ----

/** Id of the schedule, and prefix of its workflows' ids. */
export function sweepScheduleId(installationId: string): string {
  return `tenantry.sweep.${installationId}`;
}

export const SWEEP_WORKFLOW = 'LeakSweep';

export interface SweepCellInput {
  readonly cell: string;
}
export interface SweepCellAnswer {
  readonly cell: string;
  readonly reportId: string;
  readonly mark: MarkState;
  readonly findings: number;
  readonly newFindings: number;
}

export interface SweepActivities {
  listSweepCells(): Promise<string[]>;
  sweepCell(input: SweepCellInput): Promise<SweepCellAnswer>;
}

/** Of `sweepCell`, in ms: a cell is listed with AWS's own pace, which takes minutes in a full one. */
export const sweepCellLimits = { startToCloseMs: 30 * 60_000, heartbeatMs: 60_000, maximumAttempts: 3 } as const;

/** How often a sweep that is under way says so, in ms. */
export const SWEEP_HEARTBEAT_MS = 10_000;
