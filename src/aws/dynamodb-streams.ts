import {
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type DynamoDBStreamsClient,
  type GetRecordsCommandOutput,
  type GetShardIteratorCommandInput,
  type Shard,
} from '@aws-sdk/client-dynamodb-streams';
import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { StepError } from '../contracts/step-error.ts';
import { currentCallContext } from './call-context.ts';
import { isAwsError, sent } from './errors.ts';
import type { Row } from './row-checksum.ts';

/**
 * A place in a stream from which all later records can be read, for as long as the stream keeps them (24 hours). An iterator is good for 15
 * minutes only, and none tells "from now on" for longer: so it names what was there.
 */
export interface StreamPosition {
  readonly stream: string;
  /** Shards that took records: the first one to be read, or '' for the whole shard. */
  readonly open: Readonly<Record<string, string>>;
  /** Shards that took none any more. */
  readonly closed: readonly string[];
}

/** What was read of a stream. */
export interface StreamPage {
  /** The key of each record's item, in no order and perhaps more than once. */
  readonly keys: readonly Row[];
  /** Records were gone before they were read. */
  readonly hasGap: boolean;
}

/** Reads on at each call: a page of each shard. */
export interface StreamReader {
  read(): Promise<StreamPage>;
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
      const { Table } = await tables.send(new DescribeTableCommand({ TableName }));
      const { LatestStreamArn, StreamSpecification } = sent(Table, describesTable, 'Table');
      if (StreamSpecification?.StreamEnabled !== true) return undefined;
      return sent(LatestStreamArn, describesTable, 'Table.LatestStreamArn');
    },

    async notePosition(stream) {
      const shards = await listShards(client, stream);
      const open = shards.filter((shard) => !isClosed(shard));
      const positions = await Promise.all(
        open.map(async (shard) => [idOf(shard), await firstOfNow(client, stream, idOf(shard))] as const),
      );
      return { stream, open: Object.fromEntries(positions), closed: shards.filter(isClosed).map(idOf) };
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
}

function createReader(client: DynamoDBStreamsClient, { stream, open, closed }: StreamPosition): StreamReader {
  const readings = new Map<string, Reading>();
  const done = new Set(closed);
  let listedAtMs = -Infinity;

  /** A shard that was not there then came later, whatever it came from. */
  const list = async () => {
    for (const shard of await listShards(client, stream)) {
      const id = idOf(shard);
      if (done.has(id) || readings.has(id)) continue;
      const sequenceNumber = open[id] ?? '';
      readings.set(id, {
        iterator: undefined,
        last: sequenceNumber === '' ? undefined : { sequenceNumber, isRead: false },
      });
    }
    listedAtMs = performance.now();
  };

  const readShard = async (ShardId: string, reading: Reading): Promise<StreamPage> => {
    try {
      reading.iterator ??= await iteratorAt(client, { StreamArn: stream, ShardId, ...startOf(reading) });
      const answer = await client.send(new GetRecordsCommand({ ShardIterator: reading.iterator }));
      reading.iterator = answer.NextShardIterator;
      const sequenceNumber = lastOf(answer);
      if (sequenceNumber !== undefined) reading.last = { sequenceNumber, isRead: true };
      if (reading.iterator === undefined) {
        done.add(ShardId);
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
    async read() {
      if (performance.now() - listedAtMs > SHARDS_EVERY_MS) await list();
      const pages = await Promise.all([...readings].map(([id, reading]) => readShard(id, reading)));
      return { keys: pages.flatMap(({ keys }) => keys), hasGap: pages.some(({ hasGap }) => hasGap) };
    },
  };
}

function startOf({ last }: Reading): Pick<GetShardIteratorCommandInput, 'ShardIteratorType' | 'SequenceNumber'> {
  if (!last) return { ShardIteratorType: 'TRIM_HORIZON' };
  const ShardIteratorType = last.isRead ? 'AFTER_SEQUENCE_NUMBER' : 'AT_SEQUENCE_NUMBER';
  return { ShardIteratorType, SequenceNumber: last.sequenceNumber };
}

async function iteratorAt(client: DynamoDBStreamsClient, input: GetShardIteratorCommandInput): Promise<string> {
  const { ShardIterator } = await client.send(new GetShardIteratorCommand(input));
  return sent(ShardIterator, { service: 'dynamodb', action: 'GetShardIterator' }, 'ShardIterator');
}

/** A shard that takes records shows the first one soon; one without any traffic is short, and read from its start. */
async function firstOfNow(client: DynamoDBStreamsClient, StreamArn: string, ShardId: string): Promise<string> {
  let iterator: string | undefined = await iteratorAt(client, { StreamArn, ShardId, ShardIteratorType: 'LATEST' });
  for (let looks = 0; looks < FIRST_LOOKS && iterator !== undefined; looks += 1) {
    if (looks > 0) await sleep(FIRST_LOOK_EVERY_MS, undefined, { signal: currentCallContext()?.signal });
    const answer: GetRecordsCommandOutput = await client.send(new GetRecordsCommand({ ShardIterator: iterator }));
    const sequenceNumber = answer.Records?.[0]?.dynamodb?.SequenceNumber;
    if (sequenceNumber !== undefined) return sequenceNumber;
    iterator = answer.NextShardIterator;
  }
  return '';
}

const FIRST_LOOKS = 4;
const FIRST_LOOK_EVERY_MS = 300;

async function listShards(client: DynamoDBStreamsClient, StreamArn: string): Promise<Shard[]> {
  const shards: Shard[] = [];
  for (let ExclusiveStartShardId: string | undefined; ;) {
    const answer = await client.send(new DescribeStreamCommand({ StreamArn, ExclusiveStartShardId }));
    const description = sent(answer.StreamDescription, describesStream, 'StreamDescription');
    shards.push(...sent(description.Shards, describesStream, 'StreamDescription.Shards'));
    ExclusiveStartShardId = description.LastEvaluatedShardId;
    if (ExclusiveStartShardId === undefined) return shards;
  }
}

const describesStream = { service: 'dynamodb', action: 'DescribeStream' };

function isClosed({ SequenceNumberRange }: Shard): boolean {
  return SequenceNumberRange?.EndingSequenceNumber !== undefined;
}

function idOf({ ShardId }: Shard): string {
  return sent(ShardId, describesStream, 'StreamDescription.Shards.ShardId');
}

function lastOf({ Records = [] }: GetRecordsCommandOutput): string | undefined {
  return Records.at(-1)?.dynamodb?.SequenceNumber;
}

function keysIn({ Records = [] }: GetRecordsCommandOutput): Row[] {
  return Records.map(({ dynamodb }) => {
    if (dynamodb?.Keys) return dynamodb.Keys;
    throw new StepError('AWS_ANSWER_UNREADABLE', 'dynamodb:GetRecords answered a record without its key');
  });
}
