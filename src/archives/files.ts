import type { Objects } from '../aws/s3.ts';

/** Removes everything below an archive's prefix, all versions and what was never completed. @returns how many objects there were */
export async function removeFiles(
  objects: Objects,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
): Promise<number> {
  for (const upload of await objects.listUploads(bucket, prefix)) await objects.abortUpload(bucket, upload);
  const versions = await objects.listVersions(bucket, prefix);
  await objects.removeVersions(bucket, versions);
  return versions.length;
}
