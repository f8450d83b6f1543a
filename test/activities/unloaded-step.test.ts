import { beforeEach, expect, it } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import { seedTenant, setRunning, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { activityBench, FakeKind } from './bench.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

let run: ReturnType<typeof activityBench>;
let tenant: Seeded;
beforeEach(async () => {
  tenant = await seedTenant(db);
  await setRunning(db, tenant);
  await activityBench(db, new FakeKind())('log-group.ensure', call());
  // What no worker can load: it is for a cell that the operation is not of.
  await db.query(
    `update operations set state = 'rolling-back', blueprint = jsonb_set(blueprint, '{cell}', '"elsewhere"') where id = $1`,
    [tenant.operationId],
  );
  run = activityBench(db, new FakeKind());
});

const call = () => ({ operationId: tenant.operationId, stepId: 'logs', generation: 1 });
const failures = async () =>
  (await listEvents(db, tenant.tenantId)).filter((e) => e.type === 'step.remove-failed').map((e) => e.data);

it('is left with the reason why its removal was not begun', async () => {
  await expect(run('log-group.remove', call())).rejects.toMatchObject({ type: 'BLUEPRINT_INVALID' });
  expect(await run('listLeftovers', { operationId: tenant.operationId })).toMatchObject([
    { stepId: 'logs', type: 'logs:log-group', code: 'BLUEPRINT_INVALID' },
  ]);
  expect(await failures()).toMatchObject([{ code: 'BLUEPRINT_INVALID' }]);
});

it('says so too when its absence cannot be seen, but nothing once the operation is closed', async () => {
  const observe = { ...call(), want: 'gone' as const, deadlineAtMs: Date.now() + 60_000 };
  await expect(run('log-group.observe', observe)).rejects.toMatchObject({ type: 'BLUEPRINT_INVALID' });
  expect(await failures()).toHaveLength(1);
  await db.query(`update operations set state = 'abandoned', closed_at = now() where id = $1`, [tenant.operationId]);
  await expect(run('log-group.remove', call())).rejects.toMatchObject({ type: 'BLUEPRINT_INVALID' });
  expect(await failures()).toHaveLength(1);
});
