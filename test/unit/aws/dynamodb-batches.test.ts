import { DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { writeBatches } from '../../../src/aws/dynamodb-batches.ts';

const keyIn = (request: WriteRequest | undefined) => request?.PutRequest?.Item?.['SK']?.S ?? '';

/** A table that takes so many of a call's items, by a client that never sends anything. */
function slowTable(taken: (call: number) => number) {
  const client = new DynamoDBClient({ region: 'us-east-1' });
  const held: string[] = [];
  const sizes: number[] = [];
  const answer = (_next: unknown) => (args: { input: object }) => {
    const { RequestItems } = args.input as { RequestItems: Record<string, WriteRequest[]> };
    const requests = RequestItems['rows'] ?? [];
    const count = taken(sizes.length);
    sizes.push(requests.length);
    if (count === 0)
      return Promise.reject(Object.assign(new Error('slow down'), { name: 'ProvisionedThroughputExceededException' }));
    held.push(...requests.slice(0, count).map(keyIn));
    const left = requests.slice(count);
    return Promise.resolve({ output: { $metadata: {}, UnprocessedItems: left.length > 0 ? { rows: left } : {} } });
  };
  client.middlewareStack.add(answer as never, { step: 'initialize', name: 'slowTable' } as never);
  return { client, held, sizes };
}

const requestsOf = (count: number): WriteRequest[] =>
  Array.from({ length: count }, (_, i) => ({ PutRequest: { Item: { SK: { S: String(i) } } } }));

describe('writeBatches', () => {
  it('sends what a table left undone again until it has all of it', async () => {
    const { client, held, sizes } = slowTable((call) => (call === 1 ? 0 : 20));
    await writeBatches(client, 'rows', requestsOf(30), 5);
    expect(held.sort()).toEqual(requestsOf(30).map(keyIn).sort());
    expect(sizes).toEqual([25, 5, 5, 5]);
  });

  it('gives up once the table took nothing so many times in a row, and says how much is left', async () => {
    const { client, held, sizes } = slowTable((call) => (call < 2 ? 1 : 0));
    await expect(writeBatches(client, 'rows', requestsOf(5), 2)).rejects.toMatchObject({
      code: 'THROTTLED',
      message: expect.stringContaining('left 3 items') as unknown,
    });
    expect(held).toEqual(['0', '1']);
    expect(sizes).toEqual([5, 4, 3]);
  });
});
