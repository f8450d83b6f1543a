import { isDeepStrictEqual } from 'node:util';
import type { VerifiedRows } from '../../accounts-router/fence.ts';
import type { Partition, Partitions } from '../../aws/dynamodb-partitions.ts';
import { sortKeyOf } from '../../aws/partition-rows.ts';
import { createRowChecksum, type Row } from '../../aws/row-checksum.ts';
import type { RowMover, Sides } from '../account-copy/sides.ts';

/** What one pass over both sides saw. */
export interface Comparison {
  /** Of the first side. */
  readonly rows: VerifiedRows;
  /** Rows that were missing on the second side, other ones there, or too many: they were brought over. */
  readonly differing: number;
}

export interface ComparisonCall {
  readonly partitions: Partitions;
  readonly mover: RowMover;
  readonly sides: Sides;
  /** Called for each page; what it throws ends the pass. */
  readonly onPage: () => void;
}

/**
 * Reads all rows of both sides, but for the control plane's, and brings over those that differ. Without a difference both held the same,
 * if nobody wrote meanwhile.
 */
export async function compareSides({ mover, onPage, partitions, sides }: ComparisonCall): Promise<Comparison> {
  const [from, to] = [createRowChecksum(), createRowChecksum()];
  const differing: string[] = [];
  let count = 0;
  const bring = async () => {
    count += differing.length;
    await mover.bringOver(differing.splice(0));
  };
  const rowsIn = (side: Partition) => rowsOf(partitions, side, { isOurs: mover.isOurs, onPage });
  const [ofFrom, ofTo] = [rowsIn(sides.from), rowsIn(sides.to)];
  let [a, b] = [await nextOf(ofFrom), await nextOf(ofTo)];
  while (a ?? b) {
    const order = orderOf(a, b);
    if (order <= 0 && a) from.add(a.row);
    if (order >= 0 && b) to.add(b.row);
    const isSame = order === 0 && a && b && isSameRow(a.row, b.row);
    if (!isSame) differing.push((order <= 0 ? a : b)?.sortKey ?? '');
    if (differing.length >= AT_ONCE) await bring();
    if (order <= 0) a = await nextOf(ofFrom);
    if (order >= 0) b = await nextOf(ofTo);
  }
  await bring();
  const rows = { count: from.count, checksum: from.digest() };
  // Two sums that differ though no row does would be a defect of one of the two: nothing is verified then.
  const isProven = count > 0 || (rows.count === to.count && rows.checksum === to.digest());
  return { rows, differing: isProven ? count : 1 };
}

const AT_ONCE = 100;

interface KeyedRow {
  readonly row: Row;
  readonly sortKey: string;
}

async function* rowsOf(
  partitions: Partitions,
  partition: Partition,
  { isOurs, onPage }: { readonly isOurs: RowMover['isOurs']; readonly onPage: () => void },
): AsyncGenerator<KeyedRow, undefined> {
  for await (const page of partitions.pages(partition)) {
    onPage();
    for (const row of page) if (!isOurs(row)) yield { row, sortKey: sortKeyOf(row, partition) };
  }
  return undefined;
}

async function nextOf(rows: AsyncGenerator<KeyedRow, undefined>): Promise<KeyedRow | undefined> {
  return (await rows.next()).value;
}

/** As DynamoDB sorts: by the bytes of UTF-8. One that is not there comes last. */
function orderOf(a: KeyedRow | undefined, b: KeyedRow | undefined): number {
  if (!a) return 1;
  return b ? Buffer.compare(Buffer.from(a.sortKey), Buffer.from(b.sortKey)) : -1;
}

/** Members of a set come in any order, so what looks another way may be the same. */
function isSameRow(a: Row, b: Row): boolean {
  return isDeepStrictEqual(a, b) || checksumOf(a) === checksumOf(b);
}

function checksumOf(row: Row): string {
  const sum = createRowChecksum();
  sum.add(row);
  return sum.digest();
}
