import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  LimitExceededException,
  type Shard,
  type _Record,
} from '@aws-sdk/client-dynamodb-streams';
import { describe, expect, it } from 'vitest';
import { createStreams, type StreamPosition } from '../../../src/aws/dynamodb-streams.ts';

const shard = (ShardId: string, ParentShardId?: string, isClosed = false): Shard => ({
  ...{ ShardId, ParentShardId },
  SequenceNumberRange: { StartingSequenceNumber: '1', ...(isClosed && { EndingSequenceNumber: '9' }) },
});
const record = (key: string, createdAt = new Date(0)): _Record => ({
  dynamodb: { Keys: { SK: { S: key } }, SequenceNumber: '5', ApproximateCreationDateTime: createdAt },
});

/** A stream whose client never sends anything. @param page of a shard, by how often it was asked; undefined: the shard ends */
function stream(shards: readonly Shard[], page: (id: string, asked: number) => readonly _Record[] | undefined) {
  const asked = new Map<string, number>();
  const askedAtMs = new Map<string, number[]>();
  let [busy, atOnce, mostAtOnce] = [0, 0, 0];
  const client = new DynamoDBStreamsClient({ region: 'us-east-1' });
  const answerOf = (command: unknown): object => {
    if (busy > 0) {
      busy -= 1;
      throw new LimitExceededException({ message: 'too many readers', $metadata: {} });
    }
    if (command instanceof DescribeStreamCommand) return { StreamDescription: { Shards: shards } };
    if (command instanceof GetShardIteratorCommand) return { ShardIterator: command.input.ShardId };
    if (!(command instanceof GetRecordsCommand)) throw new Error('another call');
    const id = command.input.ShardIterator ?? '';
    asked.set(id, (asked.get(id) ?? 0) + 1);
    askedAtMs.set(id, [...(askedAtMs.get(id) ?? []), performance.now()]);
    const Records = page(id, asked.get(id) ?? 0);
    return { Records: Records ?? [], NextShardIterator: Records && id };
  };
  client.send = (async (command: unknown) => {
    mostAtOnce = Math.max(mostAtOnce, (atOnce += 1));
    try {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return answerOf(command);
    } finally {
      atOnce -= 1;
    }
  }) as never;
  const streams = createStreams(new DynamoDBClient({ region: 'us-east-1' }), client);
  return {
    streams,
    read: async (open: StreamPosition['open'], sinceMs?: number) => {
      const reader = streams.readFrom({ stream: 's', open });
      const keys: string[] = [];
      for (let looks = 1; ; looks += 1) {
        const page = await reader.read(sinceMs);
        keys.push(...page.keys.map(({ SK }) => SK?.S ?? ''));
        if (page.isCaughtUp || looks === 10) return { keys, looks, isCaughtUp: page.isCaughtUp };
      }
    },
    askedAtMs,
    mostAtOnce: () => mostAtOnce,
    beBusy: (times: number) => (busy = times),
  };
}

describe('a position in a stream', () => {
  it('names the shards that take records, and none that took their last one before', async () => {
    const old = Array.from({ length: 40 }, (_, i) => shard(`old-${i}`, undefined, true));
    const { streams } = stream([...old, shard('a', 'old-1'), shard('b', 'old-2')], (id) => [record(id)]);
    expect(await streams.notePosition('s')).toEqual({ stream: 's', open: { a: '5', b: '5' } });
  });

  it('is read on from by the shards that descend from those, and not by older ones', async () => {
    const shards = [shard('d', 'c'), shard('c', 'a', true), shard('a', 'old', true), shard('old', undefined, true)];
    const { read } = stream(shards, (id, asked) => (asked > 1 ? (id === 'd' ? [] : undefined) : [record(id)]));
    expect((await read({ a: '5' }, 1)).keys.sort()).toEqual(['a', 'c', 'd']);
  });
});

describe('reading a stream', () => {
  it('is caught up on a table that others write to all the time, by the time of the records', async () => {
    const sinceMs = Date.now();
    const busy = stream([shard('a'), shard('idle')], (id, asked) =>
      id === 'idle' ? [] : [record(`${asked}`, new Date(sinceMs + (asked - 2) * 1_000))],
    );
    expect(await busy.read({ a: '', idle: '' }, sinceMs)).toEqual({
      keys: ['1', '2', '3'],
      looks: 3,
      isCaughtUp: true,
    });
    const [first = 0, second = 0] = busy.askedAtMs.get('a') ?? [];
    expect(second - first).toBeGreaterThan(900);
    expect(busy.askedAtMs.get('idle')).toHaveLength(1);
  });

  it('reads on at once behind a full page, yet no more than five times a second', async () => {
    const full = Array.from({ length: 1_000 }, (_, i) => record(`${i}`));
    const { askedAtMs, read } = stream([shard('a')], (_id, asked) => (asked === 1 ? full : []));
    await read({ a: '' });
    const [first = 0, second = 0] = askedAtMs.get('a') ?? [];
    expect(second - first).toBeGreaterThanOrEqual(195);
    expect(second - first).toBeLessThan(900);
  });

  it('waits for other readers, and asks some shards at a time', async () => {
    const shards = Array.from({ length: 60 }, (_, i) => shard(`a-${i}`));
    const many = stream(shards, () => []);
    many.beBusy(2);
    const open = Object.fromEntries(shards.map(({ ShardId = '' }) => [ShardId, '']));
    expect(await many.read(open)).toEqual({ keys: [], looks: 1, isCaughtUp: true });
    expect(many.mostAtOnce()).toBeLessThanOrEqual(20);
  });
});
