import { randomUUID } from 'node:crypto';
import { DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { expect } from 'vitest';
import { createClients, destroyClients, type AwsTarget, type SeedClients } from '../../sandbox/landing-zone/clients.ts';
import { accountPartition } from '../../src/accounts-router/account-id.ts';
import { createAccountsRouter } from '../../src/accounts-router/index.ts';
import type { ProcessWorld, Tenant } from './process-world.ts';

/** AWS as the world's processes see it. */
export function awsTargetOf({ env }: ProcessWorld): Required<AwsTarget> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env;
  return {
    endpointUrl: env.AWS_ENDPOINT_URL ?? '',
    region: env.AWS_REGION ?? '',
    credentials: { accessKeyId, secretAccessKey },
  };
}

/** A router that knows nothing of the account finds its table, and reads there what it wrote. */
export async function expectRowsServed(world: ProcessWorld, { tenantId }: Tenant): Promise<void> {
  await withClients(world, async ({ ssm }, dynamodb) => {
    const router = createAccountsRouter({ dynamodb, ssm });
    const row = { SK: `${ROWS}${randomUUID()}`, text: 'of a service' };
    await router.put(tenantId, { Item: row });
    const { Item } = await router.get(tenantId, { Key: { SK: row.SK }, ConsistentRead: true });
    expect(Item).toMatchObject(row);
  });
}

/** Sort keys of what services write here. */
const ROWS = 'NOTE#';

/** Rows that services wrote into a table, by sort key. */
export function rowsIn(
  world: ProcessWorld,
  TableName: string,
  { tenantId }: Tenant,
): Promise<ReadonlyMap<string, number>> {
  return withClients(world, async (_clients, client) => {
    const rows = new Map<string, number>();
    const query = {
      TableName,
      KeyConditionExpression: 'PK = :account AND begins_with(SK, :rows)',
      ExpressionAttributeValues: { ':account': accountPartition(tenantId), ':rows': ROWS },
      ConsistentRead: true,
    };
    for await (const { Items = [] } of paginateQuery({ client }, query))
      for (const { SK, n } of Items) rows.set(String(SK), Number(n));
    return rows;
  });
}

async function withClients<T>(
  world: ProcessWorld,
  use: (clients: SeedClients, dynamodb: DynamoDBDocumentClient) => Promise<T>,
): Promise<T> {
  const clients = createClients(awsTargetOf(world));
  try {
    return await use(clients, DynamoDBDocumentClient.from(clients.dynamodb));
  } finally {
    destroyClients(clients);
  }
}
