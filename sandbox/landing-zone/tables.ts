import {
  CreateTableCommand,
  DescribeTableCommand,
  UpdateContinuousBackupsCommand,
  type DynamoDBClient,
  type KeySchemaElement,
} from '@aws-sdk/client-dynamodb';
import { unlessFailed } from './clients.ts';

/** A table on demand with the key `PK` and `SK`, its stream, these indexes and point-in-time recovery. */
export async function ensureTable(
  dynamodb: DynamoDBClient,
  TableName: string,
  indexes: readonly string[],
): Promise<void> {
  const there = await unlessFailed(dynamodb.send(new DescribeTableCommand({ TableName })), 'ResourceNotFoundException');
  if (there) return;
  const names = ['', ...indexes].flatMap((prefix) => [`${prefix}PK`, `${prefix}SK`]);
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: keys(''),
      GlobalSecondaryIndexes: indexes.map((IndexName) => ({
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
