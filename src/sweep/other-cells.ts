import type { Cell, Platform } from '../contracts/platform.ts';
import type { SweptItem } from '../contracts/sweep.ts';
import { sharesAccount, type SweptType } from '../kinds/framework/resource-type.ts';

/* Cells may share an account, a region, a zone or a database: what one lists another may use, and lists too. */

/** The cells whose resources may use a thing of a type that this cell lists; itself first. */
export function cellsAround({ cells }: Platform, cell: Cell, { isUsedFrom = sharesAccount }: SweptType): Cell[] {
  return [cell, ...cells.filter((other) => other.id !== cell.id && isUsedFrom(other, cell))];
}

/** Whether another cell's report lists a thing of a type that this cell's report listed. */
export function listsToo(
  other: Cell,
  cell: Cell,
  item: Pick<SweptItem, 'physicalId'>,
  { isListedIn = sharesAccount }: SweptType,
): boolean {
  return isListedIn(other, cell, item);
}
