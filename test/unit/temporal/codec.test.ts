import { randomBytes } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { EncryptionCodec } from '../../../src/temporal/codec.ts';

const text = (value: string) => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
const key = randomBytes(32);

describe('EncryptionCodec', () => {
  it('gives back what it encrypted, and shows nothing of it meanwhile', async () => {
    const codec = new EncryptionCodec([key]);
    const [encrypted] = await codec.encode([text('a tenant called Acme')]);
    expect(Buffer.from(encrypted!.data!).toString('latin1')).not.toContain('Acme');
    const [decrypted] = await codec.decode([encrypted!]);
    expect(Buffer.from(decrypted!.data!).toString()).toBe('"a tenant called Acme"');
  });
  it('reads what an earlier key wrote once that key is second', async () => {
    const [old] = await new EncryptionCodec([key]).encode([text('x')]);
    const [read] = await new EncryptionCodec([randomBytes(32), key]).decode([old!]);
    expect(Buffer.from(read!.data!).toString()).toBe('"x"');
  });
  it('names the key that is missing', async () => {
    const [foreign] = await new EncryptionCodec([randomBytes(32)]).encode([text('x')]);
    await expect(new EncryptionCodec([key]).decode([foreign!])).rejects.toThrow(
      /encrypted with key [0-9a-f]{16}, which is not configured/,
    );
  });
  it('refuses a payload that was tampered with', async () => {
    const codec = new EncryptionCodec([key]);
    const [payload] = await codec.encode([text('x')]);
    payload!.data![payload!.data!.length - 1]! ^= 1;
    await expect(codec.decode([payload!])).rejects.toThrow();
  });
  it("lets plain payloads of Temporal's own CLI pass", async () => {
    const plain = text('operation id');
    expect(await new EncryptionCodec([key]).decode([plain])).toEqual([plain]);
  });
  it('marks garbage, whatever the keys, where it is told to, and still names a key that is missing', async () => {
    const codec = new EncryptionCodec([key], { onGarbage: 'mark' });
    const [readable] = await codec.encode([text('x')]);
    const garbage: Payload[] = [
      { ...readable, data: Buffer.from('short') },
      { ...readable, data: Buffer.alloc(100) },
      { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('"x"') },
      { metadata: { ...readable!.metadata!, 'encryption-key-id': Buffer.from('mine') }, data: readable!.data! },
    ];
    const marked = await codec.decode([...garbage, readable!]);
    const encodings = marked.map((payload) => Buffer.from(payload.metadata!.encoding!).toString());
    expect(encodings.slice(0, 4)).toEqual(Array(4).fill(expect.stringMatching(/^unreadable \(payload is not/)));
    expect(encodings[4]).toBe('json/plain');
    for (const payload of garbage) await expect(new EncryptionCodec([key]).decode([payload])).rejects.toThrow('is not');
    const [foreign] = await new EncryptionCodec([randomBytes(32)]).encode([text('x')]);
    await expect(codec.decode([foreign!])).rejects.toThrow('which is not configured');
  });
});
