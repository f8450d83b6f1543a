import { expect, it } from 'vitest';
import { actionOf } from '../../../sandbox/gateway/actions.ts';
import { resourceOf } from '../../../sandbox/gateway/subject.ts';

const call = (method: string, path: string) => ({ service: 's3', method, path, headers: {}, body: Buffer.alloc(0) });

it.each([
  ['PUT', '/bucket/a/b.gz?x-id=PutObject', 'PutObject', 'bucket/a/b.gz'],
  ['PUT', '/bucket/a?partNumber=2&uploadId=u', 'UploadPart', 'bucket/a'],
  ['POST', '/bucket/a%20b?uploads=', 'CreateMultipartUpload', 'bucket/a b'],
  ['POST', '/bucket/a?uploadId=u', 'CompleteMultipartUpload', 'bucket/a'],
  ['DELETE', '/bucket/a?uploadId=u', 'AbortMultipartUpload', 'bucket/a'],
  ['GET', '/bucket?versions&prefix=a%2F', 'ListObjectVersions', 'bucket'],
  ['POST', '/bucket?delete', 'DeleteObjects', 'bucket'],
  ['GET', '/', 'ListBuckets', ''],
])('%s %s is %s of S3', (method, path, action, resource) => {
  expect(actionOf(call(method, path))).toBe(action);
  expect(resourceOf({ ...call(method, path), action })).toBe(resource);
});
