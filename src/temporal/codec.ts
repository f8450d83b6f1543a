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
  readonly #onGarbage: 'throw' | 'mark';

  /**
   * @param keys 32 bytes each; the first encrypts, all decrypt.
   * @param onGarbage what becomes of a payload that claims to be encrypted and is not, whatever the key. Some payloads come from
   * anybody (signals), and a codec does not learn which: `mark` lets each pass as one of an encoding that no converter reads.
   */
  constructor(keys: readonly Buffer[], { onGarbage = 'throw' }: { readonly onGarbage?: 'throw' | 'mark' } = {}) {
    const [first] = keys;
    if (!first) throw new RangeError('at least one payload key is needed');
    this.#keys = new Map(keys.map((key) => [keyId(key), key]));
    this.#current = { id: keyId(first), key: first };
    this.#onGarbage = onGarbage;
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
    // A key of ours that this process lacks (its rotation is under way) is no garbage: the payload is read once it has it.
    if (!key && KEY_ID.test(id)) throw new RangeError(`payload was encrypted with key ${id}, which is not configured`);
    try {
      if (!key) throw new RangeError('it names no key');
      return decrypted(key, data);
    } catch (error) {
      const reason = `payload is not what it claims to be, encrypted: ${messageOf(error)}`;
      if (this.#onGarbage === 'throw') throw new RangeError(reason, { cause: error });
      return { metadata: { encoding: Buffer.from(`unreadable (${reason})`) }, data };
    }
  }
}

function decrypted(key: Buffer, data: Uint8Array): Payload {
  if (data.length < IV_BYTES + TAG_BYTES) throw new RangeError('it is too short');
  const decipher = createDecipheriv('aes-256-gcm', key, data.subarray(0, IV_BYTES));
  decipher.setAuthTag(data.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const plain = Buffer.concat([decipher.update(data.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  return proto.temporal.api.common.v1.Payload.decode(plain);
}

const KEY_ID = /^[0-9a-f]{16}$/;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Tells keys apart without giving any away. */
export function keyId(key: Buffer): string {
  return createHash('sha256').update('tenantry-payload-key').update(key).digest('hex').slice(0, 16);
}
