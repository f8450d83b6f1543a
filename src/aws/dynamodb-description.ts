import { DescribeTableCommand, type DynamoDBClient, type TableDescription } from '@aws-sdk/client-dynamodb';
import { isAwsError, sent } from './errors.ts';

/** A table as DynamoDB describes it; undefined when there is none of the name. */
export async function findTable(client: DynamoDBClient, TableName: string): Promise<TableDescription | undefined> {
  try {
    const answer = await client.send(new DescribeTableCommand({ TableName }));
    return sent(answer.Table, { service: 'dynamodb', action: 'DescribeTable' }, 'Table');
  } catch (error) {
    if (isAwsError(error, 'ResourceNotFound')) return undefined;
    throw error;
  }
}
