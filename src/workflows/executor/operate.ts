import { ApplicationFailure, CancellationScope, CancelledFailure, workflowInfo } from '@temporalio/workflow';
import type { OperationInput, OperationResult, Takeover } from '../../contracts/messages.ts';
import { operationTypeOf, type OperationType } from '../../contracts/operation-table.ts';
import { confirmReady } from './confirm.ts';
import { takeControl, type ClosedAs } from './control.ts';
import { commit, graceEnds, hold, removeAndClose, takeOver, type Removing } from './operation.ts';
import { claim, close, enter, isDropped, lastToMake, markForRemoval, markToRestore, type Run } from './run.ts';
import { walk } from './walk.ts';

/**
 * Walks an operation to the target of its type's row, or back to what was applied before, or stays stuck with the list of what is
 * left. A run that takes over from a lost one makes nothing: what that one had in flight is not known.
 *
 * Closes COMPLETED with the status that a success gives its tenant (`active`, `deleted`), `cancelled` (by Update or signal, or in
 * the database), `abandoned` or `superseded` (closed in the database while stuck: a decision that is recorded there, so not a
 * failure of this run) or `not-claimed`; FAILED with the failure's code as type when it was rolled back; CANCELED when Temporal's
 * own cancellation was taken. The outcome is in PostgreSQL before it closes.
 */
export async function operate({ operationId, takesOver }: OperationInput): Promise<OperationResult> {
  const control = takeControl(operationId, ownType(), takesOver === undefined ? 'accepted' : 'stuck');
  // Temporal's cancellation comes in as a request like any other: nothing below is cancelled by it.
  return CancellationScope.nonCancellable(async () => {
    const run = await claim(control, takesOver);
    if (!run) return notClaimed(operationId);
    return run.plan.takeover ? finishLost(run, run.plan.takeover) : toTarget(run);
  });
}

async function finishLost(
  run: Run,
  { removesIn: removing = run.control.rules.removesIn }: Takeover,
): Promise<OperationResult> {
  if (run.plan.graceUntil !== undefined) return goOnWaiting(run);
  return result(run, removing, await takeOver(run, removing));
}

/** The lost run waited for the end of its grace period: nothing is removed yet. Somebody may have closed the operation just before. */
async function goOnWaiting(run: Run): Promise<OperationResult> {
  run.control.generation += 1;
  run.failure = undefined;
  return (await enter(run, 'running')).changed ? toTarget(run) : notClaimed(run.control.operationId);
}

/** The type of operation that this workflow type runs. */
function ownType(): OperationType {
  const { workflowType } = workflowInfo();
  const type = operationTypeOf(workflowType);
  if (type === undefined) throw ApplicationFailure.nonRetryable(`no operation runs as ${workflowType}`, 'INTERNAL');
  return type;
}

/**
 * Makes, commits, drops; or goes back. Without an undo only a commit that the database refuses ends it: nothing was changed. What
 * walks to the applied blueprint brings its steps back past the commit.
 */
async function toTarget(run: Run): Promise<OperationResult> {
  const { rules } = run.control;
  if (!(await graceEnds(run))) {
    const { closedAs } = run.control;
    if (closedAs) return result(run, 'rolling-back', closedAs);
    await close(run, 'cancelled');
    return result(run, 'rolling-back', 'closed');
  }
  do {
    if (await (rules.target === 'applied' ? commit(run) : madeAndCommitted(run))) return finishCommitted(run);
    if (rules.undo === 'none') return foundClosed(run);
  } while ((await hold(run)) === 'retry');

  // What of the way forward is late meets a newer generation.
  if (run.toRestore.size > 0) run.control.generation += 1;
  const { changed, tenantStatus } = await enter(run, 'rolling-back');
  // The commit took effect though its answer said otherwise: what was committed stays.
  if (!changed && tenantStatus === rules.tenantStatus.succeeded) return finishCommitted(run);
  return result(run, 'rolling-back', await removeAndClose(run, 'rolling-back'));
}

async function madeAndCommitted(run: Run): Promise<boolean> {
  return (await walk(run)) && (await confirmReady(run)) && (await walk(run, lastToMake(run))) && (await commit(run));
}

/** What was made stays; what the target does not hold goes, and is never brought back. */
async function finishCommitted(run: Run): Promise<OperationResult> {
  run.failure = undefined;
  run.toRemove.clear();
  run.toRestore.clear();
  if (run.control.rules.target === 'applied') markToRestore(run);
  markForRemoval(run, isDropped);
  return result(run, 'committing', await removeAndClose(run, 'committing'));
}

/**
 * How a run closes (docs/architecture.md, "How a workflow closes").
 * @throws CancelledFailure after Temporal's own cancellation: closes as CANCELED.
 * @throws ApplicationFailure after a failure: closes as FAILED, its type is the failure's code.
 */
function result(run: Run, removing: Removing, end: 'closed' | ClosedAs): OperationResult {
  const { operationId, cancelledBy, rules } = run.control;
  if (end !== 'closed') return { operationId, outcome: end };
  if (removing === 'committing') return { operationId, outcome: rules.tenantStatus.succeeded };
  if (cancelledBy === 'temporal') throw new CancelledFailure(`operation ${operationId} was cancelled`);
  if (cancelledBy !== undefined) return { operationId, outcome: 'cancelled' };
  const { code = 'INTERNAL', message = 'The operation ended without a failure', stepId, detail } = run.failure ?? {};
  throw ApplicationFailure.nonRetryable(message, code, { operationId, stepId, detail });
}

/** The database refused the commit. */
function foundClosed(run: Run): OperationResult {
  const { operationId, foundClosedAs } = run.control;
  return foundClosedAs ? { operationId, outcome: foundClosedAs } : notClaimed(operationId);
}

function notClaimed(operationId: string): OperationResult {
  return { operationId, outcome: 'not-claimed' };
}
