import {
  ApplicationFailure,
  patched,
  setCurrentDetails,
  setHandler,
  TemporalFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { FINALIZE_STEP, type Becomes } from '../../contracts/blueprint.ts';
import type { Failure } from '../../contracts/errors.ts';
import type {
  Leftover,
  OperationPlan,
  Progress,
  StateChangeAnswer,
  StepProgress,
  Takeover,
} from '../../contracts/messages.ts';
import type { ClosedOperationState, OpenOperationState } from '../../contracts/operation-state.ts';
import type { TenantStatus } from '../../contracts/tenant-status.ts';
import { bookkeeping, record } from './activities.ts';
import { showTenant, showTenantStatus } from './attributes.ts';
import { isClosedAs, progressQuery, type Control } from './control.ts';
import { detailsOf } from './details.ts';
import { failureOf } from './failures.ts';
import type { ReadyStep } from '../../plan/graph.ts';
import type { StepPlan } from '../../plan/plan.ts';

/** One run of an operation: its plan and all that has become of it. */
export interface Run {
  readonly control: Control;
  readonly plan: OperationPlan;
  readonly steps: ReadonlyMap<string, StepPlan>;
  readonly progress: Map<string, StepProgress>;
  /** What was last seen of a step, for people. */
  readonly seen: Map<string, string>;
  /** Steps that are to be removed: during the walk, those that may have made something and that an undo takes back. */
  readonly toRemove: Set<string>;
  /** Applied steps that were to be changed: an undo brings them back. */
  readonly toRestore: Set<string>;
  /** Why the last attempt to bring a step back failed. */
  readonly restoreFailures: Map<string, Failure>;
  readonly ready: Map<string, ReadyStep>;
  /** Hash of each step's outputs. */
  readonly outputs: Map<string, string>;
  tenantStatus: TenantStatus;
  failure: Failure | undefined;
  leftovers: readonly Leftover[];
}

/**
 * These steps of the plan are to be removed. The commit made nothing; what the applied blueprint holds goes only past the point
 * of no return, never by an undo, and past it what the target holds stays.
 */
export function markForRemoval(run: Run, isMeant: (step: StepPlan) => boolean): void {
  const isCommitted = run.control.state === 'committing' || run.plan.takeover?.removesIn === 'committing';
  const stays = (step: StepPlan) => (isCommitted ? !isDropped(step) : (run.plan.applied ?? []).includes(step.id));
  for (const step of run.steps.values())
    if (step.id !== FINALIZE_STEP && isMeant(step) && !stays(step)) run.toRemove.add(step.id);
}

/**
 * An undo is owed from here on: the step is removed then, or brought back to what was applied. Plans that were claimed by earlier
 * versions bring back only what is changed.
 */
export function markForUndo(run: Run, step: StepPlan): void {
  const isOnlyRestored = step.becomes === 'restore';
  if (isOnlyRestored && run.plan.restore?.some(({ id }) => id === step.id) !== true) return;
  if (step.becomes === 'change' || isOnlyRestored) run.toRestore.add(step.id);
  else markForRemoval(run, ({ id }) => id === step.id);
}

/** What is only restored is as it was applied once it is ready: an undo has nothing to do for it. */
export function noteReady(run: Run, step: StepPlan): void {
  if (step.becomes === 'restore') run.toRestore.delete(step.id);
  noteStep(run, step.id, 'ready');
}

/** All that the plan names are brought back to what was applied. */
export function markToRestore(run: Run): void {
  for (const { id } of run.plan.restore ?? []) run.toRestore.add(id);
}

/** What the target does not hold, and what existed on the way to it only. */
export function isDropped({ becomes, transient }: StepPlan): boolean {
  return becomes === 'drop' || transient === true;
}

/** The steps that are walked on the way to the target, but the last. */
export function stepsToMake(run: Run): StepPlan[] {
  return toMake(run).filter((step) => step.last !== true);
}

/** What is made after the look before the commit. */
export function lastToMake(run: Run): StepPlan[] {
  return toMake(run).filter((step) => step.last === true);
}

function toMake(run: Run): StepPlan[] {
  const walked: readonly Becomes[] = ['make', 'change', 'restore'];
  return [...run.steps.values()].filter(({ becomes }) => walked.includes(becomes));
}

/**
 * Tells the database of a new state. The run's own state goes first, so that requests are judged by what is about to happen;
 * but a stuck operation stays stuck until the database agrees, because somebody may have closed it there.
 */
export async function enter(run: Run, state: OpenOperationState): Promise<StateChangeAnswer> {
  const { control } = run;
  const { askedInTemporal } = control;
  control.askedInTemporal = undefined;
  if (control.state !== 'stuck') control.state = state;
  show(run);
  const answer = await record(
    'changeOperationState',
    {
      operationId: control.operationId,
      state,
      generation: control.generation,
      ...(run.failure ? { failure: run.failure } : {}),
      ...(state === 'stuck' ? { leftovers: run.leftovers } : {}),
      ...(askedInTemporal && patched('tells-what-was-asked-in-temporal') ? { askedInTemporal } : {}),
    },
    `operation: ${state}`,
  );
  if (answer.changed) control.state = state;
  control.foundClosedAs = isClosedAs(answer.closedAs) ? answer.closedAs : undefined;
  noteTenantStatus(run, answer.tenantStatus);
  show(run);
  return answer;
}

/**
 * Records the outcome. Always before the workflow closes: what Temporal keeps of a cancelled or failed run is not enough.
 * Answers false when the ledger holds something that is not removed: then the operation must not end.
 */
export async function close(run: Run, state: ClosedOperationState): Promise<boolean> {
  const { control, failure } = run;
  const input = { operationId: control.operationId, state, ...(failure ? { failure } : {}) };
  try {
    const answer = await record('closeOperation', input, `operation: ${state}`, isRefusedForLeftovers);
    control.state = state;
    noteTenantStatus(run, answer.tenantStatus);
    show(run);
    return true;
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    noteRemovalFailure(run, failureOf(error));
    return false;
  }
}

/** What cannot be dropped past the point of no return is why the operation fails; an undo keeps why it began. */
export function noteRemovalFailure(run: Run, failure: Failure): void {
  if (run.control.state === 'committing') run.failure = failure;
}

/** Runs that met it before this code asked again each minute, so they go on with that. */
function isRefusedForLeftovers({ code }: Failure): boolean {
  return code === 'STILL_PRESENT' && patched('stuck-when-its-end-is-refused');
}

export function isCancelled(run: Run): boolean {
  return run.control.cancelledBy !== undefined;
}

export function noteTenantStatus(run: Run, status: TenantStatus | undefined): void {
  if (status === undefined || status === run.tenantStatus) return;
  run.tenantStatus = status;
  showTenantStatus(status);
}

/** Notes where a step is, with what was last seen of it. */
export function noteStep(run: Run, stepId: string, progress: StepProgress, seen?: string): void {
  run.progress.set(stepId, progress);
  if (seen === undefined) run.seen.delete(stepId);
  else run.seen.set(stepId, seen);
  show(run);
}

/** Claims the operation; undefined when another run has it, or it is closed. */
export async function claim(control: Control, takesOver: string | undefined): Promise<Run | undefined> {
  const { workflowId, runId } = workflowInfo();
  const { operationId } = control;
  const claimed = await bookkeeping('operation: claim')
    .claimOperation({ operationId, workflowId, runId, ...(takesOver === undefined ? {} : { takesOver }) })
    .catch((error: unknown) => failedClaim(operationId, error));
  if (!claimed.claimed) return undefined;
  const { takeover } = claimed;
  control.state = takeover ? 'stuck' : 'running';
  if (claimed.graceUntil !== undefined) control.graceUntilMs = Date.parse(claimed.graceUntil);
  const run = newRun(control, claimed);
  if (takeover) inherit(run, takeover);
  setHandler(progressQuery, () => progressOf(run));
  showTenant(run.plan);
  show(run);
  return run;
}

/** What the lost run knew. */
function inherit(run: Run, { generation, failure, cancelled }: Takeover): void {
  run.control.generation = generation;
  run.failure = failure;
  if (cancelled) run.control.cancelledBy = 'request';
}

/** Only a claim may fail a run: nothing was made yet, or what was is known to be left. */
function failedClaim(operationId: string, error: unknown): never {
  if (!(error instanceof TemporalFailure)) throw error;
  const { code, message, detail } = failureOf(error);
  throw ApplicationFailure.nonRetryable(message, code, { operationId, detail });
}

function newRun(control: Control, plan: OperationPlan): Run {
  const becomes = plan.takeover || control.rules.target === 'nothing' ? 'drop' : 'make';
  return {
    control,
    plan,
    steps: new Map(plan.steps.map((step) => [step.id, { ...step, becomes: step.becomes ?? becomes }])),
    progress: new Map(plan.steps.map((step) => [step.id, step.becomes === 'keep' ? 'ready' : 'waiting'])),
    seen: new Map(),
    toRemove: new Set(),
    toRestore: new Set(),
    restoreFailures: new Map(),
    ready: new Map(),
    outputs: new Map(),
    tenantStatus: plan.tenantStatus,
    failure: undefined,
    leftovers: [],
  };
}

function progressOf(run: Run): Progress {
  const { operationId, state, generation } = run.control;
  return {
    operationId,
    state,
    generation,
    steps: Object.fromEntries(run.progress),
    ...(run.failure ? { failure: run.failure } : {}),
    ...(run.leftovers.length > 0 ? { leftovers: run.leftovers } : {}),
  };
}

function show(run: Run): void {
  const { plan, tenantStatus, seen } = run;
  const { workflowId } = workflowInfo();
  setCurrentDetails(detailsOf({ ...progressOf(run), plan, tenantStatus, seen, workflowId, nowMs: Date.now() }));
}
