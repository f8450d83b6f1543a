import type { Facts, InventoryItem } from '../item.ts';
import type { AnswerTree } from './answer-tree.ts';
import { AwsReadError, readPages, type AwsCaller } from './caller.ts';
import { facts, tagged } from './facts.ts';

/** CloudWatch log groups. */
export async function listLogGroups(caller: AwsCaller): Promise<InventoryItem[]> {
  const answers = await readPages(
    (nextToken) => call(caller, 'DescribeLogGroups', { nextToken, limit: 50 }),
    (answer) => answer.text('nextToken') || undefined,
  );
  return Promise.all(
    answers
      .flatMap((answer) => answer.list('logGroups'))
      .map(async (group) => {
        // The group's own ARN; `arn` with its `:*` means the streams in it.
        const id = group.text('arn').replace(/:\*$/, '');
        const item = {
          kind: 'logs:log-group',
          id,
          name: group.text('logGroupName'),
          detail: facts({ retentionDays: group.text('retentionInDays') || 'never expires' }),
        };
        return tagged(item, await readTags(caller, id));
      }),
  );
}

async function readTags(caller: AwsCaller, resourceArn: string): Promise<Facts | undefined> {
  try {
    return Object.fromEntries((await call(caller, 'ListTagsForResource', { resourceArn })).at('tags').entries());
  } catch (error) {
    // It was deleted since it was listed.
    if (error instanceof AwsReadError && error.code === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

function call(caller: AwsCaller, action: string, input: object): Promise<AnswerTree> {
  return caller.read({ protocol: 'json', service: 'logs', target: `Logs_20140328.${action}`, input });
}
