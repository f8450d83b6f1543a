import type { OperationType } from '../contracts/operation-table.ts';
import type { TenantStatus } from '../contracts/tenant-status.ts';

/** A run that is to be started; everything else the workflow loads by the operation id. */
export interface RunRequest {
  readonly operationId: string;
  readonly type: OperationType;
  readonly workflowId: string;
  readonly tenantId: string;
  readonly product: string;
  readonly slug: string;
  readonly tier: string | null;
  readonly tenantStatus: TenantStatus;
  /** W3C trace that the run goes on in. */
  readonly traceparent?: string | undefined;
  /** The lost run whose stuck operation this one is to take over. */
  readonly takesOver?: string | undefined;
}

/** Of the workflow that carries out whether a tenant is isolated. */
export interface IsolationRun {
  readonly tenantId: string;
  readonly product: string;
  readonly slug: string;
}

/** The run of an operation: without a run id the newest run of the workflow id is meant. */
export interface RunReference {
  readonly operationId: string;
  readonly workflowId: string;
  readonly runId: string | null;
}

/**
 * What Temporal knows of a run; `as` is its own word for how it closed. `missing`: it knows no such run. `taskAttempt`: of the
 * workflow task that waits or is at work, when it is not the first.
 */
export type RunSight =
  | { readonly is: 'open'; readonly taskAttempt?: number }
  | { readonly is: 'closed'; readonly as: string; readonly at: Date }
  | { readonly is: 'missing' };

/** How an operation may be closed in the database whose run is open: one that is stuck, or waits for the end of its grace period. */
export type ClosedInDatabase = 'abandoned' | 'superseded' | 'cancelled';

export type OperatorVerb = 'cancel' | 'retry';

/** An Update that may be sent more than once: a run takes it once. */
export interface SentUpdate {
  readonly updateId: string;
  /** It may have been sent before, to this run. */
  readonly isRepeated?: boolean;
}

/** `refused`: the workflow's validator said no, `reason` is its words; `not-running`: the run has ended. */
export type UpdateVerdict =
  | { readonly taken: true }
  | { readonly taken: false; readonly why: 'refused' | 'not-running'; readonly reason: string };

export interface Poller {
  /** As the worker names itself. */
  readonly identity: string;
  /** When its last poll began or ended. */
  readonly lastAccessAt: Date;
}

/**
 * All that the client needs of Temporal. Every method answers within a few seconds; when the outcome is unclear it
 * throws {@link OrchestratorUnreachableError}.
 */
export interface Orchestrator {
  /** `already-open`: a run of this workflow id is open, this operation's own or an earlier one's. */
  start(run: RunRequest): Promise<'started' | 'already-open'>;
  /** Asks for the verdict of the workflow's validator; does not wait for the effect. @param sent default: under a new id, never before */
  update(run: RunReference, verb: OperatorVerb, sent?: SentUpdate): Promise<UpdateVerdict>;
  /** Starts what carries out whether a tenant is isolated, or tells it to look again at what is wanted. */
  isolate(run: IsolationRun): Promise<void>;
  /** Tells a run that its operation was closed in the database; a run that has ended is done already. */
  close(run: RunReference, as: ClosedInDatabase): Promise<void>;
  /** Looks whether a run is open. That its namespace is not found is no answer. */
  look(run: Pick<RunReference, 'workflowId' | 'runId'>): Promise<RunSight>;
  /** Reaches the server, or throws. */
  ping(): Promise<void>;
  /** Who polled the task queue of late: also workers that have died since. */
  pollers(): Promise<readonly Poller[]>;
}

/** Temporal gave no answer, so what was asked may or may not have happened. */
export class OrchestratorUnreachableError extends Error {
  override readonly name: string = 'OrchestratorUnreachableError';
  /** What was asked and has not happened by then never does. Undefined: nothing bounds it. */
  readonly mayLandUntil: Date | undefined;
  constructor(message: string, options: { readonly cause?: unknown; readonly mayLandUntil?: Date | undefined } = {}) {
    super(message, { cause: options.cause });
    this.mayLandUntil = options.mayLandUntil;
  }
}

/** Temporal is another than the one that holds this installation's runs; the message says which is. Nothing was asked of it. */
export class ForeignOrchestratorError extends OrchestratorUnreachableError {
  override readonly name = 'ForeignOrchestratorError';
}
