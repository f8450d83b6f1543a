import { InputRefusedError, OtherAccountError } from '../errors.ts';
import { bothConditions, printCondition, type PrintedCondition } from '../expressions/conditions.ts';
import { readKeyConditions } from '../expressions/key-conditions.ts';
import type { Placeholders } from '../expressions/placeholders.ts';
import { copyFields, copyWhole } from '../input-fields.ts';
import type { AccountScope, IndexKeys } from '../table-keys.ts';
import { inputFields } from './inputs.ts';
import { assertOwnIndexValue, assertOwnPartition } from './rows.ts';
import { otherFields, placeholdersOf, projectionOf } from './read-fields.ts';

/** What a query goes over: the table or an index, in one partition of it. */
interface Range {
  readonly keys: IndexKeys;
  readonly partition: string;
}

/**
 * A query of the account's rows: one partition, the account's own, of the table or of an index. A query of a global index is also
 * filtered by the table's partition key, so that rows which something else put into the account's part of the index are not seen.
 * @throws InputRefusedError, ExpressionError, OtherAccountError
 */
export function guardQuery(scope: AccountScope, given: unknown) {
  const input = copyFields('', given, inputFields.query);
  const placeholders = placeholdersOf(input, '');
  const keys = keysOf(scope, input.IndexName);
  // Ours come after the caller's were read, which name nothing of them.
  const filter = filterOf(input.FilterExpression, placeholders);
  const projection = projectionOf(input, placeholders, '');
  const conditions = conditionsOf(input.KeyConditionExpression, placeholders);
  const { range, text } = ownRange(scope, keys, conditions, placeholders);
  const isGlobal = keys.partitionKey !== scope.partitionKey;
  return {
    ...otherFields(input),
    KeyConditionExpression: text,
    ...sentFilter(filter, isGlobal ? ownFilter(scope, placeholders) : undefined),
    ...projection,
    ...startOf(scope, range, input.ExclusiveStartKey),
    ...placeholders.fields(),
  };
}

/** A part of the key's condition, the attribute's alias resolved. */
interface KeyCondition {
  readonly attribute: string;
  readonly equals: string | undefined;
  readonly text: string;
}

function keysOf(scope: AccountScope, index: unknown): IndexKeys {
  if (index === undefined) return { partitionKey: scope.partitionKey, sortKey: scope.sortKey };
  const keys = typeof index === 'string' ? scope.indexes.get(index) : undefined;
  if (!keys) throw new InputRefusedError('IndexName', `is none of ${[...scope.indexes.keys()].join(', ')}`);
  return keys;
}

function conditionsOf(given: unknown, placeholders: Placeholders): KeyCondition[] {
  if (given === undefined) return [];
  const field = 'KeyConditionExpression';
  return readKeyConditions(field, given, placeholders).map(({ name, equals, text }) => {
    const attribute = placeholders.attribute(name, field);
    return { attribute, equals, text };
  });
}

function ownRange(
  scope: AccountScope,
  keys: IndexKeys,
  conditions: readonly KeyCondition[],
  placeholders: Placeholders,
) {
  const field = 'KeyConditionExpression';
  const stray = conditions.find(({ attribute }) => attribute !== keys.partitionKey && attribute !== keys.sortKey);
  if (stray) throw new InputRefusedError(field, `${stray.attribute} is no key of what is queried`);
  const [own, ...more] = conditions.filter(({ attribute }) => attribute === keys.partitionKey);
  if (more.length > 0) throw new OtherAccountError(field, `names ${keys.partitionKey} more than once`);
  const sorted = conditions.filter((condition) => condition !== own).map(({ text }) => text);
  if (!own)
    return {
      range: { keys, partition: scope.partition },
      text: [ownKeyCondition(scope, keys, placeholders), ...sorted].join(' AND '),
    };
  if (own.equals === undefined) throw new OtherAccountError(field, `${keys.partitionKey} must equal one value`);
  const value = placeholders.value(own.equals, field);
  const partition = ownPartitionOf(scope, keys, value);
  return { range: { keys, partition }, text: [own.text, ...sorted].join(' AND ') };
}

/** The table's partition key need not be named. That of an index has no value that would be the account's whole part of it. */
function ownKeyCondition(scope: AccountScope, keys: IndexKeys, placeholders: Placeholders): string {
  if (keys.partitionKey !== scope.partitionKey)
    throw new InputRefusedError('KeyConditionExpression', `must say what ${keys.partitionKey} equals`);
  return placeholders.addCondition('Partition', scope.partitionKey, scope.partition);
}

function ownPartitionOf(scope: AccountScope, keys: IndexKeys, value: unknown): string {
  const field = `KeyConditionExpression ${keys.partitionKey}`;
  if (keys.partitionKey === scope.partitionKey) assertOwnPartition(scope, field, value);
  else assertOwnIndexValue(scope, field, value ?? null);
  return String(value);
}

function ownFilter(scope: AccountScope, placeholders: Placeholders): string {
  return placeholders.addCondition('Owner', scope.partitionKey, scope.partition);
}

function filterOf(given: unknown, placeholders: Placeholders): PrintedCondition | undefined {
  return given === undefined ? undefined : printCondition('FilterExpression', given, placeholders);
}

function sentFilter(given: PrintedCondition | undefined, own: string | undefined) {
  if (!given) return own === undefined ? {} : { FilterExpression: own };
  return { FilterExpression: own === undefined ? given.text : bothConditions(own, given) };
}

/** The key that a page ended at: one of the account's own rows, in the partition that is queried. */
function startOf(scope: AccountScope, { keys, partition }: Range, given: unknown) {
  if (given === undefined) return {};
  const field = 'ExclusiveStartKey';
  const key = copyWhole(field, given);
  const names = [scope.partitionKey, scope.sortKey, keys.partitionKey, ...(keys.sortKey ? [keys.sortKey] : [])];
  for (const name of Object.keys(key))
    if (!names.includes(name)) throw new InputRefusedError(`${field}.${name}`, `is none of ${names.join(', ')}`);
  assertOwnPartition(scope, `${field}.${scope.partitionKey}`, key[scope.partitionKey]);
  if (key[keys.partitionKey] !== partition)
    throw new OtherAccountError(`${field}.${keys.partitionKey}`, 'is not in the partition that is queried');
  return { ExclusiveStartKey: key };
}
