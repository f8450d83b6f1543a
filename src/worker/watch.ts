import type { LostRunDeps } from '../client/lost-runs.ts';
import type { TemporalClient } from '../temporal/client.ts';
import { alertOverdue } from './isolations.ts';
import { markLostRuns } from './lost-runs.ts';
import { foreignNamespace } from './own-namespace.ts';
import { alertSlow } from './slow-operations.ts';

/** How often open operations are looked at, in ms: a lost run is seen at most this much after its lateness window. */
export const WATCH_EVERY_MS = 30_000;

export interface WatchDeps extends LostRunDeps {
  readonly temporal: TemporalClient;
}

/**
 * Looks after operations that do not get on, or that no run looks after. One worker at a time: the others skip it. The
 * first part needs PostgreSQL alone, so it comes first and alerts while Temporal is unavailable.
 */
export async function watchOperations(deps: WatchDeps): Promise<void> {
  const alone = (fn: () => Promise<unknown>) => deps.database.withLock('tenantry watch', fn);
  try {
    await alone(async () => {
      await alertOverdue(deps);
      await alertSlow(deps);
    });
  } finally {
    // Asked before the lock is taken: who cannot reach Temporal must not keep from it who can.
    const foreign = await foreignNamespace(deps.database, deps.temporal);
    if (foreign === undefined) await alone(() => markLostRuns(deps));
    else deps.log.error(`open operations are not looked after: ${foreign}`);
  }
}
