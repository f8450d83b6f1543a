import type { Logger } from 'pino';
import type { TenantryClient } from '../client/tenantry.ts';
import type { Database } from '../db/database.ts';
import { listAcceptedWithoutRun } from '../db/operations.ts';
import { systemCaller } from '../process-caller.ts';

/** How long an accepted operation may be without a run before a worker starts it, in ms (design rule 13). */
export const UNSTARTED_AFTER_MS = 30_000;

/**
 * Starts operations that were accepted and never started: the API died in between, Temporal was unavailable, or an earlier run
 * of the tenant had to close first. Starting one that is started already does nothing.
 */
export async function startAccepted(deps: {
  readonly database: Database;
  readonly client: Pick<TenantryClient, 'startAccepted'>;
  readonly log: Logger;
}): Promise<void> {
  const waiting = await listAcceptedWithoutRun(deps.database, UNSTARTED_AFTER_MS);
  // Side by side and each for itself: one that cannot be started must not keep the others from it.
  await Promise.all(
    waiting.map(async (operation) => {
      const at = { operationId: operation.id, workflowId: operation.workflowId };
      try {
        const outcome = await deps.client.startAccepted(systemCaller('worker'), operation);
        deps.log.info({ ...at, outcome }, 'accepted operation without a run');
      } catch (error) {
        deps.log.warn({ ...at, err: error }, 'an accepted operation could not be started: the next round tries again');
      }
    }),
  );
}
