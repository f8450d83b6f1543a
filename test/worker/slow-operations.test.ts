import { pino } from 'pino';
import { beforeEach, expect, it } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import { StepError } from '../../src/contracts/step-error.ts';
import { changeTenantStatus } from '../../src/db/tenants.ts';
import { alertSlow, SLOW_AFTER_MS } from '../../src/worker/slow-operations.ts';
import { activityBench, FakeKind } from '../activities/bench.ts';
import { seedTenant, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

let fake: FakeKind;
let run: ReturnType<typeof activityBench>;
let tenant: Seeded;
let alerts: Record<string, unknown>[];
beforeEach(async () => {
  alerts = [];
  fake = new FakeKind();
  run = activityBench(db, fake);
  tenant = await seedTenant(db);
});

const at = () => ({ operationId: tenant.operationId, generation: 1 });
const logs = () => ({ ...at(), stepId: 'logs' });
const change = (state: 'committing' | 'rolling-back' | 'holding' | 'stuck') =>
  run('changeOperationState', { ...at(), state, generation: 1 });
const told = async () =>
  (await listEvents(db, tenant.tenantId)).filter((e) => e.type === 'operation.slow').map((e) => e.data);
const alert = () =>
  alertSlow({
    database: db,
    log: pino(
      { level: 'error' },
      { write: (line: string) => alerts.push(JSON.parse(line) as Record<string, unknown>) },
    ),
  });
/** Lets all events so far be this old; they are append-only for everybody but their table's owner. */
const age = async (ms = SLOW_AFTER_MS['rolling-back'] + 1_000) => {
  await db.query('alter table events disable trigger events_append_only');
  await db.query(`update events set at = at - $2 * interval '1 millisecond' where tenant_id = $1`, [
    tenant.tenantId,
    ms,
  ]);
  await db.query('alter table events enable trigger events_append_only');
};
const begun = async () => {
  await run('claimOperation', { ...at(), workflowId: `tenant.moamalat.${tenant.slug}`, runId: 'run-1' });
  await db.transaction((tx) => changeTenantStatus(tx, tenant.tenantId, 'creating'));
  await run('log-group.ensure', logs());
};
/** An attempt at the removal that AWS throttles, as many follow. */
const throttled = async () => {
  fake.removing = () => Promise.reject(new StepError('THROTTLED', 'AWS throttles DeleteLogGroup'));
  await expect(run('log-group.remove', logs())).rejects.toMatchObject({ type: 'THROTTLED' });
};

it('tells once of a rollback that does not get on, with what each step waits for, and again after it moved', async () => {
  await begun();
  await change('rolling-back');
  await throttled();
  await alert();
  expect(alerts).toEqual([]);

  await age();
  await throttled(); // an attempt is no progress
  await alert();
  await alert();
  expect(alerts).toMatchObject([
    {
      alert: 'operation-slow',
      operationId: tenant.operationId,
      state: 'rolling-back',
      waiting: ['logs: THROTTLED: AWS throttles DeleteLogGroup'],
    },
  ]);
  expect(await told()).toMatchObject([{ state: 'rolling-back', waiting: [{ stepId: 'logs' }] }]);

  fake.removing = () => Promise.resolve();
  await run('log-group.remove', logs());
  await alert();
  expect(alerts).toHaveLength(1);
  await age();
  await alert();
  // Everything is gone, but the end does not get recorded.
  expect(alerts[1]).toMatchObject({ alert: 'operation-slow', waiting: [] });
});

it('tells of a commit that gets no answer', async () => {
  await begun();
  await change('committing');
  await age();
  await alert();
  expect(alerts).toMatchObject([{ operationId: tenant.operationId, state: 'committing', type: 'provision' }]);
});

it('tells of an operation that no run claims', async () => {
  await age(SLOW_AFTER_MS.accepted - 5_000);
  await alert();
  expect(alerts).toEqual([]);
  await age(6_000);
  await alert();
  await alert();
  expect(alerts).toMatchObject([{ operationId: tenant.operationId, state: 'accepted', waiting: [] }]);
});

it('tells of a run that does not get on, with the steps that are not ready, and not while it waits as it may', async () => {
  fake.beforeEffect = () => Promise.reject(new StepError('THROTTLED', 'AWS throttles CreateLogGroup'));
  await expect(begun()).rejects.toMatchObject({ type: 'THROTTLED' });
  await age(SLOW_AFTER_MS.running - 5_000);
  await alert();
  expect(alerts).toEqual([]);
  await age(6_000);
  await alert();
  expect(alerts).toMatchObject([
    {
      operationId: tenant.operationId,
      state: 'running',
      waiting: ['logs: THROTTLED: AWS throttles CreateLogGroup'],
    },
  ]);
});

it('tells of a hold that did not end in its time', async () => {
  await begun();
  await change('holding');
  await age(60_000 + SLOW_AFTER_MS.holding - 5_000);
  await alert();
  expect(alerts).toEqual([]);
  await age(6_000);
  await alert();
  expect(alerts).toMatchObject([{ operationId: tenant.operationId, state: 'holding', waiting: [] }]);
});

it('tells neither of an operation that is stuck nor of one that is over', async () => {
  await begun();
  await change('rolling-back');
  await change('stuck');
  await age();
  await alert();
  await change('rolling-back');
  await run('log-group.remove', logs());
  await run('closeOperation', { operationId: tenant.operationId, state: 'rolled-back' });
  await age();
  await alert();
  expect(alerts).toEqual([]);
});

it('tells again when the worker died while it told', async () => {
  await begun();
  await change('committing');
  await age();
  const dies = () => {
    throw new Error('the worker dies');
  };
  await expect(alertSlow({ database: db, log: { error: dies } })).rejects.toThrow('the worker dies');
  await alert();
  expect(alerts).toHaveLength(1);
});
