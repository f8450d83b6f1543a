import { ApplicationFailure, CancelledFailure, condition } from '@temporalio/workflow';
import { FINALIZE_STEP } from '../../contracts/blueprint.ts';
import type { OperationResult } from '../../contracts/messages.ts';
import { record } from './activities.ts';
import type { ClosedAs } from './control.ts';
import { mayClearUp } from './failures.ts';
import { pause } from './poll.ts';
import { close, enter, isCancelled, touch, type Run } from './run.ts';
import { undo } from './undo.ts';
import { finalize } from './walk.ts';

/**
 * Commits: from the first line on `cancel` is refused. Answers false when it must be rolled back, because the database
 * refused (somebody cancelled there) or `finalize` was refused for good. An unclear answer of `finalize` is asked again for
 * as long as it takes: it may have worked, and an active tenant must not be torn down.
 */
export async function commit(run: Run): Promise<boolean> {
  const step = run.steps.get(FINALIZE_STEP);
  if (isCancelled(run) || step === undefined) return false;
  if (!(await enterOr(run, 'committing'))) return false;
  while (!(await finalize(run, step))) {
    if (!run.failure || !mayClearUp(run.failure)) return false;
    run.failure = undefined;
    await pause(FINALIZE_AGAIN_MS, `${FINALIZE_STEP}: no clear answer, asking again`);
  }
  return true;
}

/**
 * Holds a failed operation for an operator, when its request says so. After `retry` the run is in its next generation and
 * may walk again; a cancel, the end of the hold and every other case mean rolling back.
 */
export async function hold(run: Run): Promise<'retry' | 'roll-back'> {
  const { control, plan } = run;
  const rollsBackAtOnce = plan.onFailure === 'rollback' || plan.holdMs <= 0 || control.state === 'committing';
  if (rollsBackAtOnce || isCancelled(run)) return 'roll-back';
  control.retryWanted = false;
  if (!(await enterOr(run, 'holding'))) return 'roll-back';
  const summary = `hold: rolls back after ${Math.round(plan.holdMs / 60_000)} min without retry or cancel`;
  const asked = () => control.retryWanted || isCancelled(run);
  await condition(asked, plan.holdMs, { summary });
  // A cancel beats a retry that came with it; a retry that was accepted in the hold's last moment counts.
  if (isCancelled(run) || !asked()) return 'roll-back';
  control.generation += 1;
  run.failure = undefined;
  return (await enterOr(run, 'running')) ? 'retry' : 'roll-back';
}

/**
 * Takes everything back and closes the operation. What cannot go, or is in the ledger all the same, makes the operation
 * stuck, for as long as it takes: `retry` removes what is left, a `close` from the database ends the run. The state `working`
 * is entered by the caller, the first time.
 */
export async function takeBack(run: Run, working: 'rolling-back' | 'committing'): Promise<'gone' | ClosedAs> {
  while (!((await undo(run)) && (await closeGone(run)))) {
    run.leftovers = await record('listLeftovers', { operationId: run.control.operationId }, 'operation: what is left?');
    if (run.touched.size === 0) touch(run, new Set(run.leftovers.map((left) => left.stepId)));
    run.control.retryWanted = false;
    await enter(run, 'stuck');
    const closedAs = await untilRetried(run, working);
    if (closedAs) return closedAs;
    run.leftovers = [];
  }
  return 'gone';
}

/**
 * Takes back all that a lost run left, as after a `retry`: that is why this run was started. Somebody may have closed the
 * operation just before.
 */
export async function takeOver(run: Run, working: 'rolling-back' | 'committing'): Promise<'gone' | ClosedAs> {
  touch(run);
  run.control.retryWanted = true;
  return (await untilRetried(run, working)) ?? takeBack(run, working);
}

/** Closes a provisioning with success: its last step has recorded it already. */
export async function succeed(run: Run): Promise<OperationResult> {
  run.failure = undefined;
  await close(run, 'succeeded');
  return { operationId: run.control.operationId, outcome: 'active' };
}

/**
 * How a provisioning ends whose everything was taken back (docs/architecture.md, "How a workflow closes").
 * @throws CancelledFailure after Temporal's own cancellation: closes as CANCELED.
 * @throws ApplicationFailure after a failure: closes as FAILED, its type is the failure's code.
 */
export function undoneResult({ control, failure }: Run): OperationResult {
  const { operationId, cancelledBy } = control;
  if (cancelledBy === 'temporal') throw new CancelledFailure(`operation ${operationId} was cancelled`);
  if (cancelledBy !== undefined) return { operationId, outcome: 'cancelled' };
  const { code = 'INTERNAL', message = 'The operation ended without a failure', stepId, detail } = failure ?? {};
  throw ApplicationFailure.nonRetryable(message, code, { operationId, stepId, detail });
}

function closeGone(run: Run): Promise<boolean> {
  if (run.control.rules.undo === 'none') return close(run, 'succeeded');
  return close(run, isCancelled(run) ? 'cancelled' : 'rolled-back');
}

const FINALIZE_AGAIN_MS = 10_000;

/** A change that the database refuses was cancelled there. */
async function enterOr(run: Run, state: 'running' | 'holding' | 'committing'): Promise<boolean> {
  const { changed } = await enter(run, state);
  if (!changed) run.control.cancelledBy ??= 'database';
  return changed;
}

/**
 * Waits, stuck, without a limit. A retry counts only when the database agrees: whoever closed the operation there first has
 * won, and their `close` signal ends the wait.
 */
async function untilRetried(run: Run, working: 'rolling-back' | 'committing'): Promise<ClosedAs | undefined> {
  const { control } = run;
  for (;;) {
    await condition(() => control.retryWanted || control.closedAs !== undefined);
    if (control.closedAs) return control.closedAs;
    control.retryWanted = false;
    control.generation += 1;
    if (control.rules.undo === 'none') run.failure = undefined; // any other keeps the reason why it walks back
    if ((await enter(run, working)).changed) {
      control.closedAs = undefined;
      return undefined;
    }
  }
}
