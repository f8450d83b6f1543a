import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { optionalNames, parameterNames } from '../../src/products/accounts/platform.ts';
import { ensureClosedBucket } from './buckets.ts';
import type { SeedClients } from './clients.ts';
import { sharedTable, templateBucket } from './names.ts';

const TEMPLATE = new URL('../../templates/private-account-dynamodb.yaml', import.meta.url);
/** Routers hold an answer for minutes elsewhere, and a removal waits for them; moved rows stay for a quarter of an hour. */
export const LEASE_SECONDS = 2;
const HOLD_SECONDS = 2;

/** What accounts rest on beside the shared table: the template of private ones. Answers the parameters that lead to both. */
export async function ensureAccountPlatform(
  clients: SeedClients,
  { accountId, region }: { readonly accountId: string; readonly region: string },
): Promise<Record<string, string>> {
  const bucket = templateBucket(accountId, region);
  await ensureClosedBucket(clients.s3, bucket);
  const body = await readFile(TEMPLATE, 'utf8');
  // Another template is another object: a stack that was made by the one before is not looked at by this one.
  const key = `private-account-dynamodb/${createHash('sha256').update(body).digest('hex').slice(0, 12)}.yaml`;
  await clients.s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  return {
    [parameterNames.sharedTable]: sharedTable,
    [parameterNames.sharedTableArn]: `arn:aws:dynamodb:${region}:${accountId}:table/${sharedTable}`,
    [parameterNames.billingMode]: 'PAY_PER_REQUEST',
    [parameterNames.templateBucket]: bucket,
    [parameterNames.templateKey]: key,
    [optionalNames.leaseSeconds]: String(LEASE_SECONDS),
    [optionalNames.holdSeconds]: String(HOLD_SECONDS),
  };
}
