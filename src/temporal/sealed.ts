import { defaultPayloadConverter, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

const { Payload } = proto.temporal.api.common.v1;

/** A value as it is stored: encrypted as payloads are, with the first of `TENANTRY_PAYLOAD_KEY`. */
export async function seal(codec: PayloadCodec, value: object): Promise<Buffer> {
  const [payload] = await codec.encode([defaultPayloadConverter.toPayload(value)]);
  if (!payload) throw new Error('the codec encrypted nothing');
  return Buffer.from(Payload.encode(payload).finish());
}

/** What was sealed, with any of the keys. @throws RangeError when it was sealed with a key that is not configured */
export async function unseal<T>(codec: PayloadCodec, stored: Buffer): Promise<T> {
  const [payload] = await codec.decode([Payload.decode(stored)]);
  if (!payload) throw new Error('the codec decrypted nothing');
  return defaultPayloadConverter.fromPayload<T>(payload);
}
