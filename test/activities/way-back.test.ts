import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OperationType } from '../../src/contracts/operation-table.ts';
import type { OpenOperationState } from '../../src/contracts/operation-state.ts';
import { abandon as abandonIn } from '../../src/client/abandonment.ts';
import { unkeyed } from '../../src/client/once.ts';
import type { Orchestrator } from '../../src/client/orchestrator.ts';
import type { ClientDeps } from '../../src/client/requests.ts';
import { isWhole } from '../../src/db/applied.ts';
import type { Database } from '../../src/db/database.ts';
import { listLeftovers } from '../../src/db/leftovers.ts';
import { findAppliedBlueprint } from '../../src/db/blueprints.ts';
import { findTenant } from '../../src/db/tenants.ts';
import { accept, cell, seedTenant, setRunning, smallSteps, type Seeded } from '../db/fixtures.ts';
import { testCaller } from '../support/caller.ts';
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
const close = (operationId: string, state: 'rolled-back' | 'succeeded') =>
  run<'closeOperation'>('closeOperation', { operationId, state });
const abandon = () => {
  const orchestrator = { ping: () => Promise.resolve(), close: () => Promise.resolve() } as unknown as Orchestrator;
  const deps = { database: db, orchestrator, log: pino({ level: 'silent' }) } as unknown as ClientDeps;
  return abandonIn(deps, testCaller, tenant.tenantId, { reason: 'kept for now' }, unkeyed);
};
const logs = (operationId: string, generation: number, goesBack?: true) =>
  run<'log-group.ensure'>('log-group.ensure', { operationId, stepId: 'logs', generation, goesBack });

/** An update of `logs` that a run has claimed. */
async function update(type: OperationType = 'update'): Promise<string> {
  const [first, ...others] = smallSteps(tenant.slug);
  const steps = [{ ...first!, spec: { ...first!.spec, retentionDays: 90 } }, ...others];
  const blueprint = { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps };
  const operationId = await accept(db, { ...tenant, type, blueprint });
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

describe('an operation after one that was abandoned', () => {
  /** Stuck with `logs` as the update made it, then abandoned. */
  async function abandonedUpdate(): Promise<void> {
    const operationId = await update();
    await logs(operationId, 1);
    await enter(operationId, 'rolling-back', 2);
    await enter(operationId, 'stuck', 3);
    await abandon();
    expect(await tenantNow()).toMatchObject({ status: 'active', cleanupPending: true });
  }

  it('that fails before it changes anything does not say that the tenant is whole', async () => {
    await abandonedUpdate();
    const operationId = await update();
    await enter(operationId, 'rolling-back', 2);
    await close(operationId, 'rolled-back');
    expect(await tenantNow()).toMatchObject({ status: 'active', cleanupPending: true });
    expect(await listLeftovers(db, tenant.tenantId)).toMatchObject([{ stepId: 'logs' }]);
  });

  it('that succeeds does, and so does one that brings the step back', async () => {
    await abandonedUpdate();
    const failed = await update();
    await logs(failed, 1);
    await enter(failed, 'rolling-back', 2);
    await logs(failed, 2, true);
    await close(failed, 'rolled-back');
    expect(await tenantNow()).toMatchObject({ status: 'active', cleanupPending: false });
    await abandonedUpdate();
    const operationId = await update();
    await logs(operationId, 1);
    await enter(operationId, 'committing');
    await close(operationId, 'succeeded');
    expect(await tenantNow()).toMatchObject({ status: 'active', cleanupPending: false });
  });
});

describe('an operation that is abandoned past its point of no return', () => {
  it.each([
    ['update', 'active'],
    ['suspend', 'suspended'],
  ] as const)('makes its blueprint the applied one: %s', async (type, status) => {
    const operationId = await update(type);
    await logs(operationId, 1);
    await enter(operationId, 'committing');
    await enter(operationId, 'stuck', 2);
    await abandon();
    expect(await tenantNow()).toMatchObject({ status, cleanupPending: true });
    const [step] = (await findAppliedBlueprint(db, tenant.tenantId))?.steps ?? [];
    expect(step?.spec).toMatchObject({ retentionDays: 90 });
    expect(await isWhole(db, tenant.tenantId)).toBe(true);
  });
});
