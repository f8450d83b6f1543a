import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import { findBlueprint, findOperation } from '../../src/db/operations.ts';
import { changeTenantStatus, findTenant } from '../../src/db/tenants.ts';
import type { TenantStatus } from '../../src/contracts/tenant-status.ts';
import { alertSlow, SLOW_AFTER_MS } from '../../src/worker/slow-operations.ts';
import { accept, seedTenant, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { activityBench, FakeKind } from './bench.ts';

const HOUR_MS = 3_600_000;
let db: Database;
useControlDatabase((opened) => (db = opened));

let run: ReturnType<typeof activityBench>;
let tenant: Seeded;
beforeEach(async () => {
  run = activityBench(db, new FakeKind());
  tenant = await seedTenant(db);
});

/** A deletion that was asked for from this status. @returns its operation's id */
async function deletion(from: TenantStatus, graceMs: number | undefined = HOUR_MS): Promise<string> {
  const { tenantId, operationId, slug } = tenant;
  await db.query(`update operations set state = 'succeeded', closed_at = now() where id = $1`, [operationId]);
  const ways: Partial<Record<TenantStatus, TenantStatus[]>> = {
    active: ['active'],
    suspended: ['active', 'suspending', 'suspended'],
    failed: ['failed'],
  };
  for (const status of ['validating', 'creating', ...(ways[from] ?? [])] as TenantStatus[])
    await db.transaction((tx) => changeTenantStatus(tx, tenantId, status));
  const blueprint = await findBlueprint(db, operationId);
  return db.transaction((tx) => accept(tx, { tenantId, slug, type: 'deprovision', blueprint, graceMs }));
}
const claim = (operationId: string, runId = 'run-2', takesOver?: string) =>
  run('claimOperation', { operationId, workflowId: `tenant.moamalat.${tenant.slug}`, runId, takesOver });
const cancelled = (operationId: string) => run('closeOperation', { operationId, state: 'cancelled' });
const tenantNow = () => findTenant(db, tenant.tenantId);

describe('a deletion in its grace period', () => {
  it.each(['active', 'suspended', 'failed'] as const)('that is cancelled leaves its tenant %s', async (status) => {
    const operationId = await deletion(status);
    await db.query('update tenants set cleanup_pending = $2 where id = $1', [tenant.tenantId, status === 'failed']);
    const claimed = await claim(operationId);
    expect(claimed).toMatchObject({ claimed: true, graceUntil: expect.stringMatching(/Z$/) as unknown });
    expect((await tenantNow())?.status).toBe('deleting');
    expect(await cancelled(operationId)).toEqual({ tenantStatus: status });
    expect(await cancelled(operationId)).toEqual({ tenantStatus: status });
    expect(await tenantNow()).toMatchObject({ status, cleanupPending: status === 'failed', deletedAt: null });
    expect(await findOperation(db, operationId)).toMatchObject({ state: 'cancelled' });
  });

  it('that has begun to remove cannot end as cancelled', async () => {
    const operationId = await deletion('active');
    await claim(operationId);
    await run('changeOperationState', { operationId, state: 'committing', generation: 1 });
    await expect(cancelled(operationId)).rejects.toMatchObject({ type: 'INTERNAL' });
    expect((await tenantNow())?.status).toBe('deleting');
  });

  it('goes on waiting in a run that takes over, or is cancelled by one that was taken for lost', async () => {
    const operationId = await deletion('active');
    await claim(operationId);
    const failure = { code: 'RUN_LOST', message: 'the run was lost' };
    const change = { operationId, generation: 1, failure };
    await run('changeOperationState', { ...change, state: 'stuck' });
    const taken = await claim(operationId, 'run-3', 'run-2');
    expect(taken).toMatchObject({ graceUntil: expect.any(String) as unknown, takeover: { cancelled: false } });
    expect(await run('changeOperationState', { operationId, state: 'running', generation: 2 })).toMatchObject({
      changed: true,
    });
    await run('changeOperationState', { ...change, state: 'stuck', generation: 2 });
    expect(await cancelled(operationId)).toEqual({ tenantStatus: 'active' });
    expect(await tenantNow()).toMatchObject({ cleanupPending: false, failure: null });
  });

  it('is not slow, and is from then on', async () => {
    const operationId = await deletion('active', SLOW_AFTER_MS.running);
    await claim(operationId);
    const age = async (ms: number) => {
      await db.query('alter table events disable trigger events_append_only');
      await db.query(`update events set at = at - $2 * interval '1 millisecond' where tenant_id = $1`, [
        tenant.tenantId,
        ms,
      ]);
      await db.query(`update operations set grace_until = grace_until - $2 * interval '1 millisecond' where id = $1`, [
        operationId,
        ms,
      ]);
      await db.query('alter table events enable trigger events_append_only');
    };
    const told = async () => {
      await alertSlow({ database: db, log: pino({ level: 'silent' }) });
      return (await listEvents(db, tenant.tenantId)).filter(({ type }) => type === 'operation.slow').length;
    };
    await age(SLOW_AFTER_MS.running * 2 - 60_000);
    expect(await told()).toBe(0);
    await age(120_000);
    expect(await told()).toBe(1);
  });
});

describe('an operation without a grace period', () => {
  it('cannot be cancelled while it runs, nor go on from stuck as if nothing had been', async () => {
    const operationId = await deletion('active', 0);
    expect(await claim(operationId)).not.toHaveProperty('graceUntil');
    await expect(cancelled(operationId)).rejects.toMatchObject({ type: 'INTERNAL' });
    await run('changeOperationState', { operationId, state: 'stuck', generation: 1 });
    expect(await run('changeOperationState', { operationId, state: 'running', generation: 2 })).toMatchObject({
      changed: false,
    });
  });
});
