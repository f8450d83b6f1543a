import { DeleteItemCommand, DynamoDBClient, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureTable } from '../../sandbox/landing-zone/tables.ts';
import { createCellAws, type CellAws } from '../../src/aws/cell-aws.ts';
import { sortKeyOf, type Partition } from '../../src/aws/dynamodb-partitions.ts';
import type { StreamReader } from '../../src/aws/dynamodb-streams.ts';
import type { Row } from '../../src/aws/row-checksum.ts';
import { freshAccountId, part } from '../support/parts.ts';
import { exampleCell } from '../support/platform.ts';

let aws: CellAws;
let others: DynamoDBClient;

beforeAll(async () => {
  const { url } = await part('ministack');
  const credentials = { accessKeyId: freshAccountId(), secretAccessKey: 'test' };
  aws = createCellAws(exampleCell(), { endpointUrl: url, credentials, pacing: { factor: Infinity } });
  others = new DynamoDBClient({ endpoint: url, region: 'us-east-1', credentials });
});
afterAll(() => {
  aws.destroy();
  others.destroy();
});

async function newPartition(): Promise<Partition> {
  const table = `rows-${randomUUID()}`;
  await ensureTable(others, table, []);
  return { table, partitionKey: { name: 'PK', value: `ACCOUNT#${randomUUID()}` }, sortKey: 'SK' };
}

const rowOf = ({ partitionKey }: Partition, sortKey: string, attributes: Row = {}): Row => ({
  PK: { S: partitionKey.value },
  SK: { S: sortKey },
  ...attributes,
});

const numbered = (partition: Partition, count: number, attributes: Row = {}) =>
  Array.from({ length: count }, (_, i) => rowOf(partition, `N#${String(i).padStart(5, '0')}`, attributes));

async function keysOf(partition: Partition, options?: Parameters<CellAws['partitions']['pages']>[1]) {
  const keys: string[] = [];
  for await (const page of aws.partitions.pages(partition, options))
    keys.push(...page.map((row) => sortKeyOf(row, partition)));
  return keys;
}

describe('partitions', () => {
  it('writes more rows than a batch takes and lists one partition alone, from either end or from a row on', async () => {
    const partition = await newPartition();
    const rows = numbered(partition, 130);
    await aws.partitions.putRows(partition.table, [...rows, { PK: { S: 'ACCOUNT#other' }, SK: { S: 'N#1' } }]);
    const all = rows.map((row) => sortKeyOf(row, partition));
    expect(await keysOf(partition)).toEqual(all);
    expect(await keysOf(partition, { limit: 7, isBackward: true })).toEqual([...all].reverse());
    expect(await keysOf(partition, { after: 'N#00120' })).toEqual(all.slice(121));
    const read = await aws.partitions.readRows(partition, [...all, 'N#none']);
    expect([...read.keys()].sort()).toEqual(all);
  });

  it('keeps rows of 400 KB, sets and binaries as they are', async () => {
    const partition = await newPartition();
    const text = 'x'.repeat(399_000);
    const rows = ['A', 'B', 'C', 'D'].map((key) =>
      rowOf(partition, key, { text: { S: text }, set: { NS: ['1', '2.5'] }, bytes: { B: Buffer.from([0, 255]) } }),
    );
    await aws.partitions.putRows(partition.table, rows);
    const read = await aws.partitions.readRows(partition, ['D']);
    expect(read.get('D')).toMatchObject({ text: { S: text }, bytes: { B: Uint8Array.from([0, 255]) } });
    expect(new Set(read.get('D')?.['set']?.NS)).toEqual(new Set(['1', '2.5']));
    expect(await keysOf(partition)).toEqual(['A', 'B', 'C', 'D']);
  });
});

/** Until nothing more comes. */
async function readAll(reader: StreamReader): Promise<string[]> {
  const seen = new Set<string>();
  for (let idle = 0; idle < 2;) {
    const { keys } = await reader.read();
    idle = keys.length === 0 ? idle + 1 : 0;
    for (const key of keys) seen.add(key['SK']?.S ?? '');
  }
  return [...seen].sort();
}

describe('streams', () => {
  it('tells every key that was written or deleted after the position was noted, for as many readers as there are', async () => {
    const partition = await newPartition();
    const { table } = partition;
    await aws.partitions.putRows(table, numbered(partition, 30));
    const stream = await aws.streams.findStream(table);
    const position = await aws.streams.notePosition(stream!);
    await aws.partitions.putRows(table, [rowOf(partition, 'NEW')]);
    const Key = { PK: { S: partition.partitionKey.value }, SK: { S: 'N#00003' } };
    await others.send(new DeleteItemCommand({ TableName: table, Key }));

    const stored = JSON.parse(JSON.stringify(position)) as typeof position;
    const reader = aws.streams.readFrom(stored);
    expect(await readAll(reader)).toEqual(expect.arrayContaining(['N#00003', 'NEW']));
    await aws.partitions.putRows(table, [rowOf(partition, 'LATER')]);
    expect(await readAll(reader)).toEqual(['LATER']);
    expect(await readAll(aws.streams.readFrom(stored))).toEqual(expect.arrayContaining(['LATER', 'N#00003', 'NEW']));
  });

  it('begins at the first record that comes while the position is noted', async () => {
    const partition = await newPartition();
    const { table } = partition;
    await aws.partitions.putRows(table, numbered(partition, 30));
    const stream = await aws.streams.findStream(table);
    const [position] = await Promise.all([
      aws.streams.notePosition(stream!),
      (async () => {
        for (let i = 0; i < 10; i += 1) {
          await new Promise((resolve) => setTimeout(resolve, 60));
          await aws.partitions.putRows(table, [rowOf(partition, `DURING#${i}`)]);
        }
      })(),
    ]);
    const seen = await readAll(aws.streams.readFrom(position));
    expect(seen).toContain('DURING#9');
    expect(seen).not.toContain('N#00003');
  });

  it('says that a table has no stream', async () => {
    const { table } = await newPartition();
    await others.send(new UpdateTableCommand({ TableName: table, StreamSpecification: { StreamEnabled: false } }));
    expect(await aws.streams.findStream(table)).toBeUndefined();
  });
});
