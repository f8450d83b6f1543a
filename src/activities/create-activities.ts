import type { Activities } from '../contracts/activities.ts';
import { createBookkeeping } from './bookkeeping.ts';
import { createConfirmation } from './confirm-ready.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createVerbActivities } from './verb-activities.ts';

/** All activities of a worker. */
export function createActivities(deps: ActivityDependencies): Activities {
  return { ...createVerbActivities(deps), ...createBookkeeping(deps), confirmReady: createConfirmation(deps) };
}
