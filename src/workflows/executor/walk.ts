import { CancellationScope, isCancellation, TemporalFailure } from '@temporalio/workflow';
import { FINALIZE_STEP, type PlannedStep } from '../../contracts/blueprint.ts';
import { callVerb } from './activities.ts';
import { failureOf, inStepsWords } from './failures.ts';
import { ancestorsOf, inputsOf, mustRun, sideBySide, upwardEdges } from '../../plan/graph.ts';
import type { StepPlan } from '../../plan/plan.ts';
import { poll } from './poll.ts';
import { isCancelled, markForUndo, noteReady, noteStep, noteTenantStatus, stepsToMake, type Run } from './run.ts';

/**
 * Makes these steps (by default all that are to be made but the last and `finalize`), each as soon as all that it needs is ready, and answers whether all are. When it
 * answers, nothing is in flight any more. After a failure no further step starts; an `ensure` in flight finishes (its
 * outcome must be known; one that is throttled is not asked for anew), but waits for readiness end, in a slice or less: whether another service gets healthy within its
 * 20 minutes changes nothing any more, and an operator who is to `retry` or `cancel` should not wait for it. A `cancel`
 * ends everything, retries of an `ensure` too.
 */
export async function walk(run: Run, steps = stepsToMake(run)): Promise<boolean> {
  const ancestors = ancestorsOf([...run.steps.values()]);
  const all = new CancellationScope({ cancellable: true });
  run.control.cancelWalk = () => all.cancel();
  const ready = await all.run(() => {
    const waits = new CancellationScope({ cancellable: true });
    return sideBySide(upwardEdges(steps), async (id) => {
      const step = run.steps.get(id);
      return step !== undefined && stepReady(run, step, inputsOf(ancestors.get(id) ?? new Set(), run.outputs), waits);
    });
  });
  run.control.cancelWalk = () => undefined;
  return ready && !isStopped(run);
}

/** Runs `ensure` of the step `finalize`, once. Answers whether the tenant is active. */
export async function finalize(run: Run, step: PlannedStep): Promise<boolean> {
  noteStep(run, FINALIZE_STEP, 'ensuring');
  try {
    noteTenantStatus(run, (await ensure(run, step)).tenantStatus);
    noteStep(run, FINALIZE_STEP, 'ready');
    return true;
  } catch (error) {
    noteFailure(run, step, error);
    return false;
  }
}

async function stepReady(run: Run, step: StepPlan, inputs: string, waits: CancellationScope): Promise<boolean> {
  if (isStopped(run)) return false;
  if (!mustRun(step, run.ready.get(step.id), inputs)) return true;
  run.ready.delete(step.id);
  markForUndo(run, step); // before the command is issued: whatever comes back
  noteStep(run, step.id, 'ensuring');
  try {
    const answer = await ensure(run, step);
    noteTenantStatus(run, answer.tenantStatus);
    run.outputs.set(step.id, answer.outputsHash);
    if (answer.status === 'pending' && !(await waitReady(run, step, waits, answer.detail))) return false;
    run.ready.set(step.id, { inputs });
    noteReady(run, step);
    return true;
  } catch (error) {
    noteFailure(run, step, error);
    waits.cancel();
    return false;
  }
}

function ensure(run: Run, step: PlannedStep) {
  const { operationId, generation } = run.control;
  const call = { operationId, stepId: step.id, generation, ...directionOf(step) };
  return callVerb(step, 'ensure', call, { isPointless: () => isStopped(run) });
}

async function waitReady(run: Run, step: PlannedStep, waits: CancellationScope, seen?: string): Promise<boolean> {
  if (isStopped(run)) {
    noteStep(run, step.id, 'waiting', seen);
    return false;
  }
  noteStep(run, step.id, 'polling', seen);
  const { outputsHash } = await waits.run(() => poll(run, step, 'ready', directionOf(step)));
  if (outputsHash !== undefined) run.outputs.set(step.id, outputsHash);
  return true;
}

/** What is only restored is walked by the applied blueprint. */
function directionOf({ becomes }: PlannedStep): { readonly goesBack?: true } {
  return becomes === 'restore' ? { goesBack: true } : {};
}

function noteFailure(run: Run, step: PlannedStep, error: unknown): void {
  if (!(error instanceof TemporalFailure)) throw error; // a defect of ours: fails the task, not the workflow
  if (isCancellation(error) && isStopped(run)) {
    noteStep(run, step.id, 'waiting');
    return;
  }
  const failure = inStepsWords(failureOf(error, step.id), step);
  run.failure ??= failure;
  noteStep(run, step.id, 'failed', `${failure.code}: ${failure.message}`);
}

function isStopped(run: Run): boolean {
  return run.failure !== undefined || isCancelled(run);
}
