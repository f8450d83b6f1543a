import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountPartition } from '../../src/accounts-router/account-id.ts';
import { toAttribute } from '../../src/aws/dynamodb-values.ts';
import { itemName } from '../../src/naming.ts';
import { testCaller } from '../support/caller.ts';
import { findingsOf, ledgerTenant, report, startSweepWorld, stranger, type SweepWorld } from './sweep-world.ts';

type Tenant = Awaited<ReturnType<typeof ledgerTenant>>;

let world: SweepWorld;
let table: string;
beforeAll(async () => {
  world = await startSweepWorld();
  table = world.cell.sharedTables?.[0] ?? '';
  await ledgerTenant(world, 'deleted');
  expect((await report(world, world.sweep)).mark.state).toBe('intact');
});
afterAll(() => world.close());

const keyOf = (tenantId: string, SK: string) => ({ PK: { S: accountPartition(tenantId) }, SK: { S: SK } });

async function write(tenantId: string, ...sortKeys: string[]): Promise<void> {
  await world.aws.partitions.putRows(
    table,
    sortKeys.map((SK) => ({ ...keyOf(tenantId, SK), n: { N: '1' } })),
  );
}

const found = async (tenantId: string, ...sortKeys: string[]) =>
  (
    await world.aws.partitions.findRows(
      table,
      sortKeys.map((SK) => keyOf(tenantId, SK)),
    )
  )
    .map(({ SK }) => SK?.S)
    .sort();

/** The step by which an account's rows go. */
async function rowsStep({ operationId, tenantId }: Tenant, state: 'ready' | 'removed'): Promise<void> {
  await world.database.query(
    `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation, outputs)
     values ($1, 'rows', $2, 'dynamodb-rows', $3, $4, 1, $5)
     on conflict (tenant_id, step_id) do update set state = excluded.state`,
    [tenantId, world.cell.id, operationId, state, { name: `${table}/${accountPartition(tenantId)}` }],
  );
}

async function approvedFor({ tenantId }: Tenant): Promise<string> {
  const made = await report(world, world.sweep);
  const only = findingsOf(made, tenantId).map(({ id }) => id);
  await world.sweep.approve(testCaller, { reportId: made.id, by: 'Ada', only });
  return made.id;
}

const removeBy = async (reportId: string) =>
  (await world.sweep.remove(testCaller, { reportId, by: 'Grace' })).removals.map(({ detail, outcome }) => ({
    ...{ detail, outcome },
  }));

describe('rows that services wrote into a shared table', () => {
  it('are a leak of an account that is gone, once for all of them, and go when that is approved', async () => {
    const gone = await ledgerTenant(world, 'deleted');
    await rowsStep(gone, 'removed');
    await write(gone.tenantId, 'A', 'B');
    await world.aws.partitions.putRows(table, [
      { ...keyOf(gone.tenantId, 'MARKED'), tenantry: toAttribute(gone.tags) },
    ]);
    await world.aws.partitions.putRows(table, [{ ...keyOf(gone.tenantId, 'C'), tenantry: { S: 'a word' } }]);
    const made = await report(world, world.sweep);
    expect(findingsOf(made, gone.tenantId)).toContainEqual(
      expect.objectContaining({
        ...{ class: 'leak', type: 'dynamodb:rows', removable: true },
        name: itemName(table, accountPartition(gone.tenantId)),
        why: expect.stringContaining('3 rows of tenant') as string,
      }),
    );
    expect(findingsOf(made, gone.tenantId).filter(({ type }) => type === 'dynamodb:rows')).toHaveLength(1);
    const [rows] = findingsOf(made, gone.tenantId).filter(({ type }) => type === 'dynamodb:rows');
    await world.sweep.approve(testCaller, { reportId: made.id, by: 'Ada', only: [rows?.id ?? ''] });
    expect(await removeBy(made.id)).toEqual([{ outcome: 'removed', detail: '3 rows were deleted' }]);
    expect(await found(gone.tenantId, 'A', 'B', 'C', 'MARKED')).toEqual(['MARKED']);
  });

  it('stay when more came since the report, or a step of the account will remove them', async () => {
    const gone = await ledgerTenant(world, 'deleted');
    await write(gone.tenantId, 'A');
    const first = await approvedFor(gone);
    await write(gone.tenantId, 'B');
    expect(await removeBy(first)).toMatchObject([
      { outcome: 'skipped', detail: expect.stringContaining('changed') as string },
    ]);
    const second = await approvedFor(gone);
    await rowsStep(gone, 'ready');
    expect(await removeBy(second)).toMatchObject([
      { outcome: 'skipped', detail: 'a step of its tenant will remove it' },
    ]);
    expect(await found(gone.tenantId, 'A', 'B')).toEqual(['A', 'B']);
  });

  it('stay when others have come in their place since the report, as many as they were', async () => {
    const gone = await ledgerTenant(world, 'deleted');
    await write(gone.tenantId, 'A', 'B');
    const approved = await approvedFor(gone);
    await world.aws.partitions.removeRows(table, [keyOf(gone.tenantId, 'B')]);
    await write(gone.tenantId, 'C');
    expect(await removeBy(approved)).toMatchObject([
      { outcome: 'skipped', detail: expect.stringContaining('changed') as string },
    ]);
    expect(await found(gone.tenantId, 'A', 'B', 'C')).toEqual(['A', 'C']);
  });

  it('are shown, and not taken away, of an account that serves from a table of its own', async () => {
    const [moved, shared] = [await ledgerTenant(world, 'active'), await ledgerTenant(world, 'active')];
    const unknown = stranger(world);
    const before = (await report(world, world.sweep)).counts;
    await rowsStep(moved, 'removed');
    await rowsStep(shared, 'ready');
    for (const { tenantId } of [moved, shared, unknown]) await write(tenantId, 'A');
    const made = await report(world, world.sweep);
    expect(findingsOf(made, moved.tenantId)).toEqual([
      expect.objectContaining({
        ...{ class: 'leak', type: 'dynamodb:rows', removable: false },
        remedy: expect.stringContaining('its tenant is active') as string,
      }),
    ]);
    expect([...findingsOf(made, shared.tenantId), ...findingsOf(made, unknown.tenantId)]).toEqual([]);
    expect([made.counts.held - before.held, made.counts.foreign - before.foreign]).toEqual([1, 1]);
  });
});
