import { beforeEach, expect, it } from 'vitest';
import type { OperationType } from '../../src/contracts/operation-table.ts';
import type { Database } from '../../src/db/database.ts';
import { listSteps } from '../../src/db/steps.ts';
import { builtInKinds } from '../../src/kinds/built-in.ts';
import { accept, cell, seedTenant, setRunning, smallSteps, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { activityBench, FakeKind } from './bench.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

/** Of its kind others make things where its steps remove them. */
const kinds = builtInKinds.map((kind) => (kind.name === 'log-group' ? { ...kind, leftTypes: {} } : kind));

let fake: FakeKind;
let run: ReturnType<typeof activityBench>;
let tenant: Seeded;
/** The step was removed by the operation before. */
beforeEach(async () => {
  fake = new FakeKind();
  run = activityBench(db, fake, undefined, kinds);
  tenant = await seedTenant(db);
  await setRunning(db, tenant);
  await db.query(
    `insert into steps (tenant_id, step_id, cell, kind, operation_id, state, generation, removed_at)
     values ($1, 'logs', $2, 'log-group', $3, 'removed', 1, '2026-01-01')`,
    [tenant.tenantId, cell.id, tenant.operationId],
  );
  await db.query(`update operations set state = 'rolled-back', closed_at = now() where id = $1`, [tenant.operationId]);
});

async function next(type: OperationType, cellId = cell.id): Promise<string> {
  const steps = smallSteps(tenant.slug);
  const blueprint = { version: 1, product: 'moamalat', tier: null, cell: cellId, steps };
  const operationId = await db.transaction((tx) => accept(tx, { ...tenant, type, blueprint }));
  await db.query(`update operations set state = 'committing', run_id = 'run-2' where id = $1`, [operationId]);
  return operationId;
}

const stored = async () => (await listSteps(db, tenant.tenantId))[0];
const remove = (operationId: string, by = run) =>
  by('log-group.remove', { operationId, stepId: 'logs', generation: 1 });

it('by a deletion, once, where others may have added to it since', async () => {
  const operationId = await next('deprovision');
  expect(await remove(operationId, activityBench(db, fake))).toEqual({ status: 'removed' });
  expect(fake.calls).toEqual([]);
  await remove(operationId);
  expect(fake.calls).toEqual(['remove']);
  const removed = await stored();
  expect(removed).toMatchObject({ state: 'removed', operationId });
  expect(removed?.removedAt?.toISOString()).not.toBe('2026-01-01T00:00:00.000Z');
  await remove(operationId);
  expect(fake.calls).toEqual(['remove']);
});

it('by no change, and by no deletion that is closed', async () => {
  const update = await next('update');
  await remove(update);
  await db.query(`update operations set state = 'succeeded', closed_at = now() where id = $1`, [update]);
  const deletion = await next('deprovision');
  await db.query(`update operations set state = 'abandoned', closed_at = now() where id = $1`, [deletion]);
  await expect(remove(deletion)).rejects.toMatchObject({ type: 'STEP_REVOKED' });
  expect(fake.calls).toEqual([]);
  expect(await stored()).toMatchObject({ state: 'removed', operationId: tenant.operationId });
});

it('is told as left where it cannot even be loaded', async () => {
  const operationId = await next('deprovision', 'elsewhere');
  await expect(remove(operationId)).rejects.toMatchObject({ type: 'BLUEPRINT_INVALID' });
  expect(await run('listLeftovers', { operationId })).toMatchObject([{ stepId: 'logs', code: 'BLUEPRINT_INVALID' }]);
});
