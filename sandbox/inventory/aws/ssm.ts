import type { InventoryItem } from '../item.ts';
import type { AnswerTree } from './answer-tree.ts';
import { AwsReadError, readPages, type AwsCaller } from './caller.ts';
import { facts, tagged, tagsOf } from './facts.ts';

/** Parameters of the Systems Manager; their values stay where they are, a new one shows as a new version. */
export async function listParameters(caller: AwsCaller): Promise<InventoryItem[]> {
  const answers = await readPages(
    (NextToken) => call(caller, 'DescribeParameters', { NextToken, MaxResults: 50 }),
    (answer) => answer.text('NextToken') || undefined,
  );
  return Promise.all(
    answers
      .flatMap((answer) => answer.list('Parameters'))
      .map(async (parameter) => {
        const [name, type, version] = ['Name', 'Type', 'Version'].map((part) => parameter.text(part));
        const { accountId, region } = caller.scope;
        const item = {
          kind: 'ssm:parameter',
          id: parameter.text('ARN') || `${accountId}/${region}${name ?? ''}`,
          name: name ?? '',
          detail: facts({ type, version }),
        };
        return tagged(item, await readTags(caller, item.name));
      }),
  );
}

async function readTags(caller: AwsCaller, ResourceId: string) {
  try {
    const answer = await call(caller, 'ListTagsForResource', { ResourceType: 'Parameter', ResourceId });
    return tagsOf(answer.list('TagList'));
  } catch (error) {
    // It was deleted since it was listed.
    if (error instanceof AwsReadError && error.code === 'InvalidResourceId') return undefined;
    throw error;
  }
}

function call(caller: AwsCaller, action: string, input: object): Promise<AnswerTree> {
  return caller.read({ protocol: 'json', service: 'ssm', target: `AmazonSSM.${action}`, input });
}
