import { alertStuck } from '../activities/operation-change.ts';
import { recordRunLoss } from '../activities/run-loss.ts';
import { findLostRuns, type LostRun, type LostRunDeps } from '../client/lost-runs.ts';
import { systemCaller } from '../process-caller.ts';
import { alertFailingTasks, type TaskAttempt } from './failing-tasks.ts';

/**
 * Makes every operation stuck whose run was lost (terminated, or gone with its namespace), so that it is visible, with the
 * list of what is left, and takes `retry`, DELETE and `abandon`. Alerts of runs that are open and whose tasks fail. Safe to
 * repeat, also side by side.
 *
 * @returns those that it made stuck
 * @throws OrchestratorUnreachableError when Temporal answers nothing at all: that proves nothing
 */
export async function markLostRuns(deps: LostRunDeps): Promise<LostRun[]> {
  const marked: LostRun[] = [];
  const attempts: TaskAttempt[] = [];
  const onOpen: LostRunDeps['onOpen'] = ({ id: operationId, workflowId }, { taskAttempt: attempt = 1 }) =>
    attempts.push({ operationId, workflowId, attempt });
  for (const lost of await findLostRuns({ ...deps, onOpen })) {
    // The tenant's name for the alert is read outside the transaction, which an error in that must not end.
    if (await recordRunLoss(deps.database, lost, systemCaller('worker'), (change) => alertStuck(deps, change)))
      marked.push(lost);
  }
  await alertFailingTasks(deps, attempts);
  return marked;
}
