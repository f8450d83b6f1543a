import { condition } from '@temporalio/workflow';
import { FINALIZE_STEP } from '../../contracts/blueprint.ts';
import type { Leftover } from '../../contracts/messages.ts';
import type { ClosedOperationState } from '../../contracts/operation-state.ts';
import { record } from './activities.ts';
import type { ClosedAs } from './control.ts';
import { mayClearUp } from './failures.ts';
import { pause } from './poll.ts';
import { close, enter, isCancelled, isDropped, markForRemoval, markToRestore, type Run } from './run.ts';
import { restoreChanged } from './restore.ts';
import { removeLast, removeMarked, removeUndoneFirst } from './undo.ts';
import { finalize } from './walk.ts';

/**
 * Commits: from the first line on `cancel` is refused. Answers false when it must be rolled back, because the database
 * refused (somebody cancelled there) or `finalize` was refused for good. An unclear answer of `finalize` is asked again for
 * as long as it takes: it may have worked, and an active tenant must not be torn down.
 */
export async function commit(run: Run): Promise<boolean> {
  if (isCancelled(run) || !(await enterOr(run, 'committing'))) return false;
  const step = run.steps.get(FINALIZE_STEP);
  if (step?.becomes !== 'make') return true;
  while (!(await finalize(run, step))) {
    if (!run.failure || !mayClearUp(run.failure)) return false;
    run.failure = undefined;
    await pause(FINALIZE_AGAIN_MS, `${FINALIZE_STEP}: no clear answer, asking again`);
  }
  return true;
}

/**
 * Holds a failed operation for an operator, when its request says so. What was made last is taken back before that: without it nothing is held. After `retry` the run is in its next generation and
 * may walk again; a cancel, the end of the hold and every other case mean rolling back.
 */
export async function hold(run: Run): Promise<'retry' | 'roll-back'> {
  const { control, plan } = run;
  const rollsBackAtOnce = plan.onFailure === 'rollback' || plan.holdMs <= 0 || control.state === 'committing';
  // A removal in this state would be one past the commit.
  if (control.state !== 'committing' && !(await removeLast(run))) return 'roll-back';
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
 * Waits for the end of the grace period, by the moment that is stored with the operation: a run that begins late waits less.
 * Answers false when a cancel came meanwhile, or somebody closed the operation in the database.
 */
export async function graceEnds(run: Run): Promise<boolean> {
  const { graceUntil } = run.plan;
  if (graceUntil === undefined) return true;
  const remainingMs = Date.parse(graceUntil) - Date.now();
  const summary = `grace period: nothing is removed before ${graceUntil}`;
  const isOver = () => isCancelled(run) || run.control.closedAs !== undefined;
  if (remainingMs > 0) await condition(isOver, remainingMs, { summary });
  return !isOver();
}

/** In which state steps are removed: past the point of no return by the plan, or by an undo. */
export type Removing = 'committing' | 'rolling-back';

/**
 * Brings back what was changed, removes what is marked and closes the operation. What cannot go, or is in the ledger all the same, makes the operation
 * stuck, for as long as it takes: `retry` removes what is left, a `close` from the database ends the run. The state is
 * entered by the caller, the first time.
 */
export async function removeAndClose(run: Run, removing: Removing): Promise<'closed' | ClosedAs> {
  while (!((await goBack(run)) && (await removeMarked(run)) && (await close(run, endOf(run, removing))))) {
    run.leftovers = await leftoversOf(run);
    const left = new Set(run.leftovers.map(({ stepId }) => stepId));
    if (run.toRemove.size === 0) markForRemoval(run, ({ id }) => left.has(id));
    run.control.retryWanted = false;
    await enter(run, 'stuck');
    const closedAs = await untilRetried(run, removing);
    if (closedAs) return closedAs;
    run.leftovers = [];
  }
  return 'closed';
}

function leftoversOf(run: Run): Promise<Leftover[]> {
  const toRestore = [...run.toRestore].map((stepId) => ({ stepId, failure: run.restoreFailures.get(stepId) }));
  const input = { operationId: run.control.operationId, ...(toRestore.length > 0 && { toRestore }) };
  return record('listLeftovers', input, 'operation: what is left?');
}

/** Past the point of no return nothing was changed that is to be brought back. */
async function goBack(run: Run): Promise<boolean> {
  if (run.toRestore.size > 0 && !(await removeUndoneFirst(run))) return false;
  return restoreChanged(run);
}

/**
 * Removes all that a lost run left, as after a `retry`: that is why this run was started. Somebody may have closed the
 * operation just before.
 */
export async function takeOver(run: Run, removing: Removing): Promise<'closed' | ClosedAs> {
  markForRemoval(run, isDropped);
  markToRestore(run);
  run.control.retryWanted = true;
  return (await untilRetried(run, removing)) ?? removeAndClose(run, removing);
}

function endOf(run: Run, removing: Removing): ClosedOperationState {
  if (removing === 'committing') return 'succeeded';
  return isCancelled(run) ? 'cancelled' : 'rolled-back';
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
async function untilRetried(run: Run, removing: Removing): Promise<ClosedAs | undefined> {
  const { control } = run;
  for (;;) {
    await condition(() => control.retryWanted || control.closedAs !== undefined);
    if (control.closedAs) return control.closedAs;
    control.retryWanted = false;
    control.generation += 1;
    if (removing === 'committing') run.failure = undefined; // an undo keeps the reason why it began
    if ((await enter(run, removing)).changed) {
      control.closedAs = undefined;
      return undefined;
    }
  }
}
