import { ListTagsOfResourceCommand, UpdateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { StepError } from '../contracts/step-error.ts';
import { findTable } from './dynamodb-description.ts';
import { isAwsError, sent } from './errors.ts';
import { STACK_TAG, tagsOf, type Tags } from './tags.ts';

export interface TableProtection {
  /**
   * Lifts the deletion protection of a table that is the stack's, by CloudFormation's own tag. Another table that has its name by now is
   * left alone; a missing one is done.
   * @throws StepError CONFLICT_RETRYABLE while it is being made or changed
   */
  liftTableProtection(table: string, stackId: string): Promise<void>;
}

export function createTableProtection(client: DynamoDBClient): TableProtection {
  return {
    async liftTableProtection(TableName, stackId) {
      const table = await findTable(client, TableName);
      if (table?.DeletionProtectionEnabled !== true) return;
      const arn = sent(table.TableArn, { service, action: 'DescribeTable' }, 'Table.TableArn');
      try {
        if ((await readTags(client, arn))[STACK_TAG] !== stackId) return;
        await client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
      } catch (error) {
        // Gone since the look: of a table that there is none of AWS answers that its tags may not be read.
        if (isAwsError(error, 'ResourceNotFound', 'AccessDenied') && !(await findTable(client, TableName))) return;
        if (isAwsError(error, 'ResourceInUse'))
          throw new StepError('CONFLICT_RETRYABLE', `table ${TableName} is being made or changed`, { cause: error });
        throw error;
      }
    },
  };
}

const service = 'dynamodb';

async function readTags(client: DynamoDBClient, ResourceArn: string): Promise<Tags> {
  const tags: Record<string, string> = {};
  for (let NextToken: string | undefined; ;) {
    const page = await client.send(new ListTagsOfResourceCommand({ ResourceArn, NextToken }));
    Object.assign(tags, tagsOf(sent(page.Tags, { service, action: 'ListTagsOfResource' }, 'Tags')));
    NextToken = page.NextToken;
    if (NextToken === undefined) return tags;
  }
}
