import { beforeEach, describe, expect, it } from 'vitest';
import type { OpenOperationState } from '../../src/contracts/operation-state.ts';
import type { Database } from '../../src/db/database.ts';
import { listLeftovers } from '../../src/db/leftovers.ts';
import { findTenant } from '../../src/db/tenants.ts';
import { accept, cell, seedTenant, setRunning, smallSteps, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { activityBench, FakeKind } from './bench.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

let fake: FakeKind;
let run: ReturnType<typeof activityBench>;
let tenant: Seeded;
/** An active tenant of one step, `logs`. */
beforeEach(async () => {
  fake = new FakeKind();
  run = activityBench(db, fake);
  tenant = await seedTenant(db);
  await setRunning(db, tenant);
  const { operationId } = tenant;
  await run('log-group.ensure', { operationId, stepId: 'logs', generation: 1 });
  await enter(operationId, 'committing');
  await run('tenant-activation.ensure', { operationId, stepId: 'finalize', generation: 1 });
  expect(await tenantNow()).toMatchObject({ status: 'active', cleanupPending: false });
});

const tenantNow = () => findTenant(db, tenant.tenantId);
const enter = (operationId: string, state: OpenOperationState, generation = 1) =>
  run<'changeOperationState'>('changeOperationState', { operationId, state, generation });
const logs = (operationId: string, generation: number, goesBack?: true) =>
  run<'log-group.ensure'>('log-group.ensure', { operationId, stepId: 'logs', generation, goesBack });

/** An update of `logs` that a run has claimed. */
async function update(): Promise<string> {
  const [first, ...others] = smallSteps(tenant.slug);
  const steps = [{ ...first!, spec: { ...first!.spec, retentionDays: 90 } }, ...others];
  const blueprint = { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps };
  const operationId = await accept(db, { ...tenant, type: 'update', blueprint });
  const claimed = await run<'claimOperation'>('claimOperation', {
    ...{ operationId, workflowId: `tenant.moamalat.${tenant.slug}`, runId: 'run-2' },
  });
  expect(claimed.claimed).toBe(true);
  return operationId;
}

describe('the way back of an update', () => {
  it('is to be walked once more while an effect of an attempt without an answer may land', async () => {
    const operationId = await update();
    fake.afterEffect = () => Promise.reject(new Error('no answer'));
    await expect(logs(operationId, 1)).rejects.toThrow();
    fake.afterEffect = () => Promise.resolve();
    await enter(operationId, 'rolling-back', 2);
    const { recheckAtMs } = await logs(operationId, 2, true);
    expect(recheckAtMs).toBeGreaterThan(Date.now());
    fake.outcome = 'pending';
    expect(await logs(operationId, 2, true)).toMatchObject({ status: 'pending' });
    const look = { operationId, stepId: 'logs', generation: 2, goesBack: true as const };
    const seen = { ...look, want: 'ready' as const, deadlineAtMs: Date.now() + 60_000 };
    expect(await run<'log-group.observe'>('log-group.observe', seen)).toMatchObject({ status: 'done', recheckAtMs });
    await db.query(`update steps set unclear_until = now() where tenant_id = $1`, [tenant.tenantId]);
    fake.outcome = 'ready';
    expect((await logs(operationId, 2, true)).recheckAtMs).toBeUndefined();
  });

  it('names what is still as the update made it, and what its run could not bring back', async () => {
    const operationId = await update();
    expect(await listLeftovers(db, tenant.tenantId)).toEqual([]);
    await logs(operationId, 1);
    await enter(operationId, 'rolling-back', 2);
    expect(await listLeftovers(db, tenant.tenantId)).toMatchObject([{ stepId: 'logs', type: 'log-group' }]);
    await logs(operationId, 2, true);
    expect(await listLeftovers(db, tenant.tenantId)).toEqual([]);
    const failure = { code: 'OUTSIDE_CELL' as const, message: 'it lies outside', stepId: 'logs' };
    const toRestore = [{ stepId: 'logs', failure }];
    const leftovers = await run<'listLeftovers'>('listLeftovers', { operationId, toRestore });
    expect(leftovers).toMatchObject([
      { stepId: 'logs', code: 'OUTSIDE_CELL', reason: expect.stringContaining('it lies outside') as unknown },
    ]);
    await run<'changeOperationState'>('changeOperationState', {
      ...{ operationId, state: 'stuck', generation: 2, leftovers },
    });
    expect(await listLeftovers(db, tenant.tenantId)).toEqual(leftovers);
  });
});
