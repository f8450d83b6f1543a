import { alertStuck } from '../activities/operation-change.ts';
import { recordRunLoss } from '../activities/run-loss.ts';
import { findLostRuns, type LostRun, type LostRunDeps } from '../client/lost-runs.ts';

/**
 * Makes every operation stuck whose run was lost (terminated, or gone with its namespace), so that it is visible, with the
 * list of what is left, and takes `retry`, DELETE and `abandon`. Safe to repeat, also side by side.
 *
 * @returns those that it made stuck
 * @throws OrchestratorUnreachableError when Temporal answers nothing at all: that proves nothing
 */
export async function markLostRuns(deps: LostRunDeps): Promise<LostRun[]> {
  const marked: LostRun[] = [];
  for (const lost of await findLostRuns(deps)) {
    // The tenant's name for the alert is read outside the transaction, which an error in that must not end.
    if (await recordRunLoss(deps.database, lost, (change) => alertStuck(deps, change))) marked.push(lost);
  }
  return marked;
}
