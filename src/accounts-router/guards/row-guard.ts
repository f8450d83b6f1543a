import { copyFields } from '../input-fields.ts';
import type { Fields, ItemFields, KeyedFields } from '../table.ts';

/** What a call may say of rows. Each function answers what is sent, made from copies. @throws InputRefusedError, ExpressionError, OtherAccountError */
export interface RowGuard {
  readonly key: (field: string, given: unknown) => Record<string, unknown>;
  readonly item: (field: string, given: unknown) => Record<string, unknown>;
  /** Of one row's input: all besides its key or item. `prefix` is the path to it, empty or ending in a dot. */
  readonly fields: (input: Fields, prefix: string) => Fields;
}

/** What of an input with a `Key` is sent. @throws InputRefusedError, ExpressionError, OtherAccountError */
export function keyed(guard: RowGuard, given: unknown, allowed: readonly string[], prefix = ''): KeyedFields {
  const { Key: key, ...input }: Fields = copyFields(prefix, given, allowed);
  return { ...guard.fields(input, prefix), Key: guard.key(`${prefix}Key`, key) };
}

/** What of an input with an `Item` is sent. @throws InputRefusedError, ExpressionError, OtherAccountError */
export function itemed(guard: RowGuard, given: unknown, allowed: readonly string[], prefix = ''): ItemFields {
  const { Item: item, ...input }: Fields = copyFields(prefix, given, allowed);
  return { ...guard.fields(input, prefix), Item: guard.item(`${prefix}Item`, item) };
}
