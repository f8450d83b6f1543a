import { InputRefusedError, OtherAccountError } from '../errors.ts';
import { copyRecord, copyWhole } from '../input-fields.ts';
import { isOwnIndexValue, type AccountScope } from '../table-keys.ts';
import { assertUnmarked } from './control-mark.ts';

/**
 * The key of a row of the account: the sort key that is given, under the account's partition key.
 * @throws InputRefusedError, OtherAccountError
 */
export function ownKey(scope: AccountScope, field: string, given: unknown): Record<string, unknown> {
  const key = copyRecord(field, given);
  for (const name of Object.keys(key))
    if (name !== scope.partitionKey && name !== scope.sortKey)
      throw new InputRefusedError(`${field}.${name}`, `is no key attribute: ${scope.sortKey} is`);
  return ownRow(scope, field, key);
}

/**
 * A row as it may be written: under the account's partition key, and in the account's own part of each index that it stands in.
 * @throws InputRefusedError, OtherAccountError
 */
export function ownItem(scope: AccountScope, field: string, given: unknown): Record<string, unknown> {
  const item = copyWhole(field, given);
  assertUnmarked(field, item);
  for (const name of scope.indexPartitionKeys) assertOwnIndexValue(scope, `${field}.${name}`, item[name]);
  return ownRow(scope, field, item);
}

/** Undefined: the row does not stand in the index. @throws OtherAccountError */
export function assertOwnIndexValue(scope: AccountScope, field: string, value: unknown): void {
  if (value !== undefined && !isOwnIndexValue(scope, value))
    throw new OtherAccountError(
      field,
      `the partition key of an index begins with the account's own: ${scope.partition}#`,
    );
}

/** @throws OtherAccountError */
export function assertOwnPartition({ partition }: AccountScope, field: string, value: unknown): void {
  if (value !== partition) throw new OtherAccountError(field, `is not the account's own, ${partition}`);
}

/** What is an object to us may be a string to the document client. @throws InputRefusedError */
export function assertText(field: string, value: unknown): void {
  if (typeof value !== 'string') throw new InputRefusedError(field, 'a key is a string');
}

/** @param row a copy, whose values nobody else changes */
function ownRow(scope: AccountScope, field: string, row: Record<string, unknown>): Record<string, unknown> {
  const { partition, partitionKey, sortKey } = scope;
  if (row[partitionKey] !== undefined) assertOwnPartition(scope, `${field}.${partitionKey}`, row[partitionKey]);
  if (row[sortKey] === undefined) throw new InputRefusedError(`${field}.${sortKey}`, 'the sort key is missing');
  assertText(`${field}.${sortKey}`, row[sortKey]);
  return { ...row, [partitionKey]: partition };
}
