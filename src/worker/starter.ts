import type { Logger } from 'pino';
import type { TenantryClient } from '../client/tenantry.ts';
import type { Database } from '../db/database.ts';
import { listAcceptedWithoutRun } from '../db/operations.ts';

/** How long an accepted operation may be without a run before a worker starts it, in ms (design rule 13). */
export const UNSTARTED_AFTER_MS = 30_000;

/**
 * Starts operations that were accepted and never started: the API died in between, Temporal was away, or an earlier run
 * of the tenant had to close first. Starting one that is started already does nothing.
 */
export async function startAccepted(deps: { database: Database; client: TenantryClient; log: Logger }): Promise<void> {
  for (const operation of await listAcceptedWithoutRun(deps.database, UNSTARTED_AFTER_MS)) {
    const outcome = await deps.client.startAccepted(operation);
    deps.log.info(
      { operationId: operation.id, workflowId: operation.workflowId, outcome },
      'accepted operation without a run',
    );
  }
}
