import type { PayloadCodec } from '@temporalio/common';
import { z } from 'zod';
import type { Queryable } from '../db/database.ts';
import { insertSecret, listSecretsOf, type WebhookSecretRow } from '../db/webhook-secrets.ts';
import { seal, unseal } from '../temporal/sealed.ts';
import { newSecret } from './signature.ts';

/** The webhook's id is sealed with its secret: one that is copied into another's row signs nothing. */
const sealed = z.object({ webhookId: z.uuid(), secret: z.string().startsWith('whsec_') });

/** Makes a secret, stores it encrypted, and answers it: nobody is shown it again. */
export async function addSecret(
  tx: Queryable,
  codec: PayloadCodec,
  { webhookId, overlapSeconds }: { readonly webhookId: string; readonly overlapSeconds?: number },
): Promise<string> {
  const secret = newSecret();
  const stored = await seal(codec, { webhookId, secret });
  await insertSecret(tx, {
    webhookId,
    sealed: stored,
    ...(overlapSeconds === undefined ? {} : { overlapSeconds }),
  });
  return secret;
}

/** Secrets that sign now, newest first. @throws RangeError when one was encrypted with a key that is not configured */
export async function readSecrets(db: Queryable, codec: PayloadCodec, webhookId: string): Promise<string[]> {
  const rows = await listSecretsOf(db, webhookId);
  return Promise.all(rows.map((row) => openSecret(codec, row)));
}

/** @throws RangeError, Error */
export async function openSecret(codec: PayloadCodec, row: Pick<WebhookSecretRow, 'webhookId' | 'sealed'>) {
  const opened = sealed.parse(await unseal<unknown>(codec, row.sealed));
  if (opened.webhookId !== row.webhookId) throw new Error(`a secret of webhook ${row.webhookId} is of another`);
  return opened.secret;
}
