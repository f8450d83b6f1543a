import { Context } from '@temporalio/activity';
import type { HealthActivities } from '../contracts/health.ts';
import { heartbeating } from './heartbeating.ts';
import { createRounds, type HealthDeps } from '../health/round.ts';

/** How often a round that is under way says so, in ms: a tenant that hangs makes no progress. */
const HEARTBEAT_MS = 5_000;

/** The scheduled looks at active tenants. */
export function createHealthActivities(deps: HealthDeps): HealthActivities {
  const lookAtCell = createRounds(deps);
  return {
    listHealthCells: () => Promise.resolve(deps.platform.cells.map(({ id }) => id)),
    checkHealth(input) {
      const signal = Context.current().cancellationSignal;
      let done = 0;
      const round = () => lookAtCell(input, { signal, onProgress: (now) => (done = now) });
      return heartbeating(HEARTBEAT_MS, round, () => done);
    },
  };
}
