import type {
  DynamoDBStreamsClient,
  GetRecordsCommandOutput,
  GetShardIteratorCommandInput,
  Shard,
} from '@aws-sdk/client-dynamodb-streams';
import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { StepError } from '../contracts/step-error.ts';
import { currentCallContext } from './call-context.ts';
import { eachAtOnce, getRecords, idOf, isClosed, iteratorAt, listShards } from './dynamodb-stream-calls.ts';
import { isAwsError, sent } from './errors.ts';
import { untilAnswered } from './repeats.ts';
import type { Row } from './row-checksum.ts';

/**
 * A place in a stream from which all later records can be read, for as long as the stream keeps them (24 hours). An iterator is good for 15
 * minutes only, and none tells "from now on" for longer: so it names what was there.
 */
export interface StreamPosition {
  readonly stream: string;
  /**
   * Shards that took records: the first one to be read, or '' for the whole shard. What came later descends from them, and what had taken
   * its last record before does not.
   */
  readonly open: Readonly<Record<string, string>>;
}

/** What was read of a stream. */
export interface StreamPage {
  /** The key of each record's item, in no order and perhaps more than once. */
  readonly keys: readonly Row[];
  /** Records were gone before they were read. */
  readonly hasGap: boolean;
  /** Every shard was read up to a record that is newer than was asked for, or to its end for now. */
  readonly isCaughtUp: boolean;
}

/** Reads on at each call: a page of each shard that is not caught up. Shards are asked once a second at most, unless they had a full page. */
export interface StreamReader {
  /** @param sinceMs what came before that is to be read, in epoch ms; the same until it is caught up */
  read(sinceMs?: number): Promise<StreamPage>;
}

/** DynamoDB's streams, whatever images they have. Every method throws StepError. */
export interface Streams {
  /** ARN of the stream that a table has now. */
  findStream(table: string): Promise<string | undefined>;
  /** Where the stream is now, or a little before. */
  notePosition(stream: string): Promise<StreamPosition>;
  /** Every record that came after the position was noted is read, some older ones may be. */
  readFrom(position: StreamPosition): StreamReader;
}

export function createStreams(tables: DynamoDBClient, client: DynamoDBStreamsClient): Streams {
  return {
    async findStream(TableName) {
      const { Table } = await untilAnswered(() => tables.send(new DescribeTableCommand({ TableName })));
      const { LatestStreamArn, StreamSpecification } = sent(Table, describesTable, 'Table');
      if (StreamSpecification?.StreamEnabled !== true) return undefined;
      return sent(LatestStreamArn, describesTable, 'Table.LatestStreamArn');
    },

    async notePosition(stream) {
      const shards = await listShards(client, stream);
      const open = shards.filter((shard) => !isClosed(shard));
      const positions = await eachAtOnce(
        open.map(idOf),
        async (id) => [id, await firstOfNow(client, stream, id)] as const,
      );
      return { stream, open: Object.fromEntries(positions) };
    },

    readFrom: (position) => createReader(client, position),
  };
}

const describesTable = { service: 'dynamodb', action: 'DescribeTable' };

/** How often it is asked which shards there are, in ms; at the end of one at once. */
const SHARDS_EVERY_MS = 5_000;

interface Reading {
  iterator: string | undefined;
  /** Of the last record that was read, or the position's. */
  last: { readonly sequenceNumber: string; readonly isRead: boolean } | undefined;
  /** What came before that is read, in epoch ms. */
  untilMs: number;
  /** When it may be asked again (`performance.now()`). */
  nextAtMs: number;
}

/** AWS takes five reads of a shard a second, of all its readers. */
const [AFTER_FULL_MS, AFTER_OTHERS_MS] = [200, 1_000];
/** A page has 1,000 records or 1 MB at most: such ones may not be the last for now. */
const [FULL_RECORDS, FULL_BYTES] = [1_000, 500_000];

function createReader(client: DynamoDBStreamsClient, { stream, open }: StreamPosition): StreamReader {
  const readings = new Map<string, Reading>();
  /** Those that are read, or were. */
  const known = new Set<string>();
  let listedAtMs = -Infinity;

  const add = (id: string) => {
    const sequenceNumber = open[id] ?? '';
    known.add(id);
    readings.set(id, {
      iterator: undefined,
      last: sequenceNumber === '' ? undefined : { sequenceNumber, isRead: false },
      ...{ untilMs: -Infinity, nextAtMs: -Infinity },
    });
  };

  const list = async () => {
    const listed = await listShards(client, stream);
    let left = listed.filter((shard) => !known.has(idOf(shard)));
    for (let isAdded = true; isAdded;) {
      // One that takes records now, and did not then, came later, whatever is known of its parent.
      const later = left.filter((shard) => idOf(shard) in open || descends(shard, known) || !isClosed(shard));
      for (const shard of later) add(idOf(shard));
      left = left.filter((shard) => !later.includes(shard));
      isAdded = later.length > 0;
    }
    listedAtMs = performance.now();
  };

  const readShard = async ([ShardId, reading]: readonly [string, Reading], sinceMs: number) => {
    const waitMs = reading.nextAtMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: currentCallContext()?.signal });
    try {
      reading.iterator ??= await iteratorAt(client, { StreamArn: stream, ShardId, ...startOf(reading) });
      const answer = await getRecords(client, reading.iterator);
      reading.nextAtMs = performance.now() + (isFull(answer) ? AFTER_FULL_MS : AFTER_OTHERS_MS);
      reading.iterator = answer.NextShardIterator;
      const sequenceNumber = lastOf(answer);
      if (sequenceNumber !== undefined) reading.last = { sequenceNumber, isRead: true };
      if (isReadUntil(answer, sinceMs)) reading.untilMs = sinceMs;
      if (reading.iterator === undefined) {
        readings.delete(ShardId);
        listedAtMs = -Infinity;
      }
      return { keys: keysIn(answer), hasGap: false };
    } catch (error) {
      reading.iterator = undefined;
      if (isAwsError(error, 'ExpiredIterator')) return { keys: [], hasGap: false };
      if (!isAwsError(error, 'TrimmedDataAccess')) throw error;
      reading.last = undefined;
      return { keys: [], hasGap: true };
    }
  };

  return {
    async read(sinceMs = Date.now()) {
      if (performance.now() - listedAtMs > SHARDS_EVERY_MS) await list();
      const behind = [...readings].filter(([, { untilMs }]) => untilMs < sinceMs);
      const pages = await eachAtOnce(behind, (one) => readShard(one, sinceMs));
      return {
        keys: pages.flatMap(({ keys }) => keys),
        hasGap: pages.some(({ hasGap }) => hasGap),
        // At the end of a shard others may follow.
        isCaughtUp: listedAtMs > -Infinity && [...readings.values()].every(({ untilMs }) => untilMs >= sinceMs),
      };
    },
  };
}

function descends({ ParentShardId }: Shard, known: ReadonlySet<string>): boolean {
  return ParentShardId !== undefined && known.has(ParentShardId);
}

function isFull({ Records = [] }: GetRecordsCommandOutput): boolean {
  const bytes = Records.reduce((sum, { dynamodb }) => sum + (dynamodb?.SizeBytes ?? 0), 0);
  return Records.length >= FULL_RECORDS || bytes >= FULL_BYTES;
}

/** By the record's time, which AWS tells; a page without any is the last one for now. */
function isReadUntil({ Records = [] }: GetRecordsCommandOutput, sinceMs: number): boolean {
  const last = Records.at(-1);
  return !last || (last.dynamodb?.ApproximateCreationDateTime?.getTime() ?? -Infinity) > sinceMs;
}

function startOf({ last }: Reading): Pick<GetShardIteratorCommandInput, 'ShardIteratorType' | 'SequenceNumber'> {
  if (!last) return { ShardIteratorType: 'TRIM_HORIZON' };
  const ShardIteratorType = last.isRead ? 'AFTER_SEQUENCE_NUMBER' : 'AT_SEQUENCE_NUMBER';
  return { ShardIteratorType, SequenceNumber: last.sequenceNumber };
}

/** A shard that takes records shows the first one soon; one without any traffic is short, and read from its start. */
async function firstOfNow(client: DynamoDBStreamsClient, StreamArn: string, ShardId: string): Promise<string> {
  let iterator: string | undefined = await iteratorAt(client, { StreamArn, ShardId, ShardIteratorType: 'LATEST' });
  for (let looks = 0; looks < FIRST_LOOKS && iterator !== undefined; looks += 1) {
    if (looks > 0) await sleep(FIRST_LOOK_EVERY_MS, undefined, { signal: currentCallContext()?.signal });
    const answer: GetRecordsCommandOutput = await getRecords(client, iterator);
    const sequenceNumber = answer.Records?.[0]?.dynamodb?.SequenceNumber;
    if (sequenceNumber !== undefined) return sequenceNumber;
    iterator = answer.NextShardIterator;
  }
  return '';
}

const FIRST_LOOKS = 4;
const FIRST_LOOK_EVERY_MS = 300;

function lastOf({ Records = [] }: GetRecordsCommandOutput): string | undefined {
  return Records.at(-1)?.dynamodb?.SequenceNumber;
}

function keysIn({ Records = [] }: GetRecordsCommandOutput): Row[] {
  return Records.map(({ dynamodb }) => {
    if (dynamodb?.Keys) return dynamodb.Keys;
    throw new StepError('AWS_ANSWER_UNREADABLE', 'dynamodb:GetRecords answered a record without its key');
  });
}
