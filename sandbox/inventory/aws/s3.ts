import type { InventoryItem } from '../item.ts';
import type { AnswerTree } from './answer-tree.ts';
import { AwsReadError, readPages, type AwsCaller } from './caller.ts';
import { facts, tagged, tagsOf } from './facts.ts';

/** Objects of every bucket, all versions, and uploads that nobody completed: what was forgotten in one costs as long as it is there. */
export async function listObjects(caller: AwsCaller): Promise<InventoryItem[]> {
  const buckets = (await caller.read({ protocol: 'rest', service: 's3', path: '/' })).list('Buckets');
  const listed = await Promise.all(buckets.map((bucket) => itemsOf(caller, bucket.text('Name'))));
  return listed.flat();
}

async function itemsOf(caller: AwsCaller, bucket: string): Promise<InventoryItem[]> {
  const [versions, uploads] = await Promise.all([versionsOf(caller, bucket), uploadsOf(caller, bucket)]);
  const objects = await Promise.all(versions.map((version) => objectItem(caller, bucket, version)));
  return [...objects.flat(), ...uploads.map((upload) => uploadItem(bucket, upload))];
}

async function versionsOf(caller: AwsCaller, bucket: string): Promise<AnswerTree[]> {
  const answers = await readPages<{ readonly key: string; readonly version: string }>(
    (token) =>
      caller.read({
        ...({ protocol: 'rest', service: 's3', path: `/${bucket}` } as const),
        input: { versions: '', 'key-marker': token?.key, 'version-id-marker': token?.version },
      }),
    (answer) =>
      answer.text('IsTruncated') === 'true'
        ? { key: answer.text('NextKeyMarker'), version: answer.text('NextVersionIdMarker') }
        : undefined,
  );
  return answers.flatMap((answer) => answer.all('Version'));
}

async function uploadsOf(caller: AwsCaller, bucket: string): Promise<readonly AnswerTree[]> {
  return (await caller.read({ protocol: 'rest', service: 's3', path: `/${bucket}`, input: { uploads: '' } })).all(
    'Upload',
  );
}

async function objectItem(caller: AwsCaller, bucket: string, version: AnswerTree): Promise<InventoryItem[]> {
  const key = version.text('Key');
  const item = {
    kind: 's3:object',
    id: `${bucket}/${key} ${version.text('VersionId')}`,
    name: key,
    detail: facts({ bucket, bytes: version.text('Size') }),
  };
  try {
    const path = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
    const answer = await caller.read({ protocol: 'rest', service: 's3', path, input: { tagging: '' } });
    return [withTags(item, tagsOf(answer.list('TagSet')))];
  } catch (error) {
    // Gone between the two calls.
    if (error instanceof AwsReadError && error.status === 404) return [];
    throw error;
  }
}

/** What says itself until when it is kept is meant to be there. */
function withTags(item: InventoryItem, tags: Readonly<Record<string, string>>): InventoryItem {
  const expires = tags['tenantry:expires-after'];
  return tagged(expires === undefined ? item : { ...item, residue: `it is kept until ${expires}` }, tags);
}

function uploadItem(bucket: string, upload: AnswerTree): InventoryItem {
  const key = upload.text('Key');
  return { kind: 's3:upload', id: `${bucket}/${key} ${upload.text('UploadId')}`, name: key, detail: { bucket } };
}
