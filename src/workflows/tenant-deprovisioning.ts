import { FINALIZE_STEP } from '../contracts/blueprint.ts';
import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import { succeed, takeBack } from './executor/operation.ts';
import { enter, notClaimed, operate } from './executor/run.ts';

/**
 * Removes all that the plan lists (what the ledger does not hold as removed). It neither holds nor rolls back and cannot be
 * cancelled, by Temporal's own cancellation either; a failure makes it stuck until `retry`.
 *
 * Closes COMPLETED with outcome `deleted`, `abandoned` or `superseded` (closed in the database while stuck) or `not-claimed`.
 */
export async function TenantDeprovisioning(input: OperationInput): Promise<OperationResult> {
  return operate(input, 'deprovision', async (run) => {
    for (const id of run.steps.keys()) if (id !== FINALIZE_STEP) run.touched.add(id);
    // Past the point of no return before the first removal; refused only when the operation is not ours any more.
    if (!(await enter(run, 'committing')).changed) return notClaimed(input.operationId);
    const end = await takeBack(run, 'committing');
    return end === 'gone' ? succeed(run, 'deleted') : { operationId: input.operationId, outcome: end };
  });
}
