import { BatchWriteItemCommand, type DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { StepError } from '../contracts/step-error.ts';
import { currentCallContext } from './call-context.ts';
import { isAwsError } from './errors.ts';

/** DynamoDB takes no more in a BatchWriteItem. */
const BATCH = 25;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

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

/**
 * A read that a table refuses for its rate is made again, so many times.
 * @param names of further errors that say so
 * @throws StepError THROTTLED
 */
export async function unlessThrottled<T>(
  read: () => Promise<T>,
  rounds: number,
  names: readonly string[] = [],
): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await read();
    } catch (error) {
      if (!(isThrottled(error) || isAwsError(error, ...names)) || round >= rounds) throw error;
    }
    await pauseAfter(round);
  }
}

/** By the table: what waits for its turn with us is none. */
function isThrottled(error: unknown): boolean {
  return isAwsError(error, 'ProvisionedThroughputExceeded', 'Throttling', 'RequestLimitExceeded');
}

/** Lengthens with each round, at random so that writers do not come together. */
export async function pauseAfter(round: number): Promise<void> {
  const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** round, LONGEST_PAUSE_MS);
  await sleep(longestMs * (0.5 + Math.random() / 2), undefined, { signal: currentCallContext()?.signal });
}
