import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CloudFormationClient, UpdateStackCommand, waitUntilStackUpdateComplete } from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { cloudformationStack } from '../../src/kinds/cloudformation-stack/kind.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { describeKinds, type HandChange, type PreparedPlace, type Sample } from '../../testing/index.ts';
import { faultSample, recordFaults } from './record-faults.ts';
import { sharedParts } from './shared-parts.ts';

const place = { bucket: `templates-${randomUUID()}`, key: 'private-account-dynamodb.yaml' };
/** Of the template's object, once it is there. */
let version = '';

async function putTemplate({ cell, credentials, endpointUrl }: PreparedPlace): Promise<void> {
  const client = new S3Client({ endpoint: endpointUrl, region: cell.region, credentials, forcePathStyle: true });
  const Bucket = place.bucket;
  await client.send(new CreateBucketCommand({ Bucket }));
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  const Body = await readFile('templates/private-account-dynamodb.yaml', 'utf8');
  version = (await client.send(new PutObjectCommand({ Bucket, Key: place.key, Body }))).VersionId ?? '';
}

/** By the template that is read already, with everything else as it is. */
const renamed: HandChange = {
  name: 'it was given another parameter',
  change: async ({ cell, credentials, endpointUrl, outputs }) => {
    const client = new CloudFormationClient({ endpoint: endpointUrl, region: cell.region, credentials });
    const StackName = String(outputs['stackId']);
    const kept = ['AccountId', 'AppName'].map((ParameterKey) => ({ ParameterKey, UsePreviousValue: true }));
    const Parameters = [...kept, { ParameterKey: 'AccountName', ParameterValue: 'by hand' }];
    await client.send(new UpdateStackCommand({ StackName, UsePreviousTemplate: true, Parameters }));
    await waitUntilStackUpdateComplete({ client, maxWaitTime: 20, minDelay: 1 }, { StackName });
  },
};

/** A private account's table, protected as in production. */
const privateAccount: Sample = {
  name: 'a private account',
  product: moamalat,
  holdsData: true,
  steps: ({ tenantId }) => [
    {
      id: 'create_stack',
      kind: 'cloudformation-stack',
      needs: [],
      spec: {
        prefix: 'app-prod-account',
        template: { ...place, version },
        parameters: { AccountId: tenantId, AccountName: 'An account', AppName: 'app' },
        capabilities: [],
        tags: { team: 'accounts' },
        terminationProtection: true,
        liftsTableProtection: true,
        timeoutMinutes: 15,
      },
    },
  ],
  revised: (step) => ({
    ...step,
    spec: {
      ...step.spec,
      parameters: { ...Object(step.spec['parameters']), AccountName: 'The same under another name' },
    },
  }),
  handChanges: [renamed],
};

describeKinds([{ kind: cloudformationStack, samples: [privateAccount] }], {
  parts: sharedParts,
  onFaults: recordFaults,
  faultSample,
  prepare: putTemplate,
  // Its tables are scanned for the final dump, which no case makes (test/archives/rows-round-trip.test.ts).
  demandedBeside: { 's3:GetObject': ['s3:GetObjectVersion'], 'dynamodb:DescribeTable': ['dynamodb:Scan'] },
});
