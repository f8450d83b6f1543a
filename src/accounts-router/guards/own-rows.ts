import type { Placeholders } from '../expressions/placeholders.ts';
import type { UpdateAction } from '../expressions/updates.ts';
import { isControlKey } from '../control-rows.ts';
import { OtherAccountError } from '../errors.ts';
import type { Fields } from '../table.ts';
import type { AccountScope } from '../table-keys.ts';
import { readFields } from './read-fields.ts';
import type { RowGuard } from './row-guard.ts';
import { assertOwnIndexValue, ownItem, ownKey } from './rows.ts';
import { writtenFields } from './written-fields.ts';

/** The rows of one account, by expressions that were understood. */
export class OwnRows implements RowGuard {
  readonly #scope: AccountScope;

  constructor(scope: AccountScope) {
    this.#scope = scope;
  }

  key(field: string, given: unknown) {
    return ownKey(this.#scope, field, given);
  }

  item(field: string, given: unknown) {
    return ownItem(this.#scope, field, given);
  }

  readFields(input: Fields, prefix: string) {
    return readFields(input, prefix);
  }

  writtenFields(input: Fields, prefix: string) {
    return writtenFields(input, prefix, (field, action, placeholders) =>
      assertOwnUpdate(this.#scope, field, action, placeholders),
    );
  }

  isControlKey(row: Fields) {
    return isControlKey(row[this.#scope.partitionKey], row[this.#scope.sortKey]);
  }
}

/** An index's partition key is set to a value that is in the call, so that it can be checked, or removed. */
function assertOwnUpdate(scope: AccountScope, field: string, action: UpdateAction, placeholders: Placeholders): void {
  const { section, target, value } = action;
  const attribute = placeholders.attribute(target.root, field);
  if (attribute === scope.partitionKey || attribute === scope.sortKey)
    throw new OtherAccountError(field, `${attribute} is part of the row's key, which no update changes`);
  if (!scope.indexPartitionKeys.has(attribute) || (section === 'REMOVE' && target.isWhole)) return;
  const kept = value?.unlessExists;
  const isKept = kept === undefined || placeholders.attribute(kept, field) === attribute;
  if (section !== 'SET' || !target.isWhole || value?.placeholder === undefined || !isKept)
    throw new OtherAccountError(
      field,
      `${attribute} is the partition key of an index: set it to a :value, or remove it`,
    );
  assertOwnIndexValue(scope, `${field} ${attribute}`, placeholders.value(value.placeholder, field) ?? null);
}
