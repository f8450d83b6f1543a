import type { Logger } from 'pino';
import type { TenantryClient } from '../client/tenantry.ts';
import { runbookPage } from '../contracts/advice.ts';
import { ISOLATION_OVERDUE_MS } from '../contracts/isolation.ts';
import { listOverdue, listUnsettled, markOverdueTold } from '../db/isolations.ts';
import type { Database } from '../db/database.ts';
import { systemCaller } from '../process-caller.ts';

/** How often isolations without a run are looked for, in ms. */
export const ISOLATIONS_EVERY_MS = 3_000;
/** How long the API has to start the run, in ms. */
const UNSTARTED_AFTER_MS = 3_000;

/**
 * Starts the runs of isolations that are not as wanted and have none: the API died in between, Temporal was unavailable, or somebody
 * ended the run.
 */
export async function startIsolations(deps: {
  readonly database: Database;
  readonly client: Pick<TenantryClient, 'startIsolation'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}): Promise<void> {
  const waiting = await listUnsettled(deps.database, UNSTARTED_AFTER_MS);
  // Side by side and each for itself: one that cannot be started must not keep the others from it.
  await Promise.all(
    waiting.map(async (isolation) => {
      const { tenantId } = isolation;
      try {
        const outcome = await deps.client.startIsolation(systemCaller('worker'), isolation);
        if (outcome === 'started') deps.log.info({ tenantId }, 'an isolation had no run');
      } catch (error) {
        deps.log.warn({ err: error, tenantId }, 'an isolation could not be started: the next round tries again');
      }
    }),
  );
}

/** Raises the alert `isolation-overdue`, once per request, for what is not as wanted after a minute. */
export async function alertOverdue({
  database,
  log,
}: {
  readonly database: Database;
  readonly log: Pick<Logger, 'error'>;
}): Promise<void> {
  for (const overdue of await listOverdue(database, ISOLATION_OVERDUE_MS)) {
    const { tenantId, product, slug, cell, wanted, reason, since, failure } = overdue;
    const runbook = runbookPage('isolation-overdue');
    const what = wanted
      ? 'is to be isolated, and its users may still reach it'
      : 'is to be reached again, and its notice may still answer';
    log.error(
      { alert: 'isolation-overdue', tenantId, product, slug, cell, wanted, reason, since, failure, runbook },
      `tenant ${product}/${slug} ${what}`,
    );
    await markOverdueTold(database, overdue);
  }
}
