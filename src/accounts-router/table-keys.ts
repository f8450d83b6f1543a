import { accountPartition } from './account-id.ts';

/** The key attributes of an index. */
export interface IndexKeys {
  readonly partitionKey: string;
  readonly sortKey?: string | undefined;
}

/** The key attributes of the shared table, which a private account's table has as well. All are strings. */
export interface TableKeys {
  readonly partitionKey: string;
  readonly sortKey: string;
  /** By the name of the index: every index of the table. One that is not named here is not queried, and its keys are not guarded. */
  readonly indexes: Readonly<Record<string, IndexKeys>>;
}

/** `PK`, `SK`, and `GSI1` to `GSI3` with `GSI1PK`, `GSI1SK` and so on. */
export const defaultTableKeys: TableKeys = {
  partitionKey: 'PK',
  sortKey: 'SK',
  indexes: Object.fromEntries(
    ['GSI1', 'GSI2', 'GSI3'].map((index) => [index, { partitionKey: `${index}PK`, sortKey: `${index}SK` }]),
  ),
};

/** One account, and the keys of the table that its rows are in: what every guard holds a call against. */
export interface AccountScope {
  /** `ACCOUNT#{accountId}`. */
  readonly partition: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly indexes: ReadonlyMap<string, IndexKeys>;
  /** Attributes whose value decides in whose part of an index a row stands. */
  readonly indexPartitionKeys: ReadonlySet<string>;
}

/** @throws Error when the keys cannot be guarded */
export function createScopes(keys: TableKeys): (accountId: string) => AccountScope {
  const { partitionKey, sortKey } = keys;
  const indexes = new Map(Object.entries(keys.indexes));
  for (const [name, index] of indexes) {
    if (index.partitionKey === sortKey)
      throw new Error(`index ${name} is partitioned by the table's sort key: its partitions span accounts`);
    if (index.sortKey === partitionKey)
      throw new Error(
        `index ${name} is sorted by the table's partition key: a query of it cannot be held to one account`,
      );
  }
  const others = [...indexes.values()].map((index) => index.partitionKey).filter((name) => name !== partitionKey);
  const indexPartitionKeys = new Set(others);
  return (accountId) => ({
    ...{ partition: accountPartition(accountId), partitionKey, sortKey },
    ...{ indexes, indexPartitionKeys },
  });
}

/** Whether a value of an index's partition key lies in the account's part of the index. */
export function isOwnIndexValue({ partition }: AccountScope, value: unknown): value is string {
  // An account id has one length, so no account's prefix begins another's.
  return typeof value === 'string' && (value === partition || value.startsWith(`${partition}#`));
}
