import type { InventoryItem } from '../item.ts';
import type { AnswerTree } from './answer-tree.ts';
import { AwsReadError, readPages, type AwsCaller } from './caller.ts';
import { facts, tagged, tagsOf } from './facts.ts';

/** Tables of DynamoDB with their tags and settings, not with what is in them. */
export async function listTables(caller: AwsCaller): Promise<InventoryItem[]> {
  const answers = await readPages(
    (ExclusiveStartTableName) => call(caller, 'ListTables', { ExclusiveStartTableName, Limit: 100 }),
    (answer) => answer.text('LastEvaluatedTableName') || undefined,
  );
  const names = answers.flatMap((answer) => answer.list('TableNames')).map(({ value }) => value);
  return (await Promise.all(names.map((name) => tableItem(caller, name)))).flat();
}

async function tableItem(caller: AwsCaller, TableName: string): Promise<InventoryItem[]> {
  try {
    const [described, backups] = await Promise.all([
      call(caller, 'DescribeTable', { TableName }),
      call(caller, 'DescribeContinuousBackups', { TableName }),
    ]);
    const table = described.at('Table');
    const arn = table.text('TableArn');
    const tags = await call(caller, 'ListTagsOfResource', { ResourceArn: arn });
    const recovery = backups.at('ContinuousBackupsDescription').at('PointInTimeRecoveryDescription');
    const detail = facts({
      status: table.text('TableStatus'),
      billing: table.at('BillingModeSummary').text('BillingMode'),
      protected: table.text('DeletionProtectionEnabled'),
      stream: table.at('StreamSpecification').text('StreamViewType'),
      encryption: table.at('SSEDescription').text('SSEType'),
      recovery: recovery.text('PointInTimeRecoveryStatus'),
      indexes: indexNames(table),
    });
    return [tagged({ kind: 'dynamodb:table', id: arn, name: TableName, detail }, tagsOf(tags.list('Tags')))];
  } catch (error) {
    // Gone since it was listed.
    if (error instanceof AwsReadError && /^(ResourceNotFound|TableNotFound)/.test(error.code)) return [];
    // So are the tags of a table answered that there is none of.
    if (error instanceof AwsReadError && error.code === 'AccessDeniedException') return tableItem(caller, TableName);
    throw error;
  }
}

function indexNames(table: AnswerTree): string {
  return table
    .list('GlobalSecondaryIndexes')
    .map((index) => index.text('IndexName'))
    .sort()
    .join(',');
}

function call(caller: AwsCaller, action: string, input: object): Promise<AnswerTree> {
  return caller.read({ protocol: 'json', service: 'dynamodb', target: `DynamoDB_20120810.${action}`, input });
}
