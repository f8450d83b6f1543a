import type { Partition } from '../../aws/dynamodb-partitions.ts';
import { MARK_ATTRIBUTE } from '../../aws/dynamodb-values.ts';
import { isMarked } from '../../aws/partition-rows.ts';
import { createRowChecksum, type Row } from '../../aws/row-checksum.ts';
import { ownerOf } from '../../aws/tags.ts';
import { StepError } from '../../contracts/step-error.ts';
import { counted } from './deleted-rows.ts';
import type { RowsContext as Context } from './spec.ts';

/** The step's partition, and the attributes of its table's key. */
export interface OwnPartition extends Partition {
  readonly keys: readonly string[];
}

/** Undefined: there is no such table. @throws StepError when the spec names another key than the table has */
export async function findPartition({ aws, spec }: Pick<Context, 'aws' | 'spec'>): Promise<OwnPartition | undefined> {
  const { partitionKey, table } = spec;
  const found = await aws.partitions.findKeys(table);
  if (!found) return undefined;
  const { partition, sort } = found;
  if (partition !== partitionKey.name)
    throw new StepError(
      'INVALID_REQUEST',
      `table ${table} has the partition key ${partition}, and the step names ${partitionKey.name}`,
    );
  return {
    table,
    partitionKey,
    sortKey: sort ?? partition,
    keys: sort === undefined ? [partition] : [partition, sort],
  };
}

/** The rows that are the step's, a page at a time. @param attributes of each; default: all */
export async function* ownPages(
  { aws, tags }: Pick<Context, 'aws' | 'tags'>,
  partition: OwnPartition,
  attributes?: readonly string[],
): AsyncGenerator<readonly Row[]> {
  const owner = ownerOf(tags);
  const wanted = attributes && { attributes: [...attributes, MARK_ATTRIBUTE] };
  for await (const page of aws.partitions.pages(partition, wanted)) yield page.filter((row) => !isMarked(row, owner));
}

export async function hasRows(context: Pick<Context, 'aws' | 'tags'>, partition: OwnPartition): Promise<boolean> {
  for await (const page of ownPages(context, partition, partition.keys)) if (page.length > 0) return true;
  return false;
}

/** A row of a service may have an attribute of the mark's name as well. @param keys names of the key's attributes */
export function keyIn(keys: readonly string[]): (row: Row) => Row {
  return (row) => Object.fromEntries(Object.entries(row).filter(([name]) => keys.includes(name)));
}

/** One pass from end to end. @returns how many rows it deleted */
export async function removeRows(context: Context, partition: OwnPartition): Promise<number> {
  const { aws, log } = context;
  const { keys, table } = partition;
  let removed = 0;
  for await (const page of ownPages(context, partition, keys)) {
    if (page.length === 0) continue;
    await counted(context, page.length, () => aws.partitions.removeRows(table, page.map(keyIn(keys))));
    removed += page.length;
  }
  if (removed > 0) log.info({ table, rows: removed }, 'rows of services were deleted');
  return removed;
}

export async function sumUp(
  context: Pick<Context, 'aws' | 'tags'>,
  partition: OwnPartition,
): Promise<{ readonly count: number; readonly checksum: string }> {
  const sum = createRowChecksum();
  for await (const page of ownPages(context, partition)) for (const row of page) sum.add(row);
  return { count: sum.count, checksum: sum.digest() };
}
