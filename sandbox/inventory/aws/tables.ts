import type { InventoryItem } from '../item.ts';
import type { AnswerTree } from './answer-tree.ts';
import type { AwsCaller } from './caller.ts';
import { facts, tagged, tagsOf } from './facts.ts';

/** A table of DynamoDB with its tags and settings, by its description; not with what is in it. */
export async function tableItem(caller: AwsCaller, table: AnswerTree): Promise<InventoryItem> {
  const [name, arn] = [table.text('TableName'), table.text('TableArn')];
  const [backups, tags] = await Promise.all([
    dynamodb(caller, 'DescribeContinuousBackups', { TableName: name }),
    dynamodb(caller, 'ListTagsOfResource', { ResourceArn: arn }),
  ]);
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
  return tagged({ kind: 'dynamodb:table', id: arn, name, detail }, tagsOf(tags.list('Tags')));
}

function indexNames(table: AnswerTree): string {
  return table
    .list('GlobalSecondaryIndexes')
    .map((index) => index.text('IndexName'))
    .sort()
    .join(',');
}

export function dynamodb(caller: AwsCaller, action: string, input: object): Promise<AnswerTree> {
  return caller.read({ protocol: 'json', service: 'dynamodb', target: `DynamoDB_20120810.${action}`, input });
}
