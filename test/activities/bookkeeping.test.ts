import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { placeOnLoadBalancer, findPlacement } from '../../src/db/allocations.ts';
import { listEvents } from '../../src/db/events.ts';
import { migrate } from '../../src/db/migrate.ts';
import type { Step } from '../../src/contracts/blueprint.ts';
import type { Claim } from '../../src/contracts/messages.ts';
import type { OperationType } from '../../src/contracts/operation-table.ts';
import { findOperation } from '../../src/db/operations.ts';
import { findSlugHolder } from '../../src/db/reservations.ts';
import { changeTenantStatus, findTenant } from '../../src/db/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { accept, cell, seedTenant, smallSteps, type Seeded } from '../db/fixtures.ts';
import { activityBench, FakeKind } from './bench.ts';
import { testCaller } from '../support/caller.ts';
import { twoComponents } from '../support/platform.ts';

let test: TestDatabase;
let db: Database;
beforeAll(async () => {
  test = await createTestDatabase();
  await migrate(test.controlUrl);
  db = createDatabase({ url: test.controlUrl });
});
afterAll(async () => {
  await db.close();
  await test.drop();
});

let fake: FakeKind;
let run: ReturnType<typeof activityBench>;
let tenant: Seeded;
beforeEach(async () => {
  fake = new FakeKind();
  run = activityBench(db, fake);
  tenant = await seedTenant(db);
});

const claim = (runId = 'run-1', operationId = tenant.operationId) =>
  run('claimOperation', { operationId, workflowId: `tenant.moamalat.${tenant.slug}`, runId });
const change = (state: 'running' | 'holding' | 'committing' | 'rolling-back' | 'stuck', more: object = {}) =>
  run('changeOperationState', { operationId: tenant.operationId, state, generation: 1, ...more });
const close = (state: 'succeeded' | 'rolled-back' | 'cancelled' | 'abandoned', operationId = tenant.operationId) =>
  run('closeOperation', { operationId, state });
const step = (stepId: string) => ({ operationId: tenant.operationId, stepId, generation: 1 });
const statusOf = async () => (await findTenant(db, tenant.tenantId))?.status;
const stateOf = async (id = tenant.operationId) => (await findOperation(db, id))?.state;
const holder = async () => (await findSlugHolder(db, { product: 'moamalat', slug: tenant.slug }))?.tenantId;
const creating = () =>
  db.transaction((tx) => changeTenantStatus(tx, tenant.tenantId, 'creating', { operationId: tenant.operationId }));
const steps = async () => (await listEvents(db, tenant.tenantId)).map((e) => e.type);

describe('a claim', () => {
  it('is won by one run of many, which may ask again', async () => {
    const claims = await Promise.all(['a', 'b', 'c', 'd'].map((runId) => claim(runId)));
    expect(claims.filter((c) => c.claimed)).toHaveLength(1);
    const winner = ['a', 'b', 'c', 'd'][claims.findIndex((c) => c.claimed)] ?? '';
    expect(await claim(winner)).toMatchObject({
      claimed: true,
      tenantStatus: 'validating',
      steps: [{ id: 'logs', kind: 'log-group' }, { id: 'finalize' }],
    });
    expect(JSON.stringify(await claim(winner))).not.toContain('/ecs/');
    expect(await stateOf()).toBe('running');
  });

  it('of a closed or unknown operation is refused', async () => {
    await db.query(`update operations set state = 'withdrawn' where id = $1`, [tenant.operationId]);
    expect(await claim()).toEqual({ claimed: false });
    expect(await claim('run-1', '00000000-0000-4000-8000-00000000dead')).toEqual({ claimed: false });
  });

  it('closes an operation whose blueprint cannot run, and frees its slug', async () => {
    const steps = smallSteps('x').map((s) => ({ ...s, needs: ['nobody'] }));
    tenant = await seedTenant(db, { blueprint: { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps } });
    expect(await claim()).toEqual({ claimed: false });
    expect(await findOperation(db, tenant.operationId)).toMatchObject({
      state: 'rolled-back',
      failure: { code: 'BLUEPRINT_INVALID', detail: expect.stringContaining('nobody') as unknown },
    });
    expect(await statusOf()).toBe('failed');
    expect(await holder()).toBeUndefined();
  });
});

describe('the plan of a claim', () => {
  const blueprintOf = (...steps: Step[]) => ({ version: 1, product: 'moamalat', tier: null, cell: cell.id, steps });
  const logs = (id: string, name: string): Step => ({
    ...{ id, kind: 'log-group', needs: [] },
    spec: { name: `/ecs/moamalat-${tenant.slug}-${name}`, retentionDays: 30 },
  });
  const activation = (...needs: string[]): Step => ({
    ...{ id: 'finalize', kind: 'tenant-activation', needs },
    spec: { tenantUrl: `https://${tenant.slug}.tenants.test` },
  });
  /** The tenant's first operation has made its step and succeeded; another one is accepted. */
  const next = async (type: OperationType, ...steps: Step[]) => {
    await claim();
    await run('log-group.ensure', step('logs'));
    const succeed = `update operations set state = 'succeeded', closed_at = now() where id = $1`;
    await db.query(succeed, [tenant.operationId]);
    const { tenantId, slug } = tenant;
    return db.transaction((tx) => accept(tx, { tenantId, slug, type, blueprint: blueprintOf(...steps) }));
  };
  const becomes = (answer: Claim) => (answer.claimed ? answer.steps.map((s) => [s.id, s.becomes]) : []);
  const failed = async () => {
    await db.query(`update tenants set status = 'creating' where id = $1`, [tenant.tenantId]);
    await db.query(`update tenants set status = 'failed' where id = $1`, [tenant.tenantId]);
  };

  it('makes every step of a new tenant', async () => {
    expect(becomes(await claim())).toEqual([
      ['logs', 'make'],
      ['finalize', 'make'],
    ]);
  });

  it('to nothing drops also a step that only the ledger knows, and that step can be removed', async () => {
    const operationId = await next('deprovision', logs('other', 'frontend'), activation('other'));
    await failed();
    const answer = await claim('run-2', operationId);
    expect(becomes(answer)).toEqual([['logs', 'drop']]);
    expect(answer).not.toHaveProperty('applied');
    await run('changeOperationState', { operationId, state: 'committing', generation: 1 });
    expect(await run('log-group.remove', { ...step('logs'), operationId })).toEqual({ status: 'removed' });
    expect([...fake.made]).toEqual([]);
    expect(await run('closeOperation', { operationId, state: 'succeeded' })).toEqual({ tenantStatus: 'deleted' });
  });

  it('keeps what is applied and ready, also on the way back', async () => {
    const steps = [logs('logs', 'backend'), logs('more', 'frontend'), activation('logs', 'more')];
    const operationId = await next('provision', ...steps);
    await db.query(`update tenants set status = 'creating' where id = $1`, [tenant.tenantId]);
    await db.query(`update operations set state = 'running', run_id = 'run-2' where id = $1`, [operationId]);
    const answer = await claim('run-2', operationId);
    expect(answer).toMatchObject({ applied: ['logs', 'finalize'] });
    expect(becomes(answer)).toEqual([
      ['logs', 'keep'],
      ['more', 'make'],
      ['finalize', 'make'],
    ]);
    await run('log-group.ensure', { ...step('more'), operationId });
    await run('changeOperationState', { operationId, state: 'stuck', generation: 1 });
    const workflowId = `tenant.moamalat.${tenant.slug}`;
    const taken = await run('claimOperation', { operationId, workflowId, runId: 'run-3', takesOver: 'run-2' });
    expect(becomes(taken)).toEqual(
      expect.arrayContaining([
        ['logs', 'keep'],
        ['more', 'drop'],
      ]),
    );
    await run('changeOperationState', { operationId, state: 'rolling-back', generation: 2 });
    await expect(run('log-group.remove', { ...step('logs'), operationId })).rejects.toMatchObject({
      type: 'PROTECTED',
      nonRetryable: true,
    });
    expect(await run('log-group.remove', { ...step('more'), operationId })).toMatchObject({ status: 'removed' });
  });

  const changed = (): Step => {
    const before = logs('logs', 'backend');
    return { ...before, spec: { ...before.spec, retentionDays: 90 } };
  };
  /** An active tenant with one step; an update that changes it is accepted, claimed and at the step. */
  const updating = async () => {
    const operationId = await next('update', changed(), activation('logs'));
    await db.query(`update steps set applied = $2 where tenant_id = $1`, [
      tenant.tenantId,
      { outputs: { name: 'before' }, outputsHash: 'a', inputsHash: 'b' },
    ]);
    for (const status of ['creating', 'active', 'updating'])
      await db.query(`update tenants set status = $2 where id = $1`, [tenant.tenantId, status]);
    await db.query(`update operations set state = 'running', run_id = 'run-2' where id = $1`, [operationId]);
    return operationId;
  };

  it('of an update changes what differs, and says how to bring it back', async () => {
    const operationId = await updating();
    const answer = await claim('run-2', operationId);
    expect(becomes(answer)).toEqual([
      ['logs', 'change'],
      ['finalize', 'make'],
    ]);
    expect(answer).toMatchObject({ applied: ['logs', 'finalize'], restore: [{ id: 'logs' }] });
    expect(JSON.stringify(answer)).not.toContain('retentionDays');
  });

  it('lets a step be brought back only while the update is taken back, and nothing of the way forward after that', async () => {
    const operationId = await updating();
    const forward = { ...step('logs'), operationId };
    const back = { ...forward, generation: 2, goesBack: true as const };
    const revoked = { type: 'STEP_REVOKED', nonRetryable: true };
    await expect(run('log-group.ensure', back)).rejects.toMatchObject(revoked);
    // It is let through, and the undo begins before its change is made.
    let late: Promise<unknown> = Promise.resolve();
    fake.beforeEffect = async () => {
      fake.beforeEffect = () => Promise.resolve();
      await run('changeOperationState', { operationId, state: 'rolling-back', generation: 2 });
      late = run('log-group.ensure', back);
      await late;
    };
    await expect(run('log-group.ensure', forward)).rejects.toMatchObject(revoked);
    expect(await late).toMatchObject({ status: 'ready' });
    await expect(run('log-group.ensure', forward)).rejects.toMatchObject(revoked);
    const { rows } = await db.query(`select state, generation, inputs_hash from steps where tenant_id = $1`, [
      tenant.tenantId,
    ]);
    expect(rows).toEqual([{ state: 'ready', generation: 2, inputs_hash: 'b' }]);
    expect(await run('closeOperation', { operationId, state: 'rolled-back' })).toEqual({ tenantStatus: 'active' });
    expect(await findTenant(db, tenant.tenantId)).toMatchObject({ status: 'active', cleanupPending: false });
  });

  it('is taken over from a lost update by the way back, and once it had committed by its end', async () => {
    const operationId = await updating();
    await run('log-group.ensure', { ...step('logs'), operationId });
    await run('changeOperationState', { operationId, state: 'stuck', generation: 1 });
    const takeOver = (runId: string, takesOver: string) =>
      run('claimOperation', { operationId, workflowId: `tenant.moamalat.${tenant.slug}`, runId, takesOver });
    const back = await takeOver('run-3', 'run-2');
    expect(becomes(back)).toContainEqual(['logs', 'change']);
    expect(back).toMatchObject({ takeover: { removesIn: 'rolling-back' }, restore: [{ id: 'logs' }] });
    await db.query(`update operations set committed_at = now() where id = $1`, [operationId]);
    const on = await takeOver('run-4', 'run-3');
    expect(on).toMatchObject({ takeover: { removesIn: 'committing' } });
    expect(becomes(on)).not.toContainEqual(['logs', 'drop']);
  });
});

describe('states of an operation', () => {
  it('change along the table only, and a repeated change is no second one', async () => {
    await claim();
    expect(await change('stuck')).toMatchObject({ changed: true });
    expect(await change('holding')).toMatchObject({ changed: false });
    const before = await steps();
    expect(await change('stuck')).toMatchObject({ changed: true, tenantStatus: 'failed' });
    expect(await steps()).toEqual(before);
  });

  it('make the tenant failed while stuck, with cleanup pending, and creating again on retry', async () => {
    await claim();
    await creating();
    const failure = { code: 'ACCESS_DENIED', message: 'no' };
    const leftovers = [{ stepId: 'logs', type: 'logs:log-group', name: 'x', reason: 'no' }];
    await change('rolling-back', { failure });
    await change('stuck', { failure, leftovers });
    expect(await findTenant(db, tenant.tenantId)).toMatchObject({ status: 'failed', cleanupPending: true, failure });
    expect(await findOperation(db, tenant.operationId)).toMatchObject({ leftovers });
    expect(await change('rolling-back', { generation: 2 })).toEqual({ changed: true, tenantStatus: 'creating' });
    expect(await findOperation(db, tenant.operationId)).toMatchObject({ leftovers: null, generation: 2 });
  });

  it("tell of a request that came with Temporal's own tools, whose caller nobody knows, once", async () => {
    await claim();
    await change('holding');
    for (let attempt = 0; attempt < 2; attempt += 1)
      expect(await change('running', { generation: 2, askedInTemporal: 'retry' })).toMatchObject({ changed: true });
    const [, , , , ...since] = await listEvents(db, tenant.tenantId);
    expect(since.map(({ type, data, caller }) => [type, data.verb ?? data.to, data.via, caller])).toEqual([
      ['operation.state', 'holding', undefined, testCaller],
      ['operation.requested', 'retry', 'temporal', null],
      ['operation.state', 'running', undefined, testCaller],
    ]);
  });

  it('are not taken back by an attempt that was overtaken: stuck stays stuck, held stays held', async () => {
    await claim();
    await creating();
    await change('rolling-back');
    const leftovers = [{ stepId: 'logs', type: 'logs:log-group', name: 'x', reason: 'no' }];
    await change('stuck', { leftovers });
    expect(await change('rolling-back')).toEqual({ changed: false, tenantStatus: 'failed' });
    expect(await findOperation(db, tenant.operationId)).toMatchObject({ state: 'stuck', leftovers });

    const other = await seedTenant(db);
    const held = (state: 'running' | 'holding' | 'rolling-back', generation: number) =>
      run('changeOperationState', { operationId: other.operationId, state, generation });
    await run('claimOperation', {
      operationId: other.operationId,
      workflowId: `tenant.moamalat.${other.slug}`,
      runId: 'run-1',
    });
    await held('holding', 1);
    expect((await held('running', 2)).changed).toBe(true);
    expect((await held('holding', 1)).changed).toBe(false);
    expect((await held('holding', 2)).changed).toBe(true);
    expect((await held('running', 2)).changed).toBe(false);
    expect(await findOperation(db, other.operationId)).toMatchObject({ state: 'holding', generation: 2 });
    expect((await held('rolling-back', 2)).changed).toBe(true);
  });

  it('raise an alert with what is left when it becomes stuck, and for nothing else', async () => {
    const lines: string[] = [];
    run = activityBench(db, fake, pino({ level: 'error' }, { write: (line: string) => lines.push(line) }));
    await claim();
    await change('rolling-back');
    expect(lines).toEqual([]);
    await change('stuck', { leftovers: [{ stepId: 'logs', type: 'logs:log-group', name: 'x', reason: 'denied' }] });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      {
        alert: 'operation-stuck',
        tenantId: tenant.tenantId,
        slug: tenant.slug,
        operationId: tenant.operationId,
        left: ['logs:log-group x: denied'],
      },
    ]);
  });
});

describe('the end of a provisioning', () => {
  it('that was undone frees slug and places at once', async () => {
    await db.transaction((tx) => placeOnLoadBalancer(tx, cell, tenant.tenantId, twoComponents));
    await claim();
    await creating();
    await run('log-group.ensure', step('logs'));
    await change('rolling-back');
    await run('log-group.remove', step('logs'));
    expect(await close('rolled-back')).toEqual({ tenantStatus: 'failed' });
    expect(await close('rolled-back')).toEqual({ tenantStatus: 'failed' });
    expect(await holder()).toBeUndefined();
    expect(await findPlacement(db, tenant.tenantId)).toBeUndefined();
    expect((await findTenant(db, tenant.tenantId))?.cleanupPending).toBe(false);
  });

  it('that leaves something keeps slug and places, and says so', async () => {
    await db.transaction((tx) => placeOnLoadBalancer(tx, cell, tenant.tenantId, twoComponents));
    await claim();
    await creating();
    await run('log-group.ensure', step('logs'));
    await change('rolling-back');
    await change('stuck');
    expect(await close('abandoned')).toEqual({ tenantStatus: 'failed' });
    expect(await findTenant(db, tenant.tenantId)).toMatchObject({ cleanupPending: true });
    expect(await holder()).toBe(tenant.tenantId);
    expect(await findPlacement(db, tenant.tenantId)).toBeDefined();
  });

  it('is refused while something is left', async () => {
    await claim();
    await creating();
    await run('log-group.ensure', step('logs'));
    await change('rolling-back');
    for (const state of ['rolled-back', 'cancelled'] as const)
      await expect(close(state)).rejects.toMatchObject({ type: 'STILL_PRESENT', nonRetryable: true });
    expect(await stateOf()).toBe('rolling-back');
  });

  it('comes also when the run was taken for lost, once nothing is left', async () => {
    await claim();
    await creating();
    await run('log-group.ensure', step('logs'));
    await change('rolling-back');
    await change('stuck', { failure: { code: 'RUN_LOST', message: 'it was not' } });
    await expect(close('rolled-back')).rejects.toMatchObject({ type: 'STILL_PRESENT' });
    await run('log-group.remove', step('logs'));
    expect(await close('rolled-back')).toEqual({ tenantStatus: 'failed' });
    expect(await findTenant(db, tenant.tenantId)).toMatchObject({ cleanupPending: false });
    expect(await holder()).toBeUndefined();
  });

  it('before any run withdraws the tenant', async () => {
    expect(await close('cancelled')).toEqual({ tenantStatus: 'deleted' });
    expect(await holder()).toBeUndefined();
  });
});

describe('the commit', () => {
  const commit = async () => {
    await claim();
    await creating();
    await run('log-group.ensure', step('logs'));
    await change('committing');
    return run('tenant-activation.ensure', step('finalize'));
  };

  it('makes operation, tenant and mail in one go, and once', async () => {
    const answer = await commit();
    expect(answer).toMatchObject({ status: 'ready', tenantStatus: 'active' });
    expect(await run('tenant-activation.ensure', step('finalize'), 2)).toEqual(answer);
    expect([await stateOf(), await statusOf()]).toEqual(['succeeded', 'active']);
    const types = await steps();
    for (const type of ['mail.queued', 'operation.state', 'tenant.status'])
      expect(types.filter((t) => t === type).length).toBe(
        { 'mail.queued': 1, 'operation.state': 3, 'tenant.status': 3 }[type],
      );
  });

  it("tells of its step before it tells of the operation's end, and once", async () => {
    await commit();
    await run('tenant-activation.ensure', step('finalize'), 2);
    const events = (await listEvents(db, tenant.tenantId)).map((e) => `${e.type} ${e.stepId ?? String(e.data.to)}`);
    const told = events.filter((e) => /finalize|succeeded/.test(e));
    expect(told).toEqual(['step.started finalize', 'step.ready finalize', 'operation.state succeeded']);
    const { rows } = await db.query(`select state from steps where tenant_id = $1 and step_id = 'finalize'`, [
      tenant.tenantId,
    ]);
    expect(rows).toEqual([{ state: 'ready' }]);
  });

  it('is one transaction: what is refused leaves no step that says it is ready', async () => {
    await claim();
    await creating();
    await run('log-group.ensure', step('logs'));
    await change('committing');
    // A tenant that may not become active, whatever brought it there.
    await db.query(`update tenants set status = 'failed' where id = $1`, [tenant.tenantId]);
    await expect(run('tenant-activation.ensure', step('finalize'))).rejects.toMatchObject({ type: 'INTERNAL' });
    expect([await stateOf(), await statusOf()]).toEqual(['committing', 'failed']);
    expect((await steps()).filter((t) => t === 'mail.queued')).toEqual([]);
    const { rows } = await db.query(`select state from steps where tenant_id = $1 and step_id = 'finalize'`, [
      tenant.tenantId,
    ]);
    expect(rows).toEqual([{ state: 'intended' }]);
  });

  it('is refused when the operation is not committing', async () => {
    await claim();
    await creating();
    await expect(run('tenant-activation.ensure', step('finalize'))).rejects.toMatchObject({ nonRetryable: true });
    expect([await stateOf(), await statusOf()]).toEqual(['running', 'creating']);
  });

  it('is not undone: rolling back is refused after it', async () => {
    await commit();
    expect(await change('rolling-back')).toEqual({ changed: false, tenantStatus: 'active', closedAs: 'succeeded' });
  });

  it('is the only way for a provisioning to succeed', async () => {
    await claim();
    await creating();
    await change('committing');
    await expect(close('succeeded')).rejects.toMatchObject({ nonRetryable: true });
    expect(await stateOf()).toBe('committing');
  });

  it('is followed by a deprovisioning that ends with nothing but a slug in quarantine', async () => {
    await commit();
    const blueprint = { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps: smallSteps(tenant.slug) };
    const operationId = await accept(db, { ...tenant, type: 'deprovision', blueprint });
    expect(await claim('run-2', operationId)).toMatchObject({
      claimed: true,
      type: 'deprovision',
      tenantStatus: 'deleting',
    });
    const down = { operationId, generation: 1 };
    await run('changeOperationState', { ...down, state: 'committing' });
    await run('tenant-activation.remove', { ...down, stepId: 'finalize' });
    await expect(close('succeeded', operationId)).rejects.toMatchObject({ type: 'STILL_PRESENT' });
    await run('log-group.remove', { ...down, stepId: 'logs' });
    expect(await close('succeeded', operationId)).toEqual({ tenantStatus: 'deleted' });
    expect(await holder()).toBe(tenant.tenantId);
    expect(await findTenant(db, tenant.tenantId)).toMatchObject({ cleanupPending: false });
    expect([...fake.made]).toEqual([]);
  });

  it('of many tenants at once needs no more than two connections', async () => {
    const small = createDatabase({ url: test.controlUrl, maxConnections: 2 });
    try {
      const narrow = activityBench(small, fake);
      const provision = async () => {
        const { tenantId, operationId, slug } = await seedTenant(db);
        const at = { operationId, generation: 1 };
        await narrow('claimOperation', { operationId, workflowId: `tenant.moamalat.${slug}`, runId: 'r' });
        await db.transaction((tx) => changeTenantStatus(tx, tenantId, 'creating', { operationId }));
        await narrow('log-group.ensure', { ...at, stepId: 'logs' });
        await narrow('changeOperationState', { ...at, state: 'committing' });
        return (await narrow('tenant-activation.ensure', { ...at, stepId: 'finalize' })).tenantStatus;
      };
      const ends = await Promise.all(Array.from({ length: 40 }, provision));
      expect(new Set(ends)).toEqual(new Set(['active']));
    } finally {
      await small.close();
    }
  });
});
