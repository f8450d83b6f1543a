import { copyFields } from '../input-fields.ts';
import type { Fields, ItemFields, KeyedFields } from '../table.ts';

type Row = Readonly<Record<string, unknown>>;

/** What a call may say of rows. Each function answers what is sent, made from copies. @throws InputRefusedError, ExpressionError, OtherAccountError */
export interface RowGuard {
  key(field: string, given: unknown): Record<string, unknown>;
  /** A row as it is written. */
  item(field: string, given: unknown): Record<string, unknown>;
  /** Of the input of one row's read, or check: all besides its key. `prefix` is the path to it, empty or ending in a dot. */
  readFields(input: Fields, prefix: string): Fields;
  /** Of the input of one row's write: all besides its key or item, and the condition that the row is not the control plane's. */
  writtenFields(input: Fields, prefix: string): Fields;
  /** Whether the control plane has rows of that key. */
  isControlKey(row: Row): boolean;
}

/** What of a read with a `Key`, or a check, is sent. @throws InputRefusedError, ExpressionError, OtherAccountError */
export function keyed(guard: RowGuard, given: unknown, allowed: readonly string[], prefix = ''): KeyedFields {
  const { Key: key, ...input }: Fields = copyFields(prefix, given, allowed);
  return { ...guard.readFields(input, prefix), Key: guard.key(`${prefix}Key`, key) };
}

/** What of a write with a `Key` is sent. @throws InputRefusedError, ExpressionError, OtherAccountError */
export function keyedWrite(guard: RowGuard, given: unknown, allowed: readonly string[], prefix = ''): KeyedFields {
  const { Key: key, ...input }: Fields = copyFields(prefix, given, allowed);
  const Key = guard.key(`${prefix}Key`, key);
  return { ...guard.writtenFields(input, prefix), ...toTell(guard, Key), Key };
}

/** What of a write with an `Item` is sent. @throws InputRefusedError, ExpressionError, OtherAccountError */
export function itemedWrite(guard: RowGuard, given: unknown, allowed: readonly string[], prefix = ''): ItemFields {
  const { Item: item, ...input }: Fields = copyFields(prefix, given, allowed);
  const Item = guard.item(`${prefix}Item`, item);
  return { ...guard.writtenFields(input, prefix), ...toTell(guard, Item), Item };
}

/** The row tells whether the caller's condition failed or ours; asked for only where ours is likely to. */
function toTell(guard: RowGuard, row: Row): Fields {
  return guard.isControlKey(row) ? { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } : {};
}
