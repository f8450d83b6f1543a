import type { PayloadCodec } from '@temporalio/common';
import { BEHIND_SECONDS } from '../contracts/webhooks.ts';
import type { Queryable } from '../db/database.ts';
import { measureWebhooks, type WebhookFigures } from '../db/webhook-figures.ts';
import { listAllSecrets } from '../db/webhook-secrets.ts';
import { openSecret } from '../webhooks/secrets.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

const subject = 'webhooks';

/** What waits to be told, what was given up, and whether every secret can be read. Nothing where there is no webhook. */
export async function checkWebhooks(database: Queryable, codec: PayloadCodec): Promise<Finding[]> {
  const figures = await measureWebhooks(database);
  if (figures.webhooks === 0) return [];
  const unreadable = await unreadableSecrets(database, codec);
  const findings = [
    ...unreadable.map((said) => problem(subject, said)),
    ...warningsOf(figures).map((said) => warning(subject, said)),
  ];
  return findings.length > 0 ? findings : [ok(subject, `${figures.webhooks}, none behind, no dead letters`)];
}

function warningsOf({ dead, disabled, pending, oldestPendingMs }: WebhookFigures): string[] {
  const minutes = Math.floor(oldestPendingMs / 60_000);
  return [
    ...(dead > 0 ? [`${dead} events were given up: docs/runbook.md#webhook-dead-letters`] : []),
    ...(disabled > 0 ? [`${disabled} are disabled: \`tenantry webhooks list\` names them`] : []),
    ...(oldestPendingMs > BEHIND_SECONDS * 1_000
      ? [`${pending} events wait, the oldest for ${minutes} minutes: docs/runbook.md#webhook-behind`]
      : []),
  ];
}

async function unreadableSecrets(database: Queryable, codec: PayloadCodec): Promise<string[]> {
  const looked = (await listAllSecrets(database)).map(async (row) => {
    try {
      await openSecret(codec, row);
      return undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return `webhook ${row.webhookId} sends nothing, because its secret cannot be read: ${why}`;
    }
  });
  return (await Promise.all(looked)).flatMap((said) => said ?? []);
}
