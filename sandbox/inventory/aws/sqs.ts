import type { InventoryItem } from '../item.ts';
import { AwsReadError, readPages, type AwsCaller } from './caller.ts';
import { facts, tagged } from './facts.ts';

/** Queues, with their tags and settings: two calls each. */
export async function listQueues(caller: AwsCaller): Promise<InventoryItem[]> {
  const answers = await readPages(
    (NextToken) => read(caller, 'ListQueues', { NextToken, MaxResults: 1000 }),
    (answer) => answer.text('NextToken') || undefined,
  );
  const urls = answers.flatMap((answer) => answer.list('QueueUrls')).map(({ value }) => value);
  const listed = await Promise.all(urls.map((url) => queueItem(caller, url)));
  return listed.flat();
}

async function queueItem(caller: AwsCaller, url: string): Promise<InventoryItem[]> {
  const { accountId, region } = caller.scope;
  // Its URL names whichever host it was asked through.
  const name = url.slice(url.lastIndexOf('/') + 1);
  try {
    const [answer, attributes] = await Promise.all([
      read(caller, 'ListQueueTags', { QueueUrl: url }),
      read(caller, 'GetQueueAttributes', { QueueUrl: url, AttributeNames: ['VisibilityTimeout'] }),
    ]);
    const detail = facts({ visibilitySeconds: attributes.at('Attributes').text('VisibilityTimeout') });
    const tags = Object.fromEntries(answer.at('Tags').entries());
    return [tagged({ kind: 'sqs:queue', id: `${accountId}/${region} ${name}`, name, detail }, tags)];
  } catch (error) {
    // Gone between the two calls.
    if (error instanceof AwsReadError && /NonExistentQueue|QueueDoesNotExist/.test(error.code)) return [];
    throw error;
  }
}

function read(caller: AwsCaller, action: string, input: object) {
  return caller.read({ protocol: 'json', service: 'sqs', target: `AmazonSQS.${action}`, input });
}
