import type { PlannedStep } from './blueprint.ts';
import type { Failure } from './errors.ts';
import type { ClosedOperationState, OnFailure, OpenOperationState, OperationState } from './operation-state.ts';
import type { OperationType, SuccessStatus } from './operation-table.ts';
import type { TenantStatus } from './tenant-status.ts';

/** The only argument of every tenant workflow: workers load all else by the operation id and trust nothing from here. */
export interface OperationInput {
  readonly operationId: string;
  /** The lost run whose stuck operation this one is to take over. Absent: the operation is accepted and new. */
  readonly takesOver?: string | undefined;
}

/** What a workflow that completes answers with (docs/architecture.md, "How a workflow closes"). */
export interface OperationResult {
  readonly operationId: string;
  /** `not-claimed`: another run has the operation, or it is closed; this run did nothing. */
  readonly outcome: SuccessStatus | 'cancelled' | 'abandoned' | 'superseded' | 'not-claimed';
}

export const signalNames = { cancel: 'cancel', retry: 'retry', close: 'close' } as const;
export const updateNames = { cancel: 'cancel', retry: 'retry' } as const;
export const queryNames = { progress: 'progress' } as const;

/** Answer of an accepted Update. */
export interface UpdateAnswer {
  readonly operationId: string;
  readonly state: OpenOperationState;
}

export type StepProgress =
  | 'waiting'
  | 'ensuring'
  | 'polling'
  | 'ready'
  | 'failed'
  | 'removing'
  | 'removed'
  | 'remove-failed'
  | 'restoring'
  | 'restored'
  | 'restore-failed';

/** Answer of the query `progress` (for operators in Temporal's UI; programs read PostgreSQL). */
export interface Progress {
  readonly operationId: string;
  readonly state: OperationState;
  readonly generation: number;
  readonly steps: Readonly<Record<string, StepProgress>>;
  readonly failure?: Failure | undefined;
  readonly leftovers?: readonly Leftover[] | undefined;
}

/** How something is not as it is to be. */
export const leftoverConditions = [
  'left', // it is there, and is not to be
  'missing', // data that the tenant is to have is gone; an empty one in its place would pass for it
  'changed', // the tenant is to have it, and it was not brought to what was applied
  'not-looked-at', // it is to be brought to what was applied, and its turn did not come: it may be as it is to be
] as const;
export type LeftoverCondition = (typeof leftoverConditions)[number];

/** A resource (or a step that has none of its own) that an operation could not remove, or could not bring back. */
export interface Leftover {
  readonly stepId: string;
  readonly type: string;
  readonly name: string;
  readonly physicalId?: string | undefined;
  /** Of the failure that keeps it so; absent: its turn did not come. */
  readonly code?: string | undefined;
  /** Why it is so, a sentence with AWS's own words. */
  readonly reason: string;
  /** Absent: an earlier release recorded it. */
  readonly condition?: LeftoverCondition | undefined;
}

/** Something that stays for a while though it was removed, with its expiry (ISO 8601; null: AWS names none). */
export interface Residue {
  readonly type: string;
  readonly name: string;
  readonly reason: string;
  readonly expiresAt: string | null;
}

// ---- bookkeeping activities (PostgreSQL only; retried without limit) ----

export interface ClaimInput {
  readonly operationId: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly takesOver?: string | undefined;
}

/** The claim's answer: `claimed: false` makes the run exit without a trace. */
export type Claim = { readonly claimed: false } | ({ readonly claimed: true } & OperationPlan);

/** All that the workflow knows of an operation. */
export interface OperationPlan {
  readonly operationId: string;
  readonly type: OperationType;
  readonly tenantId: string;
  readonly product: string;
  readonly tier: string | null;
  readonly slug: string;
  readonly tenantStatus: TenantStatus;
  readonly onFailure: OnFailure;
  readonly holdMs: number;
  /** Each with what becomes of it: what is made or kept first, then what is dropped, in an order in which that can be done. */
  readonly steps: readonly PlannedStep[];
  /** Ids of the steps that the applied blueprint holds: no undo removes them. Absent: none is applied, or there is no undo. */
  readonly applied?: readonly string[] | undefined;
  /** Steps that become `change`, as the applied blueprint has them: an undo brings them back to that. */
  readonly restore?: readonly PlannedStep[] | undefined;
  /** Before this time (ISO 8601) nothing is removed, and a cancel leaves the tenant as it is. Absent: there is no grace period, or it is over. */
  readonly graceUntil?: string | undefined;
  /** Present when the operation is stuck because its own run was lost: this run takes back what is left. */
  readonly takeover?: Takeover | undefined;
}

/** What a run knows of the one that was lost. */
export interface Takeover {
  /** The operation's generation so far. */
  readonly generation: number;
  /** Why the operation was being taken back; RUN_LOST when nothing else had failed. */
  readonly failure?: Failure | undefined;
  /** A cancel had been taken. */
  readonly cancelled: boolean;
  /** In which state it goes on: past its point of no return it is only finished. Absent: the state of its type. */
  readonly removesIn?: 'rolling-back' | 'committing' | undefined;
}

/** A change of an open operation's state; refused (`false`) when the row is not in a state that allows it. */
export interface StateChange {
  readonly operationId: string;
  readonly state: OpenOperationState;
  readonly generation: number;
  readonly failure?: Failure | undefined;
  readonly leftovers?: readonly Leftover[] | undefined;
  /** What the change follows, when it was asked for with Temporal's own tools: nothing says by whom. */
  readonly askedInTemporal?: 'retry' | 'cancel' | undefined;
}
export interface StateChangeAnswer {
  readonly changed: boolean;
  readonly tenantStatus: TenantStatus;
  /** When it was refused because somebody had closed the operation: as what. */
  readonly closedAs?: ClosedOperationState | undefined;
}

/** Closes the operation and settles the tenant's status, reservation and allocations in one transaction. */
export interface CloseInput {
  readonly operationId: string;
  readonly state: ClosedOperationState;
  readonly failure?: Failure | undefined;
}
export interface CloseAnswer {
  readonly tenantStatus: TenantStatus;
}

export interface LeftoversInput extends OperationInput {
  /** Steps that are still to be brought back to the applied blueprint, with why the last attempt failed; absent: none is. */
  readonly toRestore?: readonly NotRestored[] | undefined;
}
export interface NotRestored {
  readonly stepId: string;
  readonly failure?: Failure | undefined;
}

export interface NotReady {
  readonly stepId: string;
  readonly detail: string;
  /** It will not be ready whatever is waited for: a definite failure, or a look that is refused for good. */
  readonly failure?: Failure | undefined;
}

/** Steps that were seen ready, to be looked at once more before the commit. */
export interface ConfirmInput {
  readonly operationId: string;
  readonly generation: number;
  readonly stepIds: readonly string[];
}
export interface ConfirmAnswer {
  /** Those that are not ready now, each with what was seen. */
  readonly notReady: readonly NotReady[];
}

/** Bookkeeping activities by name. */
export interface BookkeepingActivities {
  claimOperation(input: ClaimInput): Promise<Claim>;
  changeOperationState(input: StateChange): Promise<StateChangeAnswer>;
  closeOperation(input: CloseInput): Promise<CloseAnswer>;
  /** Looks at each of these steps once. What cannot be looked at is not ready. */
  confirmReady(input: ConfirmInput): Promise<ConfirmAnswer>;
  /** Exactly what is not removed of the operation's tenant, from the ledger, each with why. */
  listLeftovers(input: LeftoversInput): Promise<Leftover[]>;
}

// ---- verbs ----

/** Input of every verb: the worker loads step, spec and names by these ids. */
export interface StepCall {
  readonly operationId: string;
  readonly stepId: string;
  /** Rises with an operator's `retry`, and where an undo begins to bring changed steps back (design rule 11). */
  readonly generation: number;
  /** The step as the applied blueprint has it, not the operation's own. */
  readonly goesBack?: true | undefined;
}

export interface EnsureAnswer {
  readonly status: 'ready' | 'pending';
  /** Changes when the outputs change: tells the executor whether steps that use them must run again. */
  readonly outputsHash: string;
  /** Present when the step changed the tenant's status. */
  readonly tenantStatus?: TenantStatus | undefined;
  readonly detail?: string | undefined;
  /** Of what is brought back: once more at this time (epoch ms), because an effect of an unclear attempt may land until then. */
  readonly recheckAtMs?: number | undefined;
}

export interface ObserveCall extends StepCall {
  readonly want: 'ready' | 'gone';
  /** Epoch ms; past it the activity throws the typed, final failure with the last thing seen. */
  readonly deadlineAtMs: number;
}

/** `done`: what was wanted has come. A definite failure is thrown. */
export interface ObserveAnswer {
  readonly status: 'done' | 'pending';
  readonly detail?: string | undefined;
  /** With `gone`, and of what is brought back: once more at this time (epoch ms), an effect may still land (design rule 7). */
  readonly recheckAtMs?: number | undefined;
  /** With `gone` and `pending`: every look of the slice saw it stand, as if it had never been removed. */
  readonly stands?: true | undefined;
  /** With `ready`, where the outputs are known only now: what they hash to. */
  readonly outputsHash?: string | undefined;
}

export interface RemoveAnswer {
  /** `pending`: asked for, absence is to be observed. */
  readonly status: 'removed' | 'pending';
  /** Look once more at this time (epoch ms): the last answer of its `ensure` was unclear (design rule 7). */
  readonly recheckAtMs?: number | undefined;
}
