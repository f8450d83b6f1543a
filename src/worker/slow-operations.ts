import type { Logger } from 'pino';
import { runbookPage } from '../contracts/advice.ts';
import type { Database } from '../db/database.ts';
import { listSlow, listWaiting, recordSlow, type SlowAfter } from '../db/slow-operations.ts';
import { systemCaller } from '../process-caller.ts';

const minutes = (n: number) => n * 60_000;

/** When nothing has come of an operation for so long, somebody should know, in ms. */
export const SLOW_AFTER_MS: SlowAfter = {
  /** A worker starts it after 30 s, should the API not have done so. */
  accepted: minutes(2),
  /** No wait for readiness lasts longer than 20 minutes before it fails by itself. */
  running: minutes(25),
  /** Beyond the end of its hold. */
  holding: minutes(5),
  /** A service drains for 15 minutes at most. */
  'rolling-back': minutes(20),
  committing: minutes(20),
};

/**
 * Raises the alert `operation-slow`, once, for what neither ends nor gets stuck: throttling and outages are borne without
 * limit, an end that is not recorded is asked for again and again, and a run may not come or not get on. Names each step
 * with what it waits for. A death between alert and record means that it is raised twice.
 */
export async function alertSlow({ database, log }: { database: Database; log: Pick<Logger, 'error'> }): Promise<void> {
  for (const slow of await listSlow(database, SLOW_AFTER_MS)) {
    const waiting = await listWaiting(database, slow);
    const { id: operationId, tenantId, type, state, since } = slow;
    const runbook = runbookPage('operation-slow');
    const steps = waiting.map(({ stepId, waitsFor }) => `${stepId}: ${waitsFor}`);
    log.error(
      { alert: 'operation-slow', operationId, tenantId, type, state, since, waiting: steps, runbook },
      'an operation does not get on: it goes on by itself, should what it waits for come',
    );
    await recordSlow(database, slow, waiting, systemCaller('worker'));
  }
}
