import type { InventoryItem } from '../item.ts';
import type { AnswerTree } from './answer-tree.ts';
import { AwsReadError, readPages, type AwsCaller } from './caller.ts';
import { chunks, facts, tagged, tagsOf } from './facts.ts';

/** Parameters of the Systems Manager, with the values of those that are no secrets: a new one of a secret shows as a new version. */
export async function listParameters(caller: AwsCaller): Promise<InventoryItem[]> {
  const answers = await readPages(
    (NextToken) => call(caller, 'DescribeParameters', { NextToken, MaxResults: 50 }),
    (answer) => answer.text('NextToken') || undefined,
  );
  const listed = answers.flatMap((answer) => answer.list('Parameters'));
  // Pages shift when one is made meanwhile: what stood at the end of one comes again.
  const parameters = [...new Map(listed.map((parameter) => [parameter.text('Name'), parameter])).values()];
  const values = await readValues(
    caller,
    parameters.filter((parameter) => !isSecret(parameter)).map((parameter) => parameter.text('Name')),
  );
  return Promise.all(
    parameters.map(async (parameter) => {
      const [name = '', type, version, keyId] = ['Name', 'Type', 'Version', 'KeyId'].map((part) =>
        parameter.text(part),
      );
      const { accountId, region } = caller.scope;
      const item = {
        kind: 'ssm:parameter',
        id: parameter.text('ARN') || `${accountId}/${region}${name}`,
        name,
        detail: facts({ type, version: isSecret(parameter) ? version : undefined, keyId }),
        settings: facts({ value: values.get(name) }),
      };
      return tagged(item, await readTags(caller, item.name));
    }),
  );
}

function isSecret(parameter: AnswerTree): boolean {
  return parameter.text('Type') === 'SecureString';
}

/** One call takes ten names. */
async function readValues(caller: AwsCaller, names: readonly string[]): Promise<Map<string, string>> {
  const answers = await Promise.all(chunks(names, 10).map((Names) => call(caller, 'GetParameters', { Names })));
  return new Map(
    answers
      .flatMap((answer) => answer.list('Parameters'))
      .map((parameter) => [parameter.text('Name'), parameter.text('Value')]),
  );
}

async function readTags(caller: AwsCaller, ResourceId: string) {
  try {
    const answer = await call(caller, 'ListTagsForResource', { ResourceType: 'Parameter', ResourceId });
    return tagsOf(answer.list('TagList'));
  } catch (error) {
    // It was deleted since it was listed.
    if (error instanceof AwsReadError && /^(InvalidResourceId|ParameterNotFound)$/.test(error.code)) return undefined;
    throw error;
  }
}

function call(caller: AwsCaller, action: string, input: object): Promise<AnswerTree> {
  return caller.read({ protocol: 'json', service: 'ssm', target: `AmazonSSM.${action}`, input });
}
