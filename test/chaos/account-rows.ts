import { randomUUID } from 'node:crypto';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { createClients, destroyClients } from '../../sandbox/landing-zone/clients.ts';
import { createAccountsRouter } from '../../src/accounts-router/index.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';

/** A router that knows nothing of the account finds its table, and reads there what it wrote. */
export async function expectRowsServed({ env }: ProcessWorld, { tenantId }: Tenant): Promise<void> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env;
  const clients = createClients({
    endpointUrl: env.AWS_ENDPOINT_URL ?? '',
    region: env.AWS_REGION ?? '',
    credentials: { accessKeyId, secretAccessKey },
  });
  try {
    const router = createAccountsRouter({ dynamodb: DynamoDBDocumentClient.from(clients.dynamodb), ssm: clients.ssm });
    const row = { SK: `NOTE#${randomUUID()}`, text: 'of a service' };
    await router.put(tenantId, { Item: row });
    const { Item } = await router.get(tenantId, { Key: { SK: row.SK }, ConsistentRead: true });
    expect(Item).toMatchObject(row);
  } finally {
    destroyClients(clients);
  }
}
