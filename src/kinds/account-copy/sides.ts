import { accountPartition } from '../../accounts-router/account-id.ts';
import type { Partition, Partitions } from '../../aws/dynamodb-partitions.ts';
import { isMarked, sortKeyOf } from '../../aws/partition-rows.ts';
import { StepError } from '../../contracts/step-error.ts';

/** An account's partition in the table that its rows are in, and in the one that they go to. */
export interface Sides {
  readonly from: Partition;
  readonly to: Partition;
}

export function sidesOf(accountId: string, spec: { readonly table: string; readonly toTable: string }): Sides {
  const partition = { partitionKey: { name: 'PK', value: accountPartition(accountId) }, sortKey: 'SK' };
  return { from: { table: spec.table, ...partition }, to: { table: spec.toTable, ...partition } };
}

/** Brings rows of one side to the other, by their keys. */
export interface RowMover {
  /**
   * Makes these rows of the second side what they are in the first: what is read there last is written last, however often and in whatever
   * order a key is named. Rows of the control plane are neither read nor written over.
   * @throws StepError OWNERSHIP_CONFLICT when a service has a row under the key of one of those
   */
  readonly bringOver: (sortKeys: Iterable<string>) => Promise<void>;
  /** @throws StepError OWNERSHIP_CONFLICT, as above */
  readonly refuseTaken: (sortKeys: Iterable<string>) => void;
}

/** Reads first which rows of the second side are the control plane's. */
export async function createRowMover(partitions: Partitions, { from, to }: Sides): Promise<RowMover> {
  const ours = new Set<string>();
  for await (const page of partitions.pages(to, { isOnlyMarked: true }))
    for (const row of page) ours.add(sortKeyOf(row, to));
  const refuseTaken = (sortKeys: Iterable<string>) => {
    for (const sortKey of sortKeys) if (ours.has(sortKey)) throw taken(sortKey, { from, to });
  };
  return {
    refuseTaken,
    async bringOver(sortKeys) {
      const keys = [...new Set(sortKeys)];
      // So that the rows of one go are a few megabytes at most.
      for (let first = 0; first < keys.length; first += KEYS_AT_ONCE) {
        const some = keys.slice(first, first + KEYS_AT_ONCE);
        const found = await partitions.readRows(from, some);
        const rows = [...found].filter(([, row]) => !isMarked(row));
        refuseTaken(rows.map(([sortKey]) => sortKey));
        await partitions.putRows(
          to.table,
          rows.map(([, row]) => row),
        );
        for (const sortKey of some)
          if (!rows.some(([own]) => own === sortKey)) await partitions.removeUnmarked(to, sortKey);
      }
    },
  };
}

const KEYS_AT_ONCE = 25;

function taken(sortKey: string, { from, to }: Sides): StepError {
  const row = JSON.stringify(sortKey);
  return new StepError(
    'OWNERSHIP_CONFLICT',
    `row ${row} of table ${from.table} bears no mark, and is the control plane's in ${to.table}`,
    {
      detail: `a service wrote over a row that is not its own: put the mark back (drift says what it was), or delete the row, then retry`,
    },
  );
}
