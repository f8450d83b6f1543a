import type { Logger } from 'pino';
import { runbookPage } from '../contracts/advice.ts';
import type { Database } from '../db/database.ts';
import { listSlow, listWaiting, recordSlow } from '../db/slow-operations.ts';

/**
 * When nothing has come of a rollback or a commit for so long, somebody should know, in ms: longer than any step is waited
 * for before it fails by itself (a service drains for 15 minutes at most).
 */
export const SLOW_AFTER_MS = 20 * 60_000;

/**
 * Raises the alert `operation-slow`, once, for what neither ends nor gets stuck: throttling and outages are borne without
 * limit, and an end that is not recorded is asked for again and again. Names each step with what it waits for.
 */
export async function alertSlow({ database, log }: { database: Database; log: Pick<Logger, 'error'> }): Promise<void> {
  for (const slow of await listSlow(database, SLOW_AFTER_MS)) {
    const waiting = await listWaiting(database, slow);
    await recordSlow(database, slow, waiting);
    const { id: operationId, tenantId, type, state, since } = slow;
    const runbook = runbookPage('operation-slow');
    const steps = waiting.map(({ stepId, waitsFor }) => `${stepId}: ${waitsFor}`);
    log.error(
      { alert: 'operation-slow', operationId, tenantId, type, state, since, waiting: steps, runbook },
      'an operation does not get on: it goes on by itself, should what it waits for come',
    );
  }
}
