import { randomUUID } from 'node:crypto';
import { DynamoDBClient, PutItemCommand, type AttributeValue } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureTable } from '../../../sandbox/landing-zone/tables.ts';
import { fenceKey, fencePartition } from '../../../src/accounts-router/fence.ts';
import { createRowChecksum, type Row } from '../../../src/aws/row-checksum.ts';
import { insertOperation } from '../../../src/db/operations.ts';
import { dynamodbItem } from '../../../src/kinds/dynamodb-item/kind.ts';
import { dynamodbRows } from '../../../src/kinds/dynamodb-rows/kind.ts';
import type { OperationType } from '../../../src/contracts/operation-table.ts';
import { testCaller } from '../../support/caller.ts';
import type { ContextOf } from '../../support/kinds.ts';
import { contextOf, newTenant, stepErrorOf, useKindWorld, type ContextSettings } from './kind-world.ts';

const world = useKindWorld();
let dynamodb: DynamoDBClient;
let table: string;
beforeAll(async () => {
  dynamodb = new DynamoDBClient(world.target);
  table = `rows-${randomUUID()}`;
  await ensureTable(dynamodb, table, []);
});

type Resolved = ContextOf<'dynamodb-rows'>['spec'];

/** Whose step is removed by an operation of that type. */
async function account(change: Partial<Resolved> = {}, type: OperationType = 'deprovision') {
  const tenant = await newTenant(world);
  const operationId = await operationOf(tenant.id, type);
  const partition = `ACCOUNT#${tenant.id}`;
  const spec: Resolved = { table, partitionKey: { name: 'PK', value: partition }, ...change };
  const noted = new Map<string, string>();
  const context = (settings: ContextSettings<'dynamodb-rows'> = {}) =>
    contextOf<'dynamodb-rows'>(world, tenant, spec, { noted, operationId, ...settings });
  const rowOf = (SK: string): Row => ({ PK: { S: partition }, SK: { S: SK }, size: { N: '1' } });
  const write = (SK: string, more: Row = {}) => put({ ...rowOf(SK), ...more });
  const keys = async () => {
    const found: string[] = [];
    const of = { table, partitionKey: { name: 'PK', value: partition }, sortKey: 'SK' };
    for await (const page of world.aws.partitions.pages(of)) found.push(...page.map(({ SK }) => SK?.S ?? ''));
    return found;
  };
  return { tenant, partition, context, noted, rowOf, write, keys };
}

const put = (Item: Record<string, AttributeValue>) => dynamodb.send(new PutItemCommand({ TableName: table, Item }));
const removing = { removingAt: new Date() };

/** An operation of the tenant that removes the step. */
async function operationOf(tenantId: string, type: OperationType): Promise<string> {
  const id = randomUUID();
  await world.db.transaction((tx) =>
    insertOperation(tx, {
      ...{ id, tenantId, cell: world.cell.id, type, onFailure: 'rollback', holdMs: 0 },
      ...{ workflowId: `tenant.moamalat.${tenantId}`, blueprint: {}, caller: testCaller },
    }),
  );
  return id;
}

function verifiedOf(rows: readonly Row[]) {
  const sum = createRowChecksum();
  for (const row of rows) sum.add(row);
  return { count: { N: String(sum.count) }, checksum: { S: sum.digest() } };
}

async function putFence(accountId: string, state: string, more: Record<string, AttributeValue> = {}) {
  const { PK, SK } = fenceKey(accountId);
  const fence = { toTable: { S: 'account-table' }, moveId: { S: 'move-1' }, writers: { M: {} }, tenantry: { M: {} } };
  await put({ PK: { S: PK }, SK: { S: SK }, state: { S: state }, ...fence, ...more });
}

describe('dynamodb-rows', () => {
  it('makes nothing, and says which table is not there or has another key', async () => {
    const { context, partition } = await account();
    expect(await dynamodbRows.ensure(context())).toEqual({
      status: 'ready',
      outputs: { name: `${table}/${partition}` },
    });
    expect(await dynamodbRows.observe(context())).toMatchObject({ status: 'ready' });
    const nowhere = (await account({ table: `no-${randomUUID()}` })).context;
    const absent = await stepErrorOf(dynamodbRows.ensure(nowhere()));
    expect(absent).toMatchObject({ code: 'CONFLICT_RETRYABLE' });
    expect(await dynamodbRows.differs?.(nowhere())).toMatchObject([{ is: 'changed', field: 'table', remedy: 'hand' }]);
    expect(await dynamodbRows.observe(nowhere())).toMatchObject({ status: 'absent' });
    expect(await dynamodbRows.remove(nowhere(removing))).toMatchObject({ status: 'removed' });
    const other = (await account({ partitionKey: { name: 'id', value: partition } })).context;
    expect((await stepErrorOf(dynamodbRows.ensure(other()))).message).toContain('has the partition key PK');
  });

  it('deletes the rows of services, and no row with a mark, of another partition or of an account with a longer id', async () => {
    const [one, other] = [await account(), await account()];
    for (let i = 0; i < 30; i += 1) await one.write(`ROW#${i}`);
    await one.write('OWN', { tenantry: { S: 'an attribute of the service' } });
    await other.write('ROW#1');
    await put({ PK: { S: `${one.partition}#LICENSE#1` }, SK: { S: 'x' } });
    const item = contextOf<'dynamodb-item'>(world, one.tenant, {
      ...{ table, partitionKey: { name: 'PK', value: one.partition }, sortKey: { name: 'SK', value: 'METADATA' } },
      attributes: { name: 'x' },
    });
    await dynamodbItem.ensure(item);
    expect(await dynamodbRows.observe(one.context(removing))).toMatchObject({ status: 'ready' });
    expect(await dynamodbRows.remove(one.context(removing))).toMatchObject({ status: 'removed' });
    expect(await one.keys()).toEqual(['METADATA']);
    expect(await other.keys()).toEqual(['ROW#1']);
    expect(
      await world.aws.items.findItem({
        table,
        partitionKey: { name: 'PK', value: `${one.partition}#LICENSE#1` },
        sortKey: { name: 'SK', value: 'x' },
      }),
    ).toBeDefined();
    expect(await dynamodbRows.observe(one.context(removing))).toMatchObject({ status: 'absent' });
    expect(await dynamodbRows.remove(one.context(removing))).toMatchObject({ status: 'removed' });
  });

  it('leaves what somebody wrote for a tenant that never served when its creation is undone, and says so', async () => {
    const { context, keys, noted, write } = await account({}, 'provision');
    await write('ROW#1');
    expect(await dynamodbRows.remove(context(removing))).toMatchObject({ status: 'removed' });
    const seen = await dynamodbRows.observe(context(removing));
    expect(seen).toMatchObject({ status: 'absent', detail: expect.stringContaining('stay') as string });
    expect(await keys()).toEqual(['ROW#1']);
    expect(dynamodbRows.deletedRows?.(Object.fromEntries(noted), {})).toBeUndefined();
  });

  it('deletes a large partition page by page', async () => {
    const { partition, context, keys } = await account();
    const filler = { S: 'x'.repeat(60_000) };
    const all = Array.from({ length: 60 }, (_, i) => ({ PK: { S: partition }, SK: { S: `ROW#${i}` }, filler }));
    await world.aws.partitions.putRows(table, all);
    const before = world.gateway.calls().at(-1)?.seq ?? 0;
    expect(await dynamodbRows.remove(context(removing))).toMatchObject({ status: 'removed' });
    const deletions = world.gateway.calls(before).filter(({ action }) => action === 'BatchWriteItem');
    expect(deletions.length).toBeGreaterThanOrEqual(3);
    expect(await keys()).toEqual([]);
  });

  it('counts what it deletes for the certificate, and says when an interrupted attempt makes the count a lower bound', async () => {
    const certified = ({ noted, partition }: Awaited<ReturnType<typeof account>>) =>
      dynamodbRows.deletedRows?.(Object.fromEntries(noted), { name: `${table}/${partition}` });
    const whole = await account();
    expect(certified(whole)).toEqual({ table, partition: whole.partition, rows: null, isExact: false });
    for (const n of [1, 2, 3]) await whole.write(`ROW#${n}`);
    await dynamodbRows.remove(whole.context(removing));
    await dynamodbRows.remove(whole.context(removing));
    expect(certified(whole)).toEqual({ table, partition: whole.partition, rows: 3, isExact: true });
    const none = await account();
    await dynamodbRows.remove(none.context(removing));
    expect(certified(none)).toEqual({ table, partition: none.partition, rows: 0, isExact: true });

    const cut = await account();
    for (const n of [1, 2, 3]) await cut.write(`ROW#${n}`);
    // As an attempt that is killed: some rows went, and nothing says so.
    const partitions = {
      ...world.aws.partitions,
      removeRows: async (of: string, rows: readonly Row[]) => {
        await world.aws.partitions.removeRows(of, rows.slice(0, 1));
        throw new Error('killed');
      },
    };
    await stepErrorOf(dynamodbRows.remove(cut.context({ ...removing, aws: { ...world.aws, partitions } }))).catch(
      () => undefined,
    );
    await dynamodbRows.remove(cut.context(removing));
    expect(certified(cut)).toEqual({ table, partition: cut.partition, rows: 2, isExact: false });
  });

  it('is not over while somebody goes on writing, and then it is', async () => {
    const { context, write, keys } = await account();
    await write('ROW#0');
    let count = 0;
    const writing = {
      ...world.aws,
      partitions: {
        ...world.aws.partitions,
        removeRows: async (...args: Parameters<typeof world.aws.partitions.removeRows>) => {
          await world.aws.partitions.removeRows(...args);
          await write(`ROW#${(count += 1)}`);
        },
      },
    };
    expect(await dynamodbRows.remove(context({ ...removing, aws: writing }))).toMatchObject({ status: 'pending' });
    expect(await dynamodbRows.observe(context(removing))).toMatchObject({ status: 'ready' });
    expect(await dynamodbRows.remove(context(removing))).toMatchObject({ status: 'removed' });
    expect(await keys()).toEqual([]);
  });

  it('sends again what the table did not take', async () => {
    const { context, write, keys } = await account();
    for (let i = 0; i < 3; i += 1) await write(`ROW#${i}`);
    const fault = {
      type: 'error',
      code: 'ProvisionedThroughputExceededException',
      status: 400,
      when: 'before',
    } as const;
    const id = world.gateway.addRule({ match: { service: 'dynamodb', action: 'BatchWriteItem' }, fault, times: 2 });
    expect(await dynamodbRows.remove(context(removing))).toMatchObject({ status: 'removed' });
    world.gateway.removeRule(id);
    expect(await keys()).toEqual([]);
  });

  describe('of a tenant that was active, in a change that drops it', () => {
    async function moved(state: string, movedAt: Date, more: Record<string, AttributeValue> = {}) {
      const one = await account({ holdSeconds: 600 }, 'update');
      for (const SK of ['ROW#1', 'ROW#2']) await one.write(SK);
      const verified = verifiedOf([one.rowOf('ROW#2'), one.rowOf('ROW#1')]);
      await putFence(one.tenant.id, state, { ...verified, movedAt: { S: movedAt.toISOString() }, ...more });
      const settings = { ...removing, everActive: true };
      return { ...one, settings };
    }
    const longAgo = () => new Date(Date.now() - 601_000);

    it('keeps the rows until their hold is over, then deletes them', async () => {
      const { context, keys, settings, tenant, rowOf } = await moved('moved', new Date());
      expect(await dynamodbRows.remove(context(settings))).toMatchObject({ status: 'pending' });
      const seen = await dynamodbRows.observe(context(settings));
      expect(seen).toMatchObject({ status: 'pending' });
      expect(await keys()).toEqual(['ROW#1', 'ROW#2']);
      const verified = verifiedOf([rowOf('ROW#1'), rowOf('ROW#2')]);
      await putFence(tenant.id, 'moved', { ...verified, movedAt: { S: longAgo().toISOString() } });
      expect(await dynamodbRows.observe(context(settings))).toMatchObject({ status: 'ready' });
      expect(await dynamodbRows.remove(context(settings))).toMatchObject({ status: 'removed' });
      expect(await keys()).toEqual([]);
    });

    it('goes on after an attempt that had deleted some of them', async () => {
      const { context, keys, settings } = await moved('moved', longAgo());
      const dying = {
        ...world.aws,
        partitions: {
          ...world.aws.partitions,
          removeRows: async (of: string, [first]: readonly Row[]) => {
            await world.aws.partitions.removeRows(of, first ? [first] : []);
            throw new Error('the worker died');
          },
        },
      };
      await expect(dynamodbRows.remove(context({ ...settings, aws: dying }))).rejects.toThrow('the worker died');
      expect(await keys()).toEqual(['ROW#2']);
      expect(await dynamodbRows.remove(context(settings))).toMatchObject({ status: 'removed' });
      expect(await keys()).toEqual([]);
    });

    it.each<[string, string, string[], string | undefined]>([
      ['a row was written to the old table after the move', 'moved', [], 'LATE'],
      ['a row that was moved was written over', 'moved', [], 'ROW#1'],
      ['the rows were never verified', 'moved', ['count', 'checksum'], undefined],
      ['the move is not done', 'closed', [], undefined],
      ['it is not told when they were moved', 'moved', ['movedAt'], undefined],
    ])('deletes nothing when %s', async (_what, state, lacks, writes) => {
      const { context, keys, settings, write, tenant, rowOf } = await moved('moved', longAgo());
      if (writes !== undefined) await write(writes, { size: { N: '2' } });
      const verified = verifiedOf([rowOf('ROW#1'), rowOf('ROW#2')]);
      const all = Object.entries({ ...verified, movedAt: { S: longAgo().toISOString() } });
      await putFence(tenant.id, state, Object.fromEntries(all.filter(([name]) => !lacks.includes(name))));
      const before = await keys();
      const { code, detail } = await stepErrorOf(dynamodbRows.remove(context(settings)));
      expect(code).toBe('STILL_PRESENT');
      expect(detail).toContain(
        writes === undefined
          ? 'Compare both tables'
          : 'they are not those that were moved to table account-table: 2 then',
      );
      expect(detail).toContain(writes === 'LATE' ? ', 3 now' : '');
      expect(await keys()).toEqual(before);
    });

    it('deletes nothing without a fence, or with one that cannot be read', async () => {
      const { context, keys, write, tenant } = await account({}, 'update');
      await write('ROW#1');
      const settings = { ...removing, everActive: true };
      expect(await stepErrorOf(dynamodbRows.remove(context(settings)))).toMatchObject({ code: 'STILL_PRESENT' });
      await put({ PK: { S: fencePartition(tenant.id) }, SK: { S: 'FENCE' }, state: { S: 'ajar' } });
      expect(await stepErrorOf(dynamodbRows.remove(context(settings)))).toMatchObject({ code: 'INVALID_REQUEST' });
      expect(await keys()).toEqual(['ROW#1']);
    });

    it('deletes them at once when the tenant is deleted meanwhile: its final dump has them', async () => {
      const { context, keys, tenant, write } = await account({ holdSeconds: 600 });
      await write('ROW#1');
      await putFence(tenant.id, 'moved', { ...verifiedOf([]), movedAt: { S: new Date().toISOString() } });
      const settings = { ...removing, everActive: true };
      expect(await dynamodbRows.remove(context(settings))).toMatchObject({ status: 'removed' });
      expect(await keys()).toEqual([]);
    });
  });
});
