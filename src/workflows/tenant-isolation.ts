import { condition, continueAsNew, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import { taskQueues } from '../contracts/ids.ts';
import {
  isolationLimits,
  isolationSignal,
  type IsolationActivities,
  type IsolationInput,
  type IsolationResult,
} from '../contracts/isolation.ts';

const changed = defineSignal(isolationSignal);

/** Attempts of one run, so that its history stays short. */
const MOST_TURNS = 500;

const { driveIsolation } = proxyActivities<IsolationActivities>({
  taskQueue: taskQueues.isolation,
  startToCloseTimeout: isolationLimits.startToCloseMs,
  retry: { initialInterval: 500, backoffCoefficient: 2, maximumInterval: 5_000 },
  summary: 'the notice of an isolated tenant',
});

/** Drives the notice of a tenant to what is wanted, until it is so: also while an operation is at work on the tenant. */
export async function TenantIsolation({ tenantId }: IsolationInput): Promise<IsolationResult> {
  let isAsked = false;
  setHandler(changed, () => {
    isAsked = true;
  });
  for (let turns = 0, failures = 0; turns < MOST_TURNS; turns += 1) {
    isAsked = false;
    const turn = await driveIsolation({ tenantId, failures });
    // Asked meanwhile: something else may be wanted.
    if (isWanted(isAsked)) {
      failures = 0;
      continue;
    }
    if (turn.outcome !== 'again') return { tenantId, outcome: turn.outcome };
    failures = turn.code === undefined ? 0 : failures + 1;
    if (turn.afterMs > 0) await condition(() => isAsked, turn.afterMs);
  }
  return continueAsNew<typeof TenantIsolation>({ tenantId });
}

/** What a signal sets while the caller waits, which the compiler does not see. */
function isWanted(flag: boolean): boolean {
  return flag;
}
