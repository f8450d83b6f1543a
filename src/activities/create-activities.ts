import type { Activities } from '../contracts/activities.ts';
import { createBlueprintCache } from './blueprint-cache.ts';
import { createBookkeeping } from './bookkeeping.ts';
import { createConfirmation } from './confirm-ready.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { endIsolation } from './isolation.ts';
import { traceOperation } from './operation-span.ts';
import { createUnknownActivity, createVerbActivities } from './verb-activities.ts';

/** All activities of a worker. */
export function createActivities(
  deps: ActivityDependencies,
): Activities & { default: (call: unknown) => Promise<never> } {
  const blueprintOf = createBlueprintCache(deps);
  const bookkeeping = createBookkeeping(deps);
  return {
    ...createVerbActivities(deps, blueprintOf),
    ...bookkeeping,
    default: createUnknownActivity(deps),
    confirmReady: createConfirmation(deps, blueprintOf),
    closeOperation: async (input) => {
      await endIsolation(deps, input);
      const answer = await bookkeeping.closeOperation(input);
      await traceOperation(deps, input);
      return answer;
    },
  };
}
