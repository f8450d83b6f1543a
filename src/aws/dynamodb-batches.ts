import { BatchWriteItemCommand, type DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { StepError } from '../contracts/step-error.ts';
import { isThrottled, pauseAfter } from './repeats.ts';

/** DynamoDB takes no more in a BatchWriteItem. */
const BATCH = 25;

/**
 * Writes batch by batch. A batch may be done in part: the rest is sent again, after a while that grows.
 * @param rounds in a row in which a table may take nothing at all before the whole fails
 * @throws StepError THROTTLED
 */
export async function writeBatches(
  client: DynamoDBClient,
  table: string,
  requests: readonly WriteRequest[],
  rounds: number,
): Promise<void> {
  for (let first = 0; first < requests.length; first += BATCH) {
    let left: WriteRequest[] = requests.slice(first, first + BATCH);
    for (let idle = 0; ;) {
      const unprocessed = await writeBatch(client, table, left);
      if (unprocessed.length === 0) break;
      idle = unprocessed.length < left.length ? 1 : idle + 1;
      if (idle >= rounds)
        throw new StepError(
          'THROTTLED',
          `dynamodb:BatchWriteItem left ${unprocessed.length} items of table ${table} undone`,
        );
      left = unprocessed;
      await pauseAfter(idle);
    }
  }
}

/** What the table did not take. One that takes nothing of a batch refuses the whole call. */
async function writeBatch(client: DynamoDBClient, table: string, requests: WriteRequest[]): Promise<WriteRequest[]> {
  try {
    const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }));
    return UnprocessedItems?.[table] ?? [];
  } catch (error) {
    if (isThrottled(error)) return requests;
    throw error;
  }
}
