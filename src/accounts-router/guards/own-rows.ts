import { Placeholders } from '../expressions/placeholders.ts';
import { printCondition } from '../expressions/conditions.ts';
import { printProjection } from '../expressions/paths.ts';
import { TokenReader } from '../expressions/tokens.ts';
import { printUpdate, readUpdate, type UpdateAction } from '../expressions/updates.ts';
import { OtherAccountError } from '../errors.ts';
import type { AccountScope } from '../table-keys.ts';
import type { Fields } from '../table.ts';
import type { RowGuard } from './row-guard.ts';
import { assertOwnIndexValue, ownItem, ownKey } from './rows.ts';

/** The rows of one account, by expressions that were understood. */
export function ownRows(scope: AccountScope): RowGuard {
  return {
    key: (field, given) => ownKey(scope, field, given),
    item: (field, given) => ownItem(scope, field, given),
    fields: (input, prefix) => ownFields(scope, input, prefix),
  };
}

function ownFields(scope: AccountScope, input: Fields, prefix: string): Fields {
  const placeholders = placeholdersOf(input, prefix);
  return {
    ...otherFields(input),
    ...projectionOf(input, placeholders, prefix),
    ...conditionOf(input, placeholders, prefix),
    ...updateOf(scope, input, placeholders, prefix),
    ...placeholders.fields(),
  };
}

/** The `#names` and `:values` of an input. */
export function placeholdersOf(input: Fields, prefix: string): Placeholders {
  return new Placeholders(prefix, input['ExpressionAttributeNames'], input['ExpressionAttributeValues']);
}

/** The ProjectionExpression, as it was understood. */
export function projectionOf(input: Fields, placeholders: Placeholders, prefix: string) {
  const text = input['ProjectionExpression'];
  if (text === undefined) return {};
  return {
    ProjectionExpression: printProjection(new TokenReader(`${prefix}ProjectionExpression`, text), placeholders),
  };
}

/** Fields that hold no expression. */
export function otherFields(input: Fields): Record<string, unknown> {
  const isOther = (name: string) => !name.endsWith('Expression') && !name.startsWith('ExpressionAttribute');
  return Object.fromEntries(Object.entries(input).filter(([name]) => isOther(name)));
}

function conditionOf(input: Fields, placeholders: Placeholders, prefix: string) {
  const text = input['ConditionExpression'];
  if (text === undefined) return {};
  return {
    ConditionExpression: printCondition(new TokenReader(`${prefix}ConditionExpression`, text), placeholders).text,
  };
}

function updateOf(scope: AccountScope, input: Fields, placeholders: Placeholders, prefix: string) {
  const text = input['UpdateExpression'];
  if (text === undefined) return {};
  const field = `${prefix}UpdateExpression`;
  const actions = readUpdate(new TokenReader(field, text), placeholders);
  for (const action of actions) assertOwnUpdate(scope, field, action, placeholders);
  return { UpdateExpression: printUpdate(actions) };
}

/** An index's partition key is set to a value that is in the call, so that it can be checked, or removed. */
function assertOwnUpdate(scope: AccountScope, field: string, action: UpdateAction, placeholders: Placeholders): void {
  const { section, target, value } = action;
  const { attribute } = target;
  if (attribute === scope.partitionKey || attribute === scope.sortKey)
    throw new OtherAccountError(field, `${attribute} is part of the row's key, which no update changes`);
  if (!scope.indexPartitionKeys.has(attribute) || (section === 'REMOVE' && target.isWhole)) return;
  const isKept = value?.unlessExists === undefined || value.unlessExists === attribute;
  if (section !== 'SET' || !target.isWhole || value?.placeholder === undefined || !isKept)
    throw new OtherAccountError(
      field,
      `${attribute} is the partition key of an index: set it to a :value, or remove it`,
    );
  assertOwnIndexValue(scope, `${field} ${attribute}`, placeholders.value(value.placeholder, field) ?? null);
}
