import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import type { ClosedAs } from './executor/control.ts';
import { takeBack, takeOver } from './executor/operation.ts';
import { enter, notClaimed, operate, touch, type Run } from './executor/run.ts';

/**
 * Removes all that the plan lists (what the ledger does not hold as removed). It neither holds nor rolls back and cannot be
 * cancelled, by Temporal's own cancellation either; a failure makes it stuck until `retry`.
 *
 * Closes COMPLETED with outcome `deleted`, `abandoned` or `superseded` (closed in the database while stuck) or `not-claimed`.
 */
export async function TenantDeprovisioning(input: OperationInput): Promise<OperationResult> {
  return operate(input, async (run) => {
    if (run.plan.takeover) return finish(run, await takeOver(run, 'committing'));

    touch(run);
    // Past the point of no return before the first removal; refused only when the operation is not ours any more.
    if (!(await enter(run, 'committing')).changed) return notClaimed(input.operationId);
    return finish(run, await takeBack(run, 'committing'));
  });
}

function finish({ control }: Run, end: 'gone' | ClosedAs): OperationResult {
  return { operationId: control.operationId, outcome: end === 'gone' ? 'deleted' : end };
}
