import {
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type DynamoDBStreamsClient,
  type GetRecordsCommandOutput,
  type GetShardIteratorCommandInput,
  type Shard,
} from '@aws-sdk/client-dynamodb-streams';
import { sent } from './errors.ts';
import { untilAnswered } from './repeats.ts';

/* The calls of DynamoDB's streams. Two readers of a shard are all that AWS lets in at a time, so any of them may have to wait for others. */

/** How often in a row a call may be refused for its rate before it fails: some five minutes. */
const ROUNDS = 60;
/** What the streams call it when too many read a shard. */
const BUSY = ['LimitExceeded'];

const waitedFor = <T>(call: () => Promise<T>) => untilAnswered(call, { rounds: ROUNDS, names: BUSY });

export async function iteratorAt(client: DynamoDBStreamsClient, input: GetShardIteratorCommandInput): Promise<string> {
  const { ShardIterator } = await waitedFor(() => client.send(new GetShardIteratorCommand(input)));
  return sent(ShardIterator, { service: 'dynamodb', action: 'GetShardIterator' }, 'ShardIterator');
}

export function getRecords(client: DynamoDBStreamsClient, ShardIterator: string): Promise<GetRecordsCommandOutput> {
  return waitedFor(() => client.send(new GetRecordsCommand({ ShardIterator })));
}

export async function listShards(client: DynamoDBStreamsClient, StreamArn: string): Promise<Shard[]> {
  const shards: Shard[] = [];
  for (let ExclusiveStartShardId: string | undefined; ;) {
    const command = new DescribeStreamCommand({ StreamArn, ExclusiveStartShardId });
    const answer = await waitedFor(() => client.send(command));
    const description = sent(answer.StreamDescription, describesStream, 'StreamDescription');
    shards.push(...sent(description.Shards, describesStream, 'StreamDescription.Shards'));
    ExclusiveStartShardId = description.LastEvaluatedShardId;
    if (ExclusiveStartShardId === undefined) return shards;
  }
}

const describesStream = { service: 'dynamodb', action: 'DescribeStream' };

export function isClosed({ SequenceNumberRange }: Shard): boolean {
  return SequenceNumberRange?.EndingSequenceNumber !== undefined;
}

export function idOf({ ShardId }: Shard): string {
  return sent(ShardId, describesStream, 'StreamDescription.Shards.ShardId');
}

/** So many shards are read at the same time. */
const AT_ONCE = 20;

/** Each of them, some at a time. */
export async function eachAtOnce<T, R>(all: readonly T[], one: (member: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = all.entries();
  const takeTurns = async () => {
    for (const [i, member] of left) results[i] = await one(member);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, all.length) }, takeTurns));
  return results;
}
