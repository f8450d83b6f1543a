import { InvalidAccountIdError } from './errors.ts';

// One spelling only: keys and parameter names tell upper from lower case, so another spelling would be another account.
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** @throws InvalidAccountIdError */
export function assertAccountId(accountId: unknown): asserts accountId is string {
  // What is no string is turned into one by `test`: an array of one id would pass.
  if (typeof accountId !== 'string' || !uuid.test(accountId)) throw new InvalidAccountIdError();
}

/** The partition key of all rows of the account. @throws InvalidAccountIdError */
export function accountPartition(accountId: string): string {
  assertAccountId(accountId);
  return `ACCOUNT#${accountId}`;
}

/** Whose rows are in a partition; undefined where it is no account's. */
export function accountOf(partition: unknown): string | undefined {
  if (typeof partition !== 'string' || !partition.startsWith('ACCOUNT#')) return undefined;
  const accountId = partition.slice('ACCOUNT#'.length);
  return uuid.test(accountId) ? accountId : undefined;
}

/**
 * A value of an index's partition key that belongs to the account: `ACCOUNT#{accountId}#LICENSE#42`. Account calls write and query no others.
 * @throws InvalidAccountIdError
 */
export function accountIndexKey(accountId: string, value: string): string {
  return `${accountPartition(accountId)}#${value}`;
}
