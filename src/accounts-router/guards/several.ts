import { InputRefusedError } from '../errors.ts';
import { copyFields, copyList } from '../input-fields.ts';
import type { BatchGetFields, BatchWriteFields, Fields } from '../table.ts';
import { inputFields, transactFields } from './inputs.ts';
import { itemed, keyed, type RowGuard } from './row-guard.ts';

/** What a batchGet sends. @throws InputRefusedError, ExpressionError, OtherAccountError */
export function guardBatchGet(guard: RowGuard, given: unknown): BatchGetFields {
  const { Keys: keys, ReturnConsumedCapacity, ...input } = copyFields('', given, inputFields.batchGet);
  return {
    keys: listOf('Keys', keys, guard.key),
    ofTable: guard.fields(input, ''),
    ofCall: ReturnConsumedCapacity === undefined ? {} : { ReturnConsumedCapacity },
  };
}

/** What a batchWrite sends. @throws InputRefusedError, OtherAccountError */
export function guardBatchWrite(guard: RowGuard, given: unknown): BatchWriteFields {
  const { Requests: requests, ...ofCall } = copyFields('', given, inputFields.batchWrite);
  const one = (field: string, request: unknown) => {
    const [name, input] = onlyField(field, request, ['PutRequest', 'DeleteRequest']);
    const prefix = `${field}.${name}.`;
    if (name === 'PutRequest') return { PutRequest: itemed(guard, input, ['Item'], prefix) };
    return { DeleteRequest: keyed(guard, input, ['Key'], prefix) };
  };
  return { requests: listOf('Requests', requests, one), ofCall };
}

/** What a transactGet sends. @throws InputRefusedError, ExpressionError, OtherAccountError */
export function guardTransactGet(guard: RowGuard, given: unknown) {
  const { TransactItems: items, ...ofCall }: Fields = copyFields('', given, inputFields.transactGet);
  const rows = listOf('TransactItems', items, (field, item) => {
    const [, input] = onlyField(field, item, ['Get']);
    return keyed(guard, input, transactFields.Get, `${field}.Get.`);
  });
  return { ofCall, itemsOf: (TableName: string) => rows.map((row) => ({ Get: { ...row, TableName } })) };
}

/** What a transactWrite sends. @throws InputRefusedError, ExpressionError, OtherAccountError */
export function guardTransactWrite(guard: RowGuard, given: unknown) {
  const { TransactItems: items, ...ofCall }: Fields = copyFields('', given, inputFields.transactWrite);
  const actions = listOf('TransactItems', items, (field, item) => {
    const [action, input] = onlyField(field, item, ['Put', 'Update', 'Delete', 'ConditionCheck']);
    const read = action === 'Put' ? itemed : keyed;
    return [action, read(guard, input, transactFields[action], `${field}.${action}.`)] as const;
  });
  return {
    ofCall,
    itemsOf: (TableName: string) => actions.map(([action, row]) => ({ [action]: { ...row, TableName } })),
  };
}

/** Exactly one of the fields. */
function onlyField<F extends string>(field: string, given: unknown, allowed: readonly F[]): [F, unknown] {
  const found = copyFields(`${field}.`, given, allowed);
  const [name, ...more] = allowed.filter((each) => found[each] !== undefined);
  if (name === undefined || more.length > 0)
    throw new InputRefusedError(field, `has exactly one of ${allowed.join(', ')}`);
  return [name, found[name]];
}

/** Of at least one. */
function listOf<T>(field: string, given: unknown, one: (field: string, each: unknown) => T): T[] {
  const found = copyList(field, given);
  if (found.length === 0) throw new InputRefusedError(field, 'is empty');
  return found.map((each, i) => one(`${field}[${i}]`, each));
}
