import type { Logger } from 'pino';
import { runbookPage } from '../contracts/advice.ts';
import type { Database } from '../db/database.ts';
import { pruneDeliveries, takeCaughtUp, takeNewlyBehind } from '../db/webhook-figures.ts';

/** How often it is looked for what is behind and what is kept no longer, in ms. */
export const KEEP_EVERY_MS = 30_000;

/** Removed with one statement. */
const PRUNED_AT_ONCE = 1_000;

export interface KeeperDeps {
  readonly database: Database;
  readonly log: Pick<Logger, 'info' | 'error'>;
}

/** A round that tells which webhooks are behind, once each, and removes what is kept no longer. */
export async function keepWebhooks({ database, log }: KeeperDeps, stop?: AbortSignal): Promise<void> {
  await database.transaction(
    async (tx) => {
      for (const { id, since, failures, error } of await takeNewlyBehind(tx)) {
        const at = { alert: 'webhook-behind', webhookId: id, since, failures, reason: error };
        log.error({ ...at, runbook: runbookPage('webhook-behind') }, 'events wait to be delivered for too long');
      }
    },
    { once: true },
  );
  for (const webhookId of await takeCaughtUp(database)) log.info({ webhookId }, 'a webhook has caught up');
  while (stop?.aborted !== true && (await pruneDeliveries(database, PRUNED_AT_ONCE)) === PRUNED_AT_ONCE);
}
