import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

const ENCODING = 'binary/encrypted';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts every payload (arguments, results, failures, summaries, details) with AES-256-GCM before it leaves the
 * process. Format: metadata `encoding: binary/encrypted`, `encryption-key-id`; data = iv (12) + tag (16) + ciphertext
 * of the original payload's protobuf. Payloads that are not encrypted (a signal from Temporal's own CLI) pass as they are.
 */
export class EncryptionCodec implements PayloadCodec {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #current: { readonly id: string; readonly key: Buffer };

  /** @param keys 32 bytes each; the first encrypts, all decrypt. */
  constructor(keys: readonly Buffer[]) {
    const [first] = keys;
    if (!first) throw new RangeError('at least one payload key is needed');
    this.#keys = new Map(keys.map((key) => [keyId(key), key]));
    this.#current = { id: keyId(first), key: first };
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map((p) => this.#encrypt(p)));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map((p) => this.#decrypt(p)));
  }

  #encrypt(payload: Payload): Payload {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#current.key, iv);
    const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
    const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
    return {
      metadata: { encoding: Buffer.from(ENCODING), 'encryption-key-id': Buffer.from(this.#current.id) },
      data: Buffer.concat([iv, cipher.getAuthTag(), encrypted]),
    };
  }

  #decrypt(payload: Payload): Payload {
    const { metadata, data } = payload;
    if (!metadata?.encoding || !data || Buffer.from(metadata.encoding).toString() !== ENCODING) return payload;
    const id = Buffer.from(metadata['encryption-key-id'] ?? []).toString();
    const key = this.#keys.get(id);
    if (!key) throw new RangeError(`payload was encrypted with key ${id || '(none named)'}, which is not configured`);
    const decipher = createDecipheriv('aes-256-gcm', key, data.subarray(0, IV_BYTES));
    decipher.setAuthTag(data.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const plain = Buffer.concat([decipher.update(data.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return proto.temporal.api.common.v1.Payload.decode(plain);
  }
}

/** Tells keys apart without giving any away. */
function keyId(key: Buffer): string {
  return createHash('sha256').update('tenantry-payload-key').update(key).digest('hex').slice(0, 16);
}
