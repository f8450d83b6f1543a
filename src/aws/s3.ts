import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { StepError } from '../contracts/step-error.ts';
import { classifyAwsError, isAwsError, sent } from './errors.ts';
import type { Tags } from './tags.ts';

const service = 's3';

export interface ObjectPlace {
  readonly bucket: string;
  readonly key: string;
}

/** How an object is stored. */
export interface ObjectSettings {
  readonly contentType: string;
  readonly tags: Tags;
  /** Absent: as the bucket has it. */
  readonly kmsKeyArn?: string | undefined;
}

export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  /** SHA-256, base64. */
  readonly checksum: string;
}

/** A version of an object; those of a bucket without versioning have one. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly bytes: number;
}

export interface Upload {
  readonly key: string;
  readonly uploadId: string;
}

/** S3: objects under a prefix of a bucket. */
export interface Objects {
  /** @param checksum of the body: SHA-256, base64; S3 refuses another */
  put(place: ObjectPlace, body: Buffer, checksum: string, settings: ObjectSettings): Promise<void>;
  startUpload(place: ObjectPlace, settings: ObjectSettings): Promise<string>;
  /** All parts but the last have at least 5 MiB. */
  uploadPart(
    place: ObjectPlace,
    uploadId: string,
    part: Omit<UploadedPart, 'etag'>,
    body: Buffer,
  ): Promise<UploadedPart>;
  /** Makes one object of the parts. @param bytes of them all: one of that size which is there already is it */
  completeUpload(place: ObjectPlace, uploadId: string, parts: readonly UploadedPart[], bytes: number): Promise<void>;
  /** Missing is done. */
  abortUpload(bucket: string, upload: Upload): Promise<void>;
  /** Every version of what is below a prefix, delete markers included. */
  listVersions(bucket: string, prefix: string): Promise<ObjectVersion[]>;
  /** Uploads below a prefix that were neither completed nor aborted. */
  listUploads(bucket: string, prefix: string): Promise<Upload[]>;
  /** @throws StepError naming those that S3 would not delete; missing is done */
  removeVersions(bucket: string, versions: readonly ObjectVersion[]): Promise<void>;
  read(place: ObjectPlace): Promise<Readable>;
  /** A small object, as text: that version of it, or the latest. @throws StepError */
  readText(place: ObjectPlace, versionId: string | undefined): Promise<string>;
  /** A URL by which anybody may read the object for so long, in s; AWS is not asked for it. @throws StepError */
  urlOf(place: ObjectPlace, expiresInS: number): Promise<string>;
}

export function createObjects(client: S3Client, signer: S3Client): Objects {
  return {
    async put({ bucket, key }, body, checksum, settings) {
      await client.send(
        new PutObjectCommand({
          ...headersOf(settings),
          Bucket: bucket,
          Key: key,
          Body: body,
          ChecksumSHA256: checksum,
        }),
      );
    },

    async startUpload({ bucket, key }, settings) {
      const answer = await client.send(
        new CreateMultipartUploadCommand({
          ...headersOf(settings),
          Bucket: bucket,
          Key: key,
          ChecksumAlgorithm: 'SHA256',
        }),
      );
      return sent(answer.UploadId, { service, action: 'CreateMultipartUpload' }, 'UploadId');
    },

    async uploadPart({ bucket, key }, uploadId, { number, checksum }, body) {
      const answer = await client.send(
        new UploadPartCommand({
          ...{ Bucket: bucket, Key: key, UploadId: uploadId },
          ...{ PartNumber: number, Body: body, ChecksumSHA256: checksum },
        }),
      );
      return { number, checksum, etag: sent(answer.ETag, { service, action: 'UploadPart' }, 'ETag') };
    },

    async completeUpload(place, uploadId, parts, bytes) {
      const { bucket, key } = place;
      const list = parts.map(({ number, etag, checksum }) => ({
        PartNumber: number,
        ETag: etag,
        ChecksumSHA256: checksum,
      }));
      try {
        await client.send(
          new CompleteMultipartUploadCommand({
            ...{ Bucket: bucket, Key: key, UploadId: uploadId },
            MultipartUpload: { Parts: list },
          }),
        );
      } catch (error) {
        // An attempt before this one completed it, and its answer was lost.
        if (!isAwsError(error, 'NoSuchUpload') || (await sizeOf(client, place)) !== bytes) throw error;
      }
    },

    async abortUpload(bucket, { key, uploadId }) {
      try {
        await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId }));
      } catch (error) {
        if (!isAwsError(error, 'NoSuchUpload')) throw error;
      }
    },

    listVersions: (bucket, prefix) => listVersions(client, bucket, prefix),
    listUploads: (bucket, prefix) => listUploads(client, bucket, prefix),

    async removeVersions(bucket, versions) {
      for (let at = 0; at < versions.length; at += MOST_DELETED) {
        const some = versions.slice(at, at + MOST_DELETED);
        const answer = await client.send(
          new DeleteObjectsCommand({
            Bucket: bucket,
            Delete: { Quiet: true, Objects: some.map(({ key, versionId }) => ({ Key: key, VersionId: versionId })) },
          }),
        );
        refuseKept(bucket, answer.Errors ?? []);
      }
    },

    async read({ bucket, key }) {
      const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return sent(answer.Body, { service, action: 'GetObject' }, 'Body') as Readable;
    },

    async readText({ bucket, key }, versionId) {
      const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
      return sent(answer.Body, { service, action: 'GetObject' }, 'Body').transformToString('utf8');
    },

    async urlOf({ bucket, key }, expiresInS) {
      try {
        return await getSignedUrl(signer, new GetObjectCommand({ Bucket: bucket, Key: key }), {
          expiresIn: expiresInS,
        });
      } catch (error) {
        throw classifyAwsError(error, { service, action: 'GetObject' });
      }
    },
  };
}

/** Most objects that one DeleteObjects takes. Source: API reference. */
const MOST_DELETED = 1_000;

function headersOf({ contentType, tags, kmsKeyArn }: ObjectSettings) {
  return {
    ContentType: contentType,
    Tagging: new URLSearchParams(tags).toString(),
    ...(kmsKeyArn !== undefined && { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: kmsKeyArn }),
  };
}

async function sizeOf(client: S3Client, { bucket, key }: ObjectPlace): Promise<number | undefined> {
  try {
    return (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).ContentLength;
  } catch (error) {
    // An answer to HEAD has no body that could name the error.
    if (isAwsError(error, 'NotFound', 'NoSuchKey')) return undefined;
    throw error;
  }
}

async function listVersions(client: S3Client, Bucket: string, Prefix: string): Promise<ObjectVersion[]> {
  const found: ObjectVersion[] = [];
  let marker: { readonly KeyMarker?: string | undefined; readonly VersionIdMarker?: string | undefined } | undefined =
    {};
  while (marker) {
    const page: Awaited<ReturnType<typeof pageOfVersions>> = await pageOfVersions(client, {
      Bucket,
      Prefix,
      ...marker,
    });
    for (const { Key, VersionId, Size } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? []).map(withoutSize)])
      found.push({ key: sent(Key, listing, 'Key'), versionId: VersionId ?? 'null', bytes: Size ?? 0 });
    marker = page.IsTruncated
      ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
      : undefined;
  }
  return found;
}

const listing = { service, action: 'ListObjectVersions' };

function pageOfVersions(client: S3Client, input: ConstructorParameters<typeof ListObjectVersionsCommand>[0]) {
  return client.send(new ListObjectVersionsCommand(input));
}

function withoutSize({ Key, VersionId }: { Key?: string | undefined; VersionId?: string | undefined }) {
  return { Key, VersionId, Size: 0 };
}

async function listUploads(client: S3Client, Bucket: string, Prefix: string): Promise<Upload[]> {
  const answer = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
  const call = { service, action: 'ListMultipartUploads' };
  return (answer.Uploads ?? []).map(({ Key, UploadId }) => ({
    key: sent(Key, call, 'Key'),
    uploadId: sent(UploadId, call, 'UploadId'),
  }));
}

function refuseKept(
  bucket: string,
  errors: readonly {
    readonly Key?: string | undefined;
    readonly Code?: string | undefined;
    readonly Message?: string | undefined;
  }[],
): void {
  const kept = errors.filter(({ Code }) => Code !== 'NoSuchKey' && Code !== 'NoSuchVersion');
  const [first] = kept;
  if (!first) return;
  const said = `${first.Code ?? 'no code'}: ${first.Message ?? ''}`;
  throw new StepError(
    first.Code === 'AccessDenied' ? 'ACCESS_DENIED' : 'CONFLICT_RETRYABLE',
    `s3:DeleteObjects left ${kept.length} objects of bucket ${bucket}, ${first.Key ?? ''} for one: ${said}`,
  );
}
