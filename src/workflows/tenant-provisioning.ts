import type { OperationInput, OperationResult } from '../contracts/messages.ts';
import type { ClosedAs } from './executor/control.ts';
import { confirmReady } from './executor/confirm.ts';
import { commit, hold, succeed, takeBack, takeOver, undoneResult } from './executor/operation.ts';
import { enter, operate, type Run } from './executor/run.ts';
import { walk } from './executor/walk.ts';

/**
 * Makes a tenant, wholly, or takes it back, wholly, or stays stuck with the list of what is left. A run that takes over
 * from a lost one takes everything back: what that one had in flight is not known.
 *
 * Closes COMPLETED with outcome `active`, `cancelled` (by Update or signal, or in the database), `abandoned` or `superseded`
 * (closed in the database while stuck: a decision that is recorded there, so not a failure of this run) or `not-claimed`;
 * FAILED with the failure's code as type when it was rolled back; CANCELED when Temporal's own cancellation was taken. The
 * outcome is in PostgreSQL before it closes.
 */
export async function TenantProvisioning(input: OperationInput): Promise<OperationResult> {
  return operate(input, async (run) => {
    if (run.plan.takeover) return finish(run, await takeOver(run, 'rolling-back'));

    do {
      if ((await walk(run)) && (await confirmReady(run)) && (await commit(run))) return succeed(run);
    } while ((await hold(run)) === 'retry');

    const { changed, tenantStatus } = await enter(run, 'rolling-back');
    // `finalize` took effect though its answer said otherwise: a tenant that is active stays.
    if (!changed && tenantStatus === 'active') return succeed(run);

    return finish(run, await takeBack(run, 'rolling-back'));
  });
}

function finish(run: Run, end: 'gone' | ClosedAs): OperationResult {
  return end === 'gone' ? undoneResult(run) : { operationId: run.control.operationId, outcome: end };
}
