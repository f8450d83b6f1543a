import { StringDecoder } from 'node:string_decoder';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Partitions } from '../aws/dynamodb-partitions.ts';
import { createRowChecksum, type Row } from '../aws/row-checksum.ts';
import { fromLine } from '../aws/row-lines.ts';
import type { DumpedRows, RowsDump } from '../contracts/dump.ts';
import { LoadError, verified, type ReadDumpFile } from '../db/tenant-dump/load.ts';

export interface TableTarget {
  /** Name of the table that gets the rows. It is there, with the key of the one that they were read from. */
  readonly table: string;
  /** Of the tables of the dump, that whose rows are meant. */
  readonly only?: string | undefined;
}

export interface LoadedRows {
  readonly table: string;
  readonly rows: number;
}

/** So many rows are looked at, and written, at once. */
const BATCH = 100;

/**
 * Puts the rows of a dump into a table. First all of them are read and held against the manifest and the table: where one is there already
 * and is another, nothing is written. What is there and is the same stays, so that a load which was cut short is begun again.
 * @throws LoadError, StepError
 */
export async function loadRows(
  partitions: Pick<Partitions, 'findKeys' | 'findRows' | 'putRows'>,
  dump: RowsDump,
  read: ReadDumpFile,
  { only, table }: TableTarget,
): Promise<LoadedRows> {
  const dumped = chosen(dump, only);
  await refuseOtherKeys(partitions, dumped, table);
  const sum = createRowChecksum();
  await eachBatch(read, dumped, async (rows) => {
    for (const row of rows) sum.add(row);
    await refuseOthers(partitions, dumped, table, rows);
  });
  if (sum.count !== dumped.rows || sum.digest() !== dumped.checksum)
    throw new LoadError(`${dumped.name} does not hold the ${dumped.rows} rows of its manifest: nothing was loaded`);
  await eachBatch(read, dumped, (rows) => partitions.putRows(table, rows));
  return { table, rows: dumped.rows };
}

function chosen({ tables }: RowsDump, only: string | undefined): DumpedRows {
  const [first, ...more] = only === undefined ? tables : tables.filter((one) => one.table === only);
  if (first && more.length === 0) return first;
  const names = tables.map(({ table }) => table).join(', ') || 'no table';
  throw new LoadError(`the dump holds ${names}: name one of them with --only`);
}

async function refuseOtherKeys(
  partitions: Pick<Partitions, 'findKeys'>,
  { keys, table: from }: DumpedRows,
  table: string,
): Promise<void> {
  const found = await partitions.findKeys(table);
  if (!found) throw new LoadError(`there is no table ${table}: make it first, with the key ${keys.join(', ')}`);
  const own = [found.partition, ...(found.sort === undefined ? [] : [found.sort])];
  if (own.join() !== keys.join())
    throw new LoadError(`table ${table} has the key ${own.join(', ')}, and ${from} had ${keys.join(', ')}`);
}

/** @throws LoadError when the table holds another row under the key of one of these */
async function refuseOthers(
  partitions: Pick<Partitions, 'findRows'>,
  { keys }: DumpedRows,
  table: string,
  rows: readonly Row[],
): Promise<void> {
  const keyOf = (row: Row) => Object.fromEntries(Object.entries(row).filter(([name]) => keys.includes(name)));
  const own = new Map(rows.map((row) => [digestOf(keyOf(row)), row]));
  for (const found of await partitions.findRows(table, rows.map(keyOf))) {
    const row = own.get(digestOf(keyOf(found)));
    if (row && digestOf(row) === digestOf(found)) continue;
    const key = JSON.stringify(keyOf(found));
    throw new LoadError(`table ${table} holds another row ${key} than the dump: nothing was loaded`);
  }
}

function digestOf(row: Row): string {
  const sum = createRowChecksum();
  sum.add(row);
  return sum.digest();
}

async function eachBatch(
  read: ReadDumpFile,
  file: DumpedRows,
  act: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  await pipeline(await read(file.name), verified(file), createGunzip(), async (content: AsyncIterable<Buffer>) => {
    let rows: Row[] = [];
    for await (const line of linesOf(content)) {
      rows.push(parsed(line, file));
      if (rows.length < BATCH) continue;
      await act(rows);
      rows = [];
    }
    if (rows.length > 0) await act(rows);
  });
}

function parsed(line: string, { name }: DumpedRows): Row {
  try {
    return fromLine(line);
  } catch (cause) {
    throw new LoadError(`${name} holds what is no row: nothing was loaded`, { cause });
  }
}

async function* linesOf(content: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of content) {
    const lines = `${rest}${decoder.write(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
