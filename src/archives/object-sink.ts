import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Objects, ObjectSettings, UploadedPart } from '../aws/s3.ts';
import { StepError } from '../contracts/step-error.ts';
import type { StoredFile } from '../contracts/dump.ts';
import type { DumpSink } from '../db/tenant-dump/sink.ts';

export interface SinkSettings extends Omit<ObjectSettings, 'contentType'> {
  readonly bucket: string;
  /** Of the dump's folder, with its slash. */
  readonly prefix: string;
  readonly signal: AbortSignal;
}

const MIB = 1024 * 1024;
/** Parts of a size; the size doubles after as many, so that the 10,000 of an object hold 480 GiB and a small one takes little memory. */
const PARTS_OF_A_SIZE = 2_000;
const FIRST_PART_BYTES = 8 * MIB;

/** Size of a part by its number, from 1 on. Pure. */
export function partBytes(number: number): number {
  return FIRST_PART_BYTES * 2 ** Math.floor((number - 1) / PARTS_OF_A_SIZE);
}

/** Files of a dump as objects of S3, compressed, each with its checksum; one that fits into a part is put at once. */
export function createObjectSink(objects: Objects, settings: SinkSettings): DumpSink {
  return {
    write: (name, content) =>
      writeObject(objects, settings, { name, contentType: 'application/gzip' }, zipped(content)),
  };
}

/** An object as it is, not compressed. */
export function writePlain(objects: Objects, settings: SinkSettings, name: string, text: string): Promise<StoredFile> {
  return writeObject(objects, settings, { name, contentType: 'application/json' }, Readable.from([Buffer.from(text)]));
}

/** An error of the source is the error of what reads it. */
function zipped(content: Readable | string): Readable {
  const gzip = createGzip();
  const source = typeof content === 'string' ? Readable.from([Buffer.from(content, 'utf8')]) : content;
  pipeline(source, gzip).catch((error: unknown) =>
    gzip.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return gzip;
}

async function writeObject(
  objects: Objects,
  settings: SinkSettings,
  { name, contentType }: { readonly name: string; readonly contentType: string },
  content: Readable,
): Promise<StoredFile> {
  const place = { bucket: settings.bucket, key: settings.prefix + name };
  const stored = { contentType, tags: settings.tags, kmsKeyArn: settings.kmsKeyArn };
  const hash = createHash('sha256');
  const parts: UploadedPart[] = [];
  let bytes = 0;
  let uploadId: string | undefined;
  const again = <T>(call: () => Promise<T>) => withRetries(settings.signal, call);
  for await (const { body, isLast } of inParts(content)) {
    hash.update(body);
    bytes += body.length;
    const checksum = createHash('sha256').update(body).digest('base64');
    if (isLast && uploadId === undefined) {
      await again(() => objects.put(place, body, checksum, stored));
      break;
    }
    const id = (uploadId ??= await again(() => objects.startUpload(place, stored)));
    const part = { number: parts.length + 1, checksum };
    parts.push(await again(() => objects.uploadPart(place, id, part, body)));
  }
  const id = uploadId;
  if (id !== undefined) await again(() => objects.completeUpload(place, id, parts, bytes));
  return { name, bytes, sha256: hash.digest('hex') };
}

/** Cuts a stream into the parts of an upload; the last one may be empty when it is the only one. */
async function* inParts(content: Readable): AsyncGenerator<{ readonly body: Buffer; readonly isLast: boolean }> {
  let chunks: Buffer[] = [];
  let size = 0;
  let number = 1;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    for (let wanted = partBytes(number); size > wanted; wanted = partBytes(number)) {
      const whole = Buffer.concat(chunks, size);
      yield { body: whole.subarray(0, wanted), isLast: false };
      number += 1;
      chunks = [whole.subarray(wanted)];
      size -= wanted;
    }
  }
  yield { body: Buffer.concat(chunks, size), isLast: true };
}

/** What passes by itself, and what may have been done and can be done again: each call here can. */
const passing: readonly string[] = [
  'THROTTLED',
  'AWS_UNAVAILABLE',
  'AWS_ANSWER_UNREADABLE',
  'UNCLEAR',
  'CONFLICT_RETRYABLE',
];
const waitsMs = [200, 1_000, 4_000, 10_000];

/** A dump makes many calls: one that fails for a moment must not cost all that went before it. */
async function withRetries<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  for (const waitMs of waitsMs) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StepError) || !passing.includes(error.code)) throw error;
      await sleep(waitMs, undefined, { signal });
    }
  }
  return call();
}
