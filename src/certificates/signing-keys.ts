import { defaultPayloadConverter, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { JWK } from 'jose';
import { findSigningKey, insertSigningKey } from '../db/certificates.ts';
import type { Queryable } from '../db/database.ts';
import { makeSigningKey, type SigningKey } from './signature.ts';

const { Payload } = proto.temporal.api.common.v1;

/**
 * The key that this installation signs with; made by the first process that needs it. Its private part is stored as payloads are:
 * encrypted with the first of `TENANTRY_PAYLOAD_KEY`, read with any of them.
 */
export async function signingKey(db: Queryable, codec: PayloadCodec): Promise<Pick<SigningKey, 'kid' | 'privateJwk'>> {
  const stored = await findSigningKey(db);
  if (stored) return { kid: stored.kid, privateJwk: await decrypted(codec, stored.privateJwk) };
  const { kid, publicJwk, privateJwk } = await makeSigningKey();
  await insertSigningKey(db, { kid, publicJwk: { ...publicJwk }, privateJwk: await encrypted(codec, privateJwk) });
  // Another process may have been first.
  return signingKey(db, codec);
}

async function encrypted(codec: PayloadCodec, key: JWK): Promise<Buffer> {
  const [payload] = await codec.encode([defaultPayloadConverter.toPayload(key)]);
  if (!payload) throw new Error('the codec encrypted nothing');
  return Buffer.from(Payload.encode(payload).finish());
}

async function decrypted(codec: PayloadCodec, stored: Buffer): Promise<JWK> {
  const [payload] = await codec.decode([Payload.decode(stored)]);
  if (!payload) throw new Error('the codec decrypted nothing');
  return defaultPayloadConverter.fromPayload<JWK>(payload);
}
