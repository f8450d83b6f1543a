import { CreateBucketCommand, PutPublicAccessBlockCommand, type S3Client } from '@aws-sdk/client-s3';
import { unlessFailed } from './clients.ts';

/** The bucket that final dumps are kept in: closed to the public. */
export async function ensureArchive(s3: S3Client, Bucket: string): Promise<void> {
  await unlessFailed(s3.send(new CreateBucketCommand({ Bucket })), 'BucketAlreadyOwnedByYou');
  await s3.send(
    new PutPublicAccessBlockCommand({
      Bucket,
      PublicAccessBlockConfiguration: {
        ...{ BlockPublicAcls: true, IgnorePublicAcls: true },
        ...{ BlockPublicPolicy: true, RestrictPublicBuckets: true },
      },
    }),
  );
}
