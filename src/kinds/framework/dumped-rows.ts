import { Readable } from 'node:stream';
import { createRowChecksum, type Row, type RowChecksum } from '../../aws/row-checksum.ts';
import { toLine } from '../../aws/row-lines.ts';
import type { DumpedRows } from '../../contracts/dump.ts';
import type { DumpSink } from '../../db/tenant-dump/sink.ts';

/** What is dumped of a table. */
export interface RowSource extends Pick<DumpedRows, 'table' | 'keys' | 'partition'> {
  readonly pages: AsyncIterable<readonly Row[]>;
}

/** Writes rows to a file, a page at a time. @param file its name, in the folder of the dump */
export async function dumpRows(
  sink: DumpSink,
  file: string,
  { keys, pages, partition, table }: RowSource,
): Promise<DumpedRows> {
  const sum = createRowChecksum();
  const stored = await sink.write(file, Readable.from(lines(pages, sum), { objectMode: false }));
  return { ...stored, table, keys, partition, rows: sum.count, checksum: sum.digest() };
}

async function* lines(pages: AsyncIterable<readonly Row[]>, sum: RowChecksum): AsyncGenerator<Buffer> {
  for await (const page of pages) {
    for (const row of page) sum.add(row);
    if (page.length > 0) yield Buffer.from(page.map(toLine).join(''));
  }
}
