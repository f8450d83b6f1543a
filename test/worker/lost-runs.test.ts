import { hostname } from 'node:os';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LostRunDeps } from '../../src/client/lost-runs.ts';
import { OrchestratorUnreachableError, type RunSight } from '../../src/client/orchestrator.ts';
import { LONGEST_LATENESS_MS } from '../../src/contracts/verbs.ts';
import type { Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import { findOperation } from '../../src/db/operations.ts';
import { changeTenantStatus, findTenant } from '../../src/db/tenants.ts';
import { markLostRuns } from '../../src/worker/lost-runs.ts';
import { activityBench, FakeKind } from '../activities/bench.ts';
import { accept, cell, seedTenant, smallSteps, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

/** What Temporal says of each run; of all others that it is open. Null stands for the newest run of the workflow id. */
let sights: Map<string | null, RunSight | Error>;
let looked: string[];
let alerts: Record<string, unknown>[];
let run: ReturnType<typeof activityBench>;
let tenant: Seeded;

const terminated = (agoMs = LONGEST_LATENESS_MS + 1_000): RunSight => ({
  is: 'closed',
  as: 'TERMINATED',
  at: new Date(Date.now() - agoMs),
});

beforeEach(async () => {
  // What other tests left open is none of this one's business.
  await db.query(`update operations set state = 'withdrawn' where closed_at is null and state <> 'withdrawn'`);
  sights = new Map([[null, terminated()]]);
  looked = [];
  alerts = [];
  run = activityBench(db, new FakeKind());
  tenant = await seedTenant(db);
  await claim('run-1');
  await db.transaction((tx) => changeTenantStatus(tx, tenant.tenantId, 'creating'));
  await run('log-group.ensure', { operationId: tenant.operationId, stepId: 'logs', generation: 1 });
});

const mark = (log: LostRunDeps['log'] = alertLog()) =>
  markLostRuns({
    database: db,
    orchestrator: {
      look: async ({ runId }) => {
        if (runId !== null) looked.push(runId);
        const seen = sights.get(runId) ?? { is: 'open' };
        if (seen instanceof Error) throw seen;
        return seen;
      },
    },
    log,
  });
const alertLog = () =>
  pino({ level: 'error' }, { write: (line: string) => alerts.push(JSON.parse(line) as Record<string, unknown>) });
const claim = (runId: string, takesOver?: string, operationId = tenant.operationId) =>
  run('claimOperation', {
    operationId,
    workflowId: `tenant.moamalat.${tenant.slug}`,
    runId,
    ...(takesOver === undefined ? {} : { takesOver }),
  });
const change = (state: 'holding' | 'committing' | 'rolling-back' | 'stuck', more: object = {}) =>
  run('changeOperationState', { operationId: tenant.operationId, state, generation: 1, ...more });
const operation = () => findOperation(db, tenant.operationId);
/** Lets all that was written so far be this old. */
const age = async (ms = LONGEST_LATENESS_MS + 1_000) => {
  const past = `- ${ms} * interval '1 millisecond'`;
  await db.query(`update operations set updated_at = updated_at ${past} where tenant_id = $1`, [tenant.tenantId]);
  await db.query(
    `update steps set started_at = started_at ${past}, ready_at = ready_at ${past}, removing_at = removing_at ${past},
       removed_at = removed_at ${past}, unclear_until = unclear_until ${past} where tenant_id = $1`,
    [tenant.tenantId],
  );
  await db.query(`update ledger set updated_at = updated_at ${past} where tenant_id = $1`, [tenant.tenantId]);
};
const failure = { code: 'QUOTA_EXCEEDED', message: 'no more rules', stepId: 'rule' };

describe('an operation whose run was terminated', () => {
  it.each(['running', 'holding', 'committing', 'rolling-back', 'stuck'] as const)(
    'while %s is made stuck with what is left, once, and takes an alert',
    async (state) => {
      if (state === 'stuck') await change('rolling-back');
      if (state !== 'running') await change(state, { failure });
      await age();
      sights.set('run-1', terminated());
      expect((await mark()).map((lost) => lost.operation.id)).toEqual([tenant.operationId]);
      const after = await operation();
      expect(after).toMatchObject({
        state: 'stuck',
        runId: 'run-1',
        generation: 1,
        failure: { code: 'RUN_LOST', message: expect.stringContaining(`while it was ${state}`) as unknown },
        leftovers: [{ stepId: 'logs', type: 'logs:log-group' }],
      });
      expect(after?.failure?.detail).toMatch(/run run-1 of workflow .* it is TERMINATED since .*/);
      if (state !== 'running') expect(after?.failure?.detail).toContain('QUOTA_EXCEEDED at rule: no more rules');
      expect(await findTenant(db, tenant.tenantId)).toMatchObject({
        status: 'failed',
        cleanupPending: true,
        failure: { code: 'RUN_LOST' },
      });
      const events = (await listEvents(db, tenant.tenantId)).filter((e) => e.type === 'operation.state');
      expect(events.at(-1)?.data).toMatchObject({ from: state, to: 'stuck', leftovers: [{ stepId: 'logs' }] });
      // Nobody asked for it: it is the worker's own finding.
      expect(events.at(-1)?.caller).toMatchObject({ principal: `worker on ${hostname()}`, role: 'system' });
      expect(alerts).toMatchObject([{ alert: 'operation-stuck', operationId: tenant.operationId }]);
      expect(alerts[0]?.left).toHaveLength(1);

      await age();
      looked = [];
      expect(await mark()).toEqual([]);
      expect(looked).toEqual([]);
      expect(alerts).toHaveLength(1);
    },
  );

  it('takes its alert all the same when the worker died while it told', async () => {
    await age();
    sights.set('run-1', terminated());
    const dies = () => {
      throw new Error('the worker dies');
    };
    await expect(mark({ info: dies, warn: dies, error: dies })).rejects.toThrow('the worker dies');
    expect(await mark()).toHaveLength(1);
    expect(alerts).toMatchObject([{ alert: 'operation-stuck', operationId: tenant.operationId, slug: tenant.slug }]);
  });

  it('while its tenant was being removed leaves the tenant `deleting`', async () => {
    await change('committing');
    await run('tenant-activation.ensure', { operationId: tenant.operationId, stepId: 'finalize', generation: 1 });
    const blueprint = { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps: smallSteps(tenant.slug) };
    const operationId = await accept(db, { ...tenant, type: 'deprovision', blueprint });
    await claim('run-2', undefined, operationId);
    await run('changeOperationState', { operationId, state: 'committing', generation: 1 });
    await age();
    sights.set('run-2', terminated());
    expect(await mark()).toHaveLength(1);
    expect(await findOperation(db, operationId)).toMatchObject({ state: 'stuck', failure: { code: 'RUN_LOST' } });
    expect(await findTenant(db, tenant.tenantId)).toMatchObject({ status: 'deleting', cleanupPending: true });

    expect(await claim('run-3', 'run-2', operationId)).toMatchObject({
      claimed: true,
      type: 'deprovision',
      // The commit made nothing that could be removed.
      steps: [{ id: 'logs', becomes: 'drop' }],
      takeover: { generation: 1, failure: { code: 'RUN_LOST' }, cancelled: false },
    });
  });

  it('is found though Temporal has forgotten the run', async () => {
    await age();
    sights.set('run-1', { is: 'missing' });
    sights.set(null, { is: 'missing' });
    expect(await mark()).toHaveLength(1);
    expect((await operation())?.failure?.detail).toContain('Temporal does not know it');
  });
});

describe('an operation whose run COMPLETED in Temporal', () => {
  const completed: RunSight = { is: 'closed', as: 'COMPLETED', at: new Date(0) };

  it('and made a tenant says that the database is behind, once, and takes no other failure from it', async () => {
    await change('holding', { failure });
    await age();
    sights.set('run-1', completed);
    sights.set(null, completed);
    expect(await mark()).toHaveLength(1);
    const after = await operation();
    expect(after).toMatchObject({ state: 'stuck', failure: { code: 'DATABASE_BEHIND' } });
    expect(after?.failure?.message).toContain('this database has the operation holding: the tenant may be live');
    expect(after?.failure?.detail).toContain('it is COMPLETED since 1970');
    expect(after?.failure?.detail).toContain('QUOTA_EXCEEDED at rule');
    await age();
    looked = [];
    expect(await mark()).toEqual([]);
    expect(looked).toEqual([]);
    expect(await claim('run-2', 'run-1')).toMatchObject({ takeover: { failure } });
  });

  it('and removed a tenant is a lost run: what it left is not live', async () => {
    await change('committing');
    await run('tenant-activation.ensure', { operationId: tenant.operationId, stepId: 'finalize', generation: 1 });
    const blueprint = { version: 1, product: 'moamalat', tier: null, cell: cell.id, steps: smallSteps(tenant.slug) };
    const operationId = await accept(db, { ...tenant, type: 'deprovision', blueprint });
    await claim('run-2', undefined, operationId);
    await age();
    sights.set('run-2', completed);
    sights.set(null, completed);
    expect(await mark()).toHaveLength(1);
    expect(await findOperation(db, operationId)).toMatchObject({ state: 'stuck', failure: { code: 'RUN_LOST' } });
  });
});

describe('an operation is let be', () => {
  const untouched = async () => {
    expect(await mark()).toEqual([]);
    expect((await operation())?.state).toBe('running');
    expect(alerts).toEqual([]);
  };

  it('while its run is open', async () => {
    await age();
    await untouched();
    expect(looked).toEqual(['run-1']);
  });

  it('while an attempt of the lost run may still be at work', async () => {
    await age();
    sights.set('run-1', terminated(LONGEST_LATENESS_MS - 5_000));
    await untouched();
    sights.set('run-1', terminated());
    await run('log-group.ensure', { operationId: tenant.operationId, stepId: 'logs', generation: 2 });
    await db.query(`update steps set unclear_until = now() + interval '5 s' where tenant_id = $1`, [tenant.tenantId]);
    looked = [];
    await untouched();
    expect(looked).toEqual([]); // not even asked about
  });

  it('when Temporal does not answer, and others are found all the same', async () => {
    await age();
    sights.set('run-1', new OrchestratorUnreachableError('away'));
    await expect(mark()).rejects.toThrow('away');
    expect((await operation())?.state).toBe('running');

    const first = tenant;
    tenant = await seedTenant(db);
    await claim('run-2');
    await age();
    sights.set('run-2', terminated());
    expect((await mark()).map((lost) => lost.operation.id)).toEqual([tenant.operationId]);
    expect((await findOperation(db, first.operationId))?.state).toBe('running');
  });

  it('when another run of its workflow is open', async () => {
    await age();
    sights.set('run-1', terminated());
    sights.set(null, { is: 'open' });
    await untouched();
  });

  it('when it has moved on meanwhile', async () => {
    await age();
    sights.set('run-1', terminated());
    const moving = {
      database: db,
      orchestrator: {
        look: async () => {
          await change('rolling-back');
          return terminated();
        },
      },
      log: pino({ level: 'silent' }),
    };
    expect(await markLostRuns(moving)).toEqual([]);
    expect((await operation())?.state).toBe('rolling-back');
  });
});

describe('the claim of a run that takes over', () => {
  const lose = async (runId = 'run-1') => {
    await age();
    sights.set(runId, terminated());
    expect(await mark()).toHaveLength(1);
  };

  it('is won by one run of many, which may ask again, and only while the lost run is the one it means', async () => {
    await lose();
    expect(await claim('run-2')).toEqual({ claimed: false });
    expect(await claim('run-2', 'run-0')).toEqual({ claimed: false });
    const claims = await Promise.all(['a', 'b', 'c'].map((runId) => claim(runId, 'run-1')));
    expect(claims.filter((c) => c.claimed)).toHaveLength(1);
    const winner = ['a', 'b', 'c'][claims.findIndex((c) => c.claimed)] ?? '';
    expect(await claim(winner, 'run-1')).toEqual(claims.find((c) => c.claimed));
    expect(await operation()).toMatchObject({ state: 'stuck', runId: winner });
  });

  it('of an operation that somebody closed is refused, and so is one that is not stuck', async () => {
    expect(await claim('run-2', 'run-1')).toEqual({ claimed: false });
    await lose();
    await run('closeOperation', { operationId: tenant.operationId, state: 'abandoned' });
    expect(await claim('run-2', 'run-1')).toEqual({ claimed: false });
  });

  it('answers what is left and why it was being taken back', async () => {
    await change('rolling-back', { failure });
    await lose();
    expect(await claim('run-2', 'run-1')).toMatchObject({
      claimed: true,
      steps: [{ id: 'logs' }],
      takeover: { generation: 1, failure, cancelled: false },
    });
    await change('rolling-back', { generation: 2, failure });
    expect(await findTenant(db, tenant.tenantId)).toMatchObject({ status: 'creating' });
    await lose('run-2');
    expect(await claim('run-3', 'run-2')).toMatchObject({ takeover: { generation: 2, failure } });
  });

  it('knows nothing of a failure that a retry had fixed, and knows of a cancel', async () => {
    await change('holding', { failure });
    await run('changeOperationState', { operationId: tenant.operationId, state: 'running', generation: 2 });
    await db.query(`update operations set cancel_requested_at = now() where id = $1`, [tenant.operationId]);
    await lose();
    expect(await claim('run-2', 'run-1')).toMatchObject({
      takeover: { generation: 2, failure: { code: 'RUN_LOST' }, cancelled: true },
    });
  });

  it('has only those steps to take back that are not removed', async () => {
    await change('rolling-back');
    await run('log-group.remove', { operationId: tenant.operationId, stepId: 'logs', generation: 1 });
    await lose();
    expect((await operation())?.leftovers).toEqual([]);
    expect(await claim('run-2', 'run-1')).toMatchObject({ claimed: true, steps: [] });
  });
});
