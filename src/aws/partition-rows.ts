import { StepError } from '../contracts/step-error.ts';
import type { Partition } from './dynamodb-partitions.ts';
import { MARK_ATTRIBUTE, markIn } from './dynamodb-values.ts';
import type { Row } from './row-checksum.ts';
import { INSTALLATION_TAG, isOwnedBy, type Owner } from './tags.ts';

/* What a row says of itself: kinds, and with them the API, ask this without the SDK. */

/** Whether a row is the control plane's own: a service may have an attribute of that name as well. */
export function isMarked(row: Row, owner: Owner): boolean {
  return isOwnedBy(markIn(row[MARK_ATTRIBUTE]), owner);
}

/** Whether it bears no mark, of whichever installation. */
export function isUnmarked(row: Row): boolean {
  return markIn(row[MARK_ATTRIBUTE])[INSTALLATION_TAG] === undefined;
}

/** @throws StepError when the row has no such text */
export function sortKeyOf(row: Row, { sortKey, table }: Pick<Partition, 'sortKey' | 'table'>): string {
  const text = row[sortKey]?.S;
  if (text !== undefined) return text;
  throw new StepError('INVALID_REQUEST', `a row of table ${table} has no text as its sort key ${sortKey}`);
}
