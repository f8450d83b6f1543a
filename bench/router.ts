/**
 * What the router of accounts adds to a call of the bare document client, with a warm cache: `npm run bench -- router [calls]`. Both
 * send the same calls to the same emulated table in turn, so that whatever else the machine does meets both alike.
 */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { randomUUID } from 'node:crypto';
import { accountIndexKey, accountPartition, createAccountsRouter } from '../src/accounts-router/index.ts';
import { startMinistack } from '../sandbox/parts/ministack.ts';
import { saveResult } from './results.ts';

const calls = Number(process.argv[2] ?? 2_000);
const accountId = randomUUID();
const TableName = 'shared';
const PK = accountPartition(accountId);
const GSI1PK = accountIndexKey(accountId, 'ALL');

const ministack = await startMinistack({ log: () => undefined });
const config = {
  endpoint: ministack.url,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};
const [client, ssm] = [new DynamoDBClient(config), new SSMClient(config)];
const dynamodb = DynamoDBDocumentClient.from(client);
try {
  await prepare();
  const figures = { calls, operations: await measureAll() };
  console.log(JSON.stringify(figures, null, 2));
  saveResult('router', figures);
} finally {
  client.destroy();
  ssm.destroy();
  await ministack.stop();
}

async function prepare(): Promise<void> {
  const names = ['PK', 'SK', 'GSI1PK', 'GSI1SK'];
  const keys = (prefix: string) => [
    { AttributeName: `${prefix}PK`, KeyType: 'HASH' as const },
    { AttributeName: `${prefix}SK`, KeyType: 'RANGE' as const },
  ];
  await client.send(
    new CreateTableCommand({
      ...{ TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema: keys('') },
      AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      GlobalSecondaryIndexes: [{ IndexName: 'GSI1', KeySchema: keys('GSI1'), Projection: { ProjectionType: 'ALL' } }],
    }),
  );
  const parameters = {
    '/platform/dynamodb/shared-table-name': TableName,
    [`/accounts/${accountId}/cloud-type`]: 'public',
    [`/accounts/${accountId}/provisioning-status`]: 'active',
  };
  for (const [Name, Value] of Object.entries(parameters))
    await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String' }));
  await dynamodb.send(
    new PutCommand({ TableName, Item: { PK, SK: 'A', GSI1PK, GSI1SK: 'A', n: 0, text: 'x'.repeat(500) } }),
  );
}

type Call = () => Promise<unknown>;

async function measureAll() {
  const router = createAccountsRouter({ dynamodb, ssm });
  const update = {
    UpdateExpression: 'SET n = if_not_exists(n, :zero) + :one, #t = :t',
    ConditionExpression: 'attribute_exists(SK) AND (n >= :zero OR size(#t) > :one)',
    ExpressionAttributeNames: { '#t': 'text' },
    ExpressionAttributeValues: { ':zero': 0, ':one': 1, ':t': 'x' },
  };
  const query = {
    ...{ IndexName: 'GSI1', KeyConditionExpression: 'GSI1PK = :p AND begins_with(GSI1SK, :s)' },
    ExpressionAttributeValues: { ':p': GSI1PK, ':s': 'A' },
  };
  const Key = { SK: 'A' };
  const pairs: readonly (readonly [title: string, bare: Call, routed: Call])[] = [
    [
      'get',
      () => dynamodb.send(new GetCommand({ TableName, Key: { PK, ...Key } })),
      () => router.get(accountId, { Key }),
    ],
    [
      'update with a condition',
      () => dynamodb.send(new UpdateCommand({ TableName, Key: { PK, ...Key }, ...update })),
      () => router.update(accountId, { Key, ...update }),
    ],
    [
      'query of an index',
      () => dynamodb.send(new QueryCommand({ TableName, ...query })),
      () => router.query(accountId, query),
    ],
  ];
  const operations = [];
  for (const [title, bare, routed] of pairs) operations.push({ title, ...(await measure(bare, routed)) });
  return operations;
}

/** In turn; who begins changes with every pair. */
async function measure(bare: Call, routed: Call) {
  const [bareMs, routedMs]: [number[], number[]] = [[], []];
  for (let n = -Math.ceil(calls / 10); n < calls; n += 1) {
    const both = [
      [bare, bareMs],
      [routed, routedMs],
    ] as const;
    for (const [call, took] of n % 2 === 0 ? both : both.toReversed()) {
      const beganMs = performance.now();
      await call();
      // The first tenth is for the machine to get warm.
      if (n >= 0) took.push(performance.now() - beganMs);
    }
  }
  const [bareP50Ms, routedP50Ms] = [median(bareMs), median(routedMs)];
  return { bareP50Ms: round(bareP50Ms), routedP50Ms: round(routedP50Ms), ratio: round(routedP50Ms / bareP50Ms) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
