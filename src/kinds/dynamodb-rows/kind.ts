import { StepError } from '../../contracts/step-error.ts';
import { changedFields } from '../framework/differences.ts';
import { dumpRows } from '../framework/dumped-rows.ts';
import type { Kind, Observation } from '../framework/kind.ts';
import { fieldsOf } from '../framework/within.ts';
import { beginCount, deletedRowsOf } from './deleted-rows.ts';
import { confirmMoved, findHold, NOT_ITS } from './hold.ts';
import { leftRows } from './left-rows.ts';
import { findPartition, hasRows, ownPages, removeRows } from './rows.ts';
import { LONGEST_HOLD_S, rowsOutputs, rowsSpec, type RowsContext, type RowsOutputs, type RowsSpec } from './spec.ts';

/** Looks from end to end within one attempt: who still writes is met by the next one. */
const PASSES = 3;

/**
 * The rows that services write into the tenant's partition of a table: all that bear no mark. They make them, and the step deletes them, when
 * the tenant goes or has moved to another table. It makes nothing of its own, and rows of others are in other partitions.
 */
export const dynamodbRows: Kind<RowsSpec, RowsOutputs, never> = {
  name: 'dynamodb-rows',
  spec: rowsSpec,
  outputs: rowsOutputs,
  changeable: ['holdSeconds'],
  types: {},
  leftTypes: { 'dynamodb:rows': leftRows },
  holdsData: true,
  deletedRows: deletedRowsOf,
  permissions: ['dynamodb:DescribeTable', 'dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:BatchWriteItem'],
  calls: { ensure: [], remove: ['dynamodb:BatchWriteItem'] },
  // A dump and a deletion of all rows take as long as they take; heartbeats show that the worker lives.
  limits: { remove: { startToCloseMs: 6 * 60 * 60_000, heartbeatMs: 10_000 } },
  profiles: () => ({ gone: { usualMs: 10_000, deadlineMs: 2 * LONGEST_HOLD_S * 1_000 } }),
  inCell: ({ partitionKey, table }, within) => [
    ...within.table(table),
    ...within.tenantId(fieldsOf(partitionKey)['value']),
  ],
  physicalNames: () => [],
  resources: () => [],

  async ensure(context) {
    const { partitionKey, table } = context.spec;
    if (await findPartition(context)) return { status: 'ready', outputs: { name: `${table}/${partitionKey.value}` } };
    throw new StepError('CONFLICT_RETRYABLE', `table ${table} is not there (yet)`, {
      detail: 'this step makes no table: it deletes the rows that services write into it',
    });
  },

  async observe(context): Promise<Observation> {
    const partition = await findPartition(context);
    const where = whereOf(context.spec);
    if (!partition) return { status: 'absent', detail: `there is no ${where}`, others: await context.notOurs([]) };
    if (context.removingAt === undefined) return { status: 'ready', detail: `${where} is there` };
    if (!(await hasRows(context, partition)))
      return { status: 'absent', detail: `no row of services is left in ${where}`, others: await context.notOurs([]) };
    const hold = await findHold(context, partition);
    if (hold === NOT_ITS) {
      const detail = `rows in ${where} stay: they were written past the tenant, which was never active`;
      return { status: 'absent', detail, others: await context.notOurs([]) };
    }
    if (hold?.until !== undefined)
      return { status: 'pending', detail: `the rows of ${where} were moved, and stay until ${hold.until}` };
    return { status: 'ready', detail: `rows of services are in ${where}` };
  },

  // What services write is theirs.
  async differs(context) {
    const found = await findPartition(context);
    if (found) return [];
    const [missing] = changedFields({ table: [context.spec.table, undefined] });
    return missing ? [{ ...missing, remedy: 'hand' }] : [];
  },

  async dump(context, sink) {
    const partition = await findPartition(context);
    if (!partition || !(await hasRows(context, partition))) return undefined;
    const takenAt = new Date().toISOString();
    const { keys, partitionKey, table } = partition;
    const source = { table, keys, partition: partitionKey.value, pages: ownPages(context, partition) };
    const dumped = await dumpRows(sink, 'rows.jsonl.gz', source);
    return { format: 'dynamodb-rows', takenAt, tables: [dumped], notDumped: [] };
  },

  async remove(context) {
    const others = await context.notOurs([]);
    const partition = await findPartition(context);
    if (!partition) return { status: 'removed', others };
    const isEmpty = !(await hasRows(context, partition));
    const hold = isEmpty ? undefined : await findHold(context, partition);
    if (hold === NOT_ITS) {
      context.log.warn(context.spec, 'rows were left that somebody wrote for a tenant that was never active');
      return { status: 'removed', others };
    }
    await beginCount(context, partition);
    if (isEmpty) return { status: 'removed', others };
    if (hold?.until !== undefined) return { status: 'pending', others };
    if (hold) await confirmMoved(context, partition, hold);
    for (let pass = 0; pass < PASSES; pass += 1)
      if ((await removeRows(context, partition)) === 0) return { status: 'removed', others };
    return { status: 'pending', others };
  },
};

function whereOf({ partitionKey, table }: RowsContext['spec']): string {
  return `partition ${partitionKey.value} of table ${table}`;
}
