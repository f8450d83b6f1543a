import { accountPartition } from '../../accounts-router/account-id.ts';
import type { CellAws } from '../../aws/cell-aws.ts';
import type { Partition } from '../../aws/dynamodb-partitions.ts';
import { isMarked, sortKeyOf } from '../../aws/partition-rows.ts';
import type { Row } from '../../aws/row-checksum.ts';
import type { Owner } from '../../aws/tags.ts';
import { StepError } from '../../contracts/step-error.ts';
import type { Hold } from './lock.ts';

/** An account's partition in the table that its rows are in, and in the one that they go to. */
export interface Sides {
  readonly from: Partition;
  readonly to: Partition;
}

export function sidesOf(accountId: string, spec: { readonly table: string; readonly toTable: string }): Sides {
  const partition = { partitionKey: { name: 'PK', value: accountPartition(accountId) }, sortKey: 'SK' };
  return { from: { table: spec.table, ...partition }, to: { table: spec.toTable, ...partition } };
}

/** Brings rows of one side to the other, while the attempt's lock holds. */
export interface RowMover {
  /**
   * Makes these rows of the second side what they are in the first: what is read there last is written last, however often and in whatever
   * order a key is named. Rows of the control plane are neither read nor written over.
   * @throws StepError OWNERSHIP_CONFLICT when a service has a row under the key of one of those; CONFLICT_RETRYABLE when superseded
   */
  readonly bringOver: (sortKeys: Iterable<string>) => Promise<void>;
  /** Writes rows of the first side, but for the control plane's. @returns how many. @throws StepError as above */
  readonly copy: (rows: readonly Row[]) => Promise<number>;
  readonly isOurs: (row: Row) => boolean;
}

/** IAM actions of the mover and its lock, and of the look at the fence. */
export const moverPermissions: readonly string[] = [
  'dynamodb:Query',
  'dynamodb:GetItem',
  'dynamodb:UpdateItem',
  'dynamodb:PutItem',
  'dynamodb:DeleteItem',
  'dynamodb:ConditionCheckItem',
];

export interface MoverCall {
  readonly aws: Pick<CellAws, 'locks' | 'partitions'>;
  readonly sides: Sides;
  readonly hold: Hold;
  /** Whose rows are left alone. */
  readonly owner: Owner;
}

/** Reads first which rows of the second side are the control plane's. */
export async function createRowMover({ aws, hold, owner, sides }: MoverCall): Promise<RowMover> {
  const { from, to } = sides;
  const isOurs = (row: Row) => isMarked(row, owner);
  const ours = new Set<string>();
  for await (const page of aws.partitions.pages(to, { isOnlyMarked: true }))
    for (const row of page) if (isOurs(row)) ours.add(sortKeyOf(row, to));
  const write = async (rows: readonly Row[], removed: readonly string[]) => {
    const taken = rows.map((row) => sortKeyOf(row, from)).find((sortKey) => ours.has(sortKey));
    if (taken !== undefined) throw takenBy(taken, sides);
    const keys = removed.filter((sortKey) => !ours.has(sortKey)).map((sortKey) => keyIn(to, sortKey));
    await aws.locks.write(hold.place, hold.attempt, { put: rows, remove: keys, notOf: owner });
  };
  return {
    isOurs,
    async copy(page) {
      const rows = page.filter((row) => !isOurs(row));
      await write(rows, []);
      return rows.length;
    },
    async bringOver(sortKeys) {
      const keys = [...new Set(sortKeys)];
      // So that the rows of one go are a few megabytes at most.
      for (let first = 0; first < keys.length; first += KEYS_AT_ONCE) {
        const some = keys.slice(first, first + KEYS_AT_ONCE);
        const found = await aws.partitions.readRows(from, some);
        const rows = new Map([...found].filter(([, row]) => !isOurs(row)));
        await write(
          [...rows.values()],
          some.filter((sortKey) => !rows.has(sortKey)),
        );
      }
    },
  };
}

const KEYS_AT_ONCE = 25;

function keyIn({ partitionKey, sortKey }: Partition, value: string): Row {
  return { [partitionKey.name]: { S: partitionKey.value }, [sortKey]: { S: value } };
}

function takenBy(sortKey: string, { from, to }: Sides): StepError {
  const row = JSON.stringify(sortKey);
  return new StepError(
    'OWNERSHIP_CONFLICT',
    `row ${row} of table ${from.table} bears no mark, and is the control plane's in ${to.table}`,
    {
      detail: `a service wrote over a row that is not its own: put the mark back (drift says what it was), or delete the row, then retry`,
    },
  );
}
