import {
  CreateTableCommand,
  DescribeTableCommand,
  UpdateContinuousBackupsCommand,
  type DynamoDBClient,
  type KeySchemaElement,
} from '@aws-sdk/client-dynamodb';
import { unlessFailed } from './clients.ts';

/** The table that tenants are projected to: on demand, with its stream, both indexes and point-in-time recovery. */
export async function ensureProjectionTable(dynamodb: DynamoDBClient, TableName: string): Promise<void> {
  const there = await unlessFailed(dynamodb.send(new DescribeTableCommand({ TableName })), 'ResourceNotFoundException');
  if (there) return;
  const names = ['PK', 'SK', 'GSI1PK', 'GSI1SK', 'GSI2PK', 'GSI2SK'];
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: keys(''),
      GlobalSecondaryIndexes: ['GSI1', 'GSI2'].map((IndexName) => ({
        IndexName,
        KeySchema: keys(IndexName),
        Projection: { ProjectionType: 'ALL' },
      })),
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  await dynamodb.send(
    new UpdateContinuousBackupsCommand({
      TableName,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    }),
  );
}

function keys(prefix: string): KeySchemaElement[] {
  return [
    { AttributeName: `${prefix}PK`, KeyType: 'HASH' },
    { AttributeName: `${prefix}SK`, KeyType: 'RANGE' },
  ];
}
