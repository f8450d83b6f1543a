import { randomBytes } from 'node:crypto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { TASK_QUEUE } from '../../src/contracts/ids.ts';
import type { Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import { findOperation } from '../../src/db/operations.ts';
import { builtInKinds } from '../../src/kinds/built-in.ts';
import { createWorkerDataConverter } from '../../src/temporal/data-converter.ts';
import { workflowBundlePath } from '../../src/worker/workflow-bundle.ts';
import { FakeKind, fakedActivities } from '../activities/bench.ts';
import { seedTenant } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { openNamespaces, type Namespaces } from '../support/namespaces.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

const key = randomBytes(32);
let namespaces: Namespaces;
let native: NativeConnection;
beforeAll(async () => {
  namespaces = await openNamespaces(key);
  native = await NativeConnection.connect({ address: namespaces.address });
});
afterAll(async () => {
  await native.close();
  await namespaces.close();
});

/** Runs a worker until something is seen. */
async function whileWorking(activities: object, see: () => Promise<void>): Promise<void> {
  const worker = await Worker.create({
    connection: native,
    namespace: namespaces.own.namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: await workflowBundlePath() },
    dataConverter: createWorkerDataConverter([key]),
    stickyQueueScheduleToStartTimeout: '1s',
    activities,
    shutdownForceTime: 1_000,
  });
  await worker.runUntil(() => vi.waitFor(see, { timeout: 30_000, interval: 100 }));
}

it('an operation waits out every worker that does not know its kinds, before its claim and after', async () => {
  const { operationId, tenantId, slug } = await seedTenant(db);
  const fake = new FakeKind();
  const all = fakedActivities(db, fake);
  const lacking = fakedActivities(
    db,
    fake,
    undefined,
    builtInKinds.filter(({ name }) => name !== 'log-group'),
  );
  const state = async () => (await findOperation(db, operationId))?.state;
  const reasons = async () =>
    (await listEvents(db, tenantId)).filter(({ type }) => type === 'operation.slow').map(({ data }) => data['reason']);
  const lacks = expect.stringContaining('WORKER_LACKS_KIND') as unknown;
  await namespaces.own.client.workflow.start('TenantProvisioning', {
    workflowId: `tenant.moamalat.${slug}`,
    taskQueue: TASK_QUEUE,
    args: [{ operationId }],
  });

  await whileWorking(lacking, async () => expect(await reasons()).toEqual([lacks]));
  expect(await state()).toBe('accepted');
  await whileWorking({ ...lacking, claimOperation: all.claimOperation }, async () =>
    expect(await reasons()).toEqual([lacks, lacks]),
  );
  expect(await state()).toBe('running');
  expect(fake.calls).toEqual([]);
  // As a step that validates would have done.
  await db.query(`update tenants set status = 'creating' where id = $1`, [tenantId]);
  await whileWorking(all, async () => expect(await state()).toBe('succeeded'));
});
