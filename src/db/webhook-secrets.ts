import { z } from 'zod';
import { bigint, optionalTime, time, uuid } from './columns.ts';
import type { Queryable } from './database.ts';
import { rowsOf } from './rows.ts';

const secretRow = z.object({
  id: bigint,
  webhookId: uuid,
  /** Encrypted. */
  sealed: z.instanceof(Buffer),
  createdAt: time,
  /** Null: until a rotation. */
  expiresAt: optionalTime,
});
export type WebhookSecretRow = z.output<typeof secretRow>;

const columns = `id, webhook_id as "webhookId", sealed, created_at as "createdAt", expires_at as "expiresAt"`;

/** Secrets that sign now, newest first. */
export async function listSecretsOf(db: Queryable, webhookId: string): Promise<WebhookSecretRow[]> {
  return rowsOf(
    secretRow,
    await db.query(
      `select ${columns} from webhook_secrets where webhook_id = $1 and (expires_at is null or expires_at > now())
       order by id desc`,
      [webhookId],
    ),
  );
}

/** Secrets of all webhooks that are not deleted. */
export async function listAllSecrets(db: Queryable): Promise<WebhookSecretRow[]> {
  return rowsOf(secretRow, await db.query(`select ${columns} from webhook_secrets order by id`));
}

/**
 * A further secret, which signs from now on. The one before signs beside it until then; those before that keep their own end,
 * unless it is later.
 */
export async function insertSecret(
  tx: Queryable,
  { webhookId, sealed, overlapSeconds = 0 }: { webhookId: string; sealed: Buffer; overlapSeconds?: number },
): Promise<void> {
  await tx.query(
    `update webhook_secrets set expires_at = least(expires_at, now() + $2 * interval '1 second') where webhook_id = $1`,
    [webhookId, overlapSeconds],
  );
  await tx.query('delete from webhook_secrets where webhook_id = $1 and expires_at <= now()', [webhookId]);
  await tx.query('insert into webhook_secrets (webhook_id, sealed) values ($1, $2)', [webhookId, sealed]);
}
