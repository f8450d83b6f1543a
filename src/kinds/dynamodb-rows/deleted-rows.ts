import type { DeletedRows } from '../../contracts/certificate.ts';
import { itemNameParts } from '../../naming.ts';
import type { OwnPartition } from './rows.ts';
import type { RowsContext, RowsOutputs } from './spec.ts';

/** Of the removal's notes: whose rows they are, and how many were deleted for sure. */
const [TABLE, PARTITION, ROWS] = ['table', 'partition', 'rows'] as const;
/** Rows are being deleted: where it stands at the beginning of an attempt, nobody knows how many of them went. */
const OPEN = 'open';
/** There may have been more than are counted. */
const AT_LEAST = 'atLeast';

type Notes = Pick<RowsContext, 'removal'>;

/** Begins to count, or goes on where an earlier attempt was. */
export async function beginCount({ removal }: Notes, { partitionKey, table }: OwnPartition): Promise<void> {
  const { [OPEN]: open, [ROWS]: rows } = removal.noted();
  if (rows === undefined) await removal.note({ [TABLE]: table, [PARTITION]: partitionKey.value, [ROWS]: '0' });
  if (open !== undefined) await removal.note({ [AT_LEAST]: 'true', [OPEN]: null });
}

/** Deletes some, and counts them. */
export async function counted({ removal }: Notes, rows: number, deleteThem: () => Promise<void>): Promise<void> {
  await removal.note({ [OPEN]: 'true' });
  await deleteThem();
  await removal.note({ [ROWS]: `${Number(removal.noted()[ROWS] ?? 0) + rows}`, [OPEN]: null });
}

/** What a removal deleted, as a certificate tells it. Undefined: nothing says that it had any rows. */
export function deletedRowsOf(
  notes: Readonly<Record<string, string>>,
  outputs: Partial<RowsOutputs>,
): DeletedRows | undefined {
  const { [PARTITION]: partition, [ROWS]: rows, [TABLE]: table } = notes;
  if (table !== undefined && partition !== undefined && rows !== undefined)
    return {
      table,
      partition,
      rows: Number(rows),
      isExact: notes[AT_LEAST] === undefined && notes[OPEN] === undefined,
    };
  if (outputs.name === undefined) return undefined;
  const known = itemNameParts(outputs.name);
  return { table: known.table, partition: known.partition, rows: null, isExact: false };
}
