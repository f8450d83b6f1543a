import { CreateBucketCommand, PutPublicAccessBlockCommand, type S3Client } from '@aws-sdk/client-s3';
import { unlessFailed } from './clients.ts';

/** A bucket that is closed to the public: for final dumps, for templates. */
export async function ensureClosedBucket(s3: S3Client, Bucket: string): Promise<void> {
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
