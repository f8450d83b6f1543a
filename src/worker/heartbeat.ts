import type { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Queryable } from '../db/database.ts';
import { recordHeartbeat, recordWorkerStop } from '../db/worker-heartbeats.ts';
import { startLoop, type Loop } from '../loop.ts';

/** How often a worker says that it lives, in ms; `worker-heartbeats.ts` says after how long a silent one is dead. */
const BEAT_EVERY_MS = 5_000;

/**
 * Says in PostgreSQL that the worker lives, until it is stopped: then it says that. Temporal alone does not tell: it lists who
 * polled within five minutes.
 */
export function startHeartbeat(deps: {
  readonly database: Queryable;
  readonly worker: Pick<Worker, 'getState' | 'options'>;
  readonly log: Logger;
}): Loop {
  const { database, worker, log } = deps;
  const { identity } = worker.options;
  const loop = startLoop({ name: 'heartbeat', everyMs: BEAT_EVERY_MS, log }, async () => {
    const state = worker.getState();
    if (state === 'INITIALIZED' || state === 'RUNNING') await recordHeartbeat(database, identity);
  });
  return {
    stop: async () => {
      await loop.stop();
      await recordWorkerStop(database, identity).catch((error: unknown) =>
        log.warn(
          { err: error, identity },
          'the stop of the worker is not on record: it counts as living for half a minute',
        ),
      );
    },
  };
}
