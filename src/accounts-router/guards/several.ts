import { ControlPlaneRowError, InputRefusedError } from '../errors.ts';
import { copyFields, copyList } from '../input-fields.ts';
import type { BatchGetFields, BatchWriteFields, Fields } from '../table.ts';
import { inputFields, transactFields } from './inputs.ts';
import type { MarkedWrite } from './control-mark.ts';
import { itemedWrite, keyed, keyedWrite, type RowGuard } from './row-guard.ts';

/** What a batchGet sends. @throws InputRefusedError, ExpressionError, OtherAccountError */
export function guardBatchGet(guard: RowGuard, given: unknown): BatchGetFields {
  const { Keys: keys, ReturnConsumedCapacity, ...input } = copyFields('', given, inputFields.batchGet);
  return {
    keys: listOf('Keys', keys, (field, key) => guard.key(field, key)),
    ofTable: guard.readFields(input, ''),
    ofCall: ReturnConsumedCapacity === undefined ? {} : { ReturnConsumedCapacity },
  };
}

/** What a batchWrite sends. It takes no conditions: rows of the control plane are known by their keys. @throws InputRefusedError, OtherAccountError, ControlPlaneRowError */
export function guardBatchWrite(guard: RowGuard, given: unknown): BatchWriteFields {
  const { Requests: requests, ...ofCall } = copyFields('', given, inputFields.batchWrite);
  const one = (field: string, request: unknown) => {
    const [name, input] = onlyField(field, request, ['PutRequest', 'DeleteRequest']);
    const prefix = `${field}.${name}.`;
    if (name === 'DeleteRequest') {
      const { Key } = copyFields(prefix, input, ['Key']);
      return { DeleteRequest: { Key: otherThanControl(guard, `${prefix}Key`, guard.key(`${prefix}Key`, Key)) } };
    }
    const { Item } = copyFields(prefix, input, ['Item']);
    return { PutRequest: { Item: otherThanControl(guard, `${prefix}Item`, guard.item(`${prefix}Item`, Item)) } };
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
    const read = { Put: itemedWrite, Update: keyedWrite, Delete: keyedWrite, ConditionCheck: keyed }[action];
    const sent = read(guard, input, transactFields[action], `${field}.${action}.`);
    return { action, sent, field: `${field}.${action}.${action === 'Put' ? 'Item' : 'Key'}` };
  });
  return {
    ofCall,
    itemsOf: (TableName: string) => actions.map(({ action, sent }) => ({ [action]: { ...sent, TableName } })),
    /** In the order of the items; undefined for a check, which writes nothing. */
    writes: actions.map((each): MarkedWrite | undefined => (each.action === 'ConditionCheck' ? undefined : each)),
  };
}

/** @throws ControlPlaneRowError */
function otherThanControl(guard: RowGuard, field: string, row: Record<string, unknown>): Record<string, unknown> {
  if (guard.isControlKey(row)) throw new ControlPlaneRowError(field);
  return row;
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
