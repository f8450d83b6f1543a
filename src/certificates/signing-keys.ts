import type { PayloadCodec } from '@temporalio/common';
import type { JWK } from 'jose';
import { findSigningKey, insertSigningKey, retireSigningKey } from '../db/certificates.ts';
import type { Queryable } from '../db/database.ts';
import { seal, unseal } from '../temporal/sealed.ts';
import { makeSigningKey, type SigningKey } from './signature.ts';

/**
 * The key that this installation signs with; made by the first process that needs it. Its private part is stored as payloads are:
 * encrypted with the first of `TENANTRY_PAYLOAD_KEY`, read with any of them.
 */
export async function signingKey(db: Queryable, codec: PayloadCodec): Promise<Pick<SigningKey, 'kid' | 'privateJwk'>> {
  const stored = await findSigningKey(db);
  if (stored) return { kid: stored.kid, privateJwk: await unseal<JWK>(codec, stored.privateJwk) };
  const { kid, publicJwk, privateJwk } = await makeSigningKey();
  await insertSigningKey(db, { kid, publicJwk: { ...publicJwk }, privateJwk: await seal(codec, privateJwk) });
  // Another process may have been first.
  return signingKey(db, codec);
}

/**
 * Another key signs from now on; what the one before has signed is verified as before, since its public part stays.
 * @returns ids of both; `before` is undefined when none had signed yet
 */
export async function rotateSigningKey(
  tx: Queryable,
  codec: PayloadCodec,
): Promise<{ before: string | undefined; now: string }> {
  const stored = await findSigningKey(tx);
  if (stored) await retireSigningKey(tx, stored.kid);
  return { before: stored?.kid, now: (await signingKey(tx, codec)).kid };
}
