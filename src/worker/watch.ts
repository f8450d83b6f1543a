import type { LostRunDeps } from '../client/lost-runs.ts';
import { markLostRuns } from './lost-runs.ts';
import { alertSlow } from './slow-operations.ts';

/** How often open operations are looked at, in ms: a lost run is seen at most this much after its lateness window. */
export const WATCH_EVERY_MS = 30_000;

/** Looks after operations that no run looks after, or that do not get on. One worker at a time: the others skip the round. */
export async function watchOperations(deps: LostRunDeps): Promise<void> {
  await deps.database.withLock('tenantry watch', async () => {
    await alertSlow(deps);
    await markLostRuns(deps);
  });
}
