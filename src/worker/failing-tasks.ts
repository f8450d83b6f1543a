import type { Logger } from 'pino';
import { runbookPage } from '../contracts/advice.ts';
import type { Database } from '../db/database.ts';
import { findUntold, listWaiting, recordSlow } from '../db/slow-operations.ts';
import { systemCaller } from '../process-caller.ts';

/** A worker that dies, or is slow, costs an attempt or two; code or data that the run cannot go on with costs each of them. */
export const FAILING_FROM_ATTEMPT = 4;

/** An open operation's run, with the attempt that its workflow task is at. */
export interface TaskAttempt {
  readonly operationId: string;
  readonly workflowId: string;
  readonly attempt: number;
}

/**
 * Raises the alert `operation-slow`, once until the operation moves, for a run whose workflow task fails again and again: it
 * takes no request either, and does not get stuck by itself.
 */
export async function alertFailingTasks(
  { database, log }: { readonly database: Database; readonly log: Pick<Logger, 'error'> },
  seen: readonly TaskAttempt[],
): Promise<void> {
  for (const { operationId, workflowId, attempt } of seen) {
    if (attempt < FAILING_FROM_ATTEMPT) continue;
    const slow = await findUntold(database, operationId);
    if (!slow) continue;
    const { tenantId, type, state, since } = slow;
    const steps = await listWaiting(database, slow);
    const reason = `the workflow task of its run fails again and again (attempt ${attempt}): the run neither goes on nor takes a request`;
    const waiting = steps.map(({ stepId, waitsFor }) => `${stepId}: ${waitsFor}`);
    const runbook = runbookPage('operation-slow');
    log.error(
      { alert: 'operation-slow', operationId, tenantId, workflowId, type, state, since, reason, waiting, runbook },
      'an operation does not get on: the workflow task of its run fails',
    );
    await recordSlow(database, slow, steps, systemCaller('worker'), reason);
  }
}
