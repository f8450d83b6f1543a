import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { temporalOrchestrator } from '../../src/client/temporal-orchestrator.ts';
import { TASK_QUEUE } from '../../src/contracts/ids.ts';
import { LONGEST_LATENESS_MS } from '../../src/contracts/verbs.ts';
import type { Database } from '../../src/db/database.ts';
import { listEvents } from '../../src/db/events.ts';
import { findOperation } from '../../src/db/operations.ts';
import { createTemporalClient, type TemporalClient } from '../../src/temporal/client.ts';
import { createWorkerDataConverter } from '../../src/temporal/data-converter.ts';
import { FAILING_FROM_ATTEMPT } from '../../src/worker/failing-tasks.ts';
import { workflowBundlePath } from '../../src/worker/workflow-bundle.ts';
import { watchOperations } from '../../src/worker/watch.ts';
import { seedTenant, setRunning, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { openNamespaces, type Namespaces } from '../support/namespaces.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

let namespaces: Namespaces;
let here: TemporalClient;
let away: TemporalClient;
let native: NativeConnection;
beforeAll(async () => {
  namespaces = await openNamespaces();
  here = namespaces.own;
  native = await NativeConnection.connect({ address: namespaces.address });
  const connect = { connectionOptions: { address: '127.0.0.1:9' }, namespace: here.namespace };
  away = createTemporalClient(connect, { payloadKeys: [Buffer.alloc(32, 1)] });
});
afterAll(() => Promise.all([namespaces.close(), away.close(), native.close()]));

const alerts: Record<string, unknown>[] = [];
const log = pino(
  { level: 'error' },
  { write: (line: string) => alerts.push(JSON.parse(line) as Record<string, unknown>) },
);
const watch = (temporal: TemporalClient, database = db) =>
  watchOperations({ database, temporal, orchestrator: temporalOrchestrator(temporal.client), log });

/** One that no run claims, and one whose run Temporal does not know. */
async function seedBoth(): Promise<{ slow: Seeded; lost: Seeded }> {
  const [slow, lost] = [await seedTenant(db), await seedTenant(db)];
  await setRunning(db, lost);
  await db.query(
    `update operations set run_id = $3, updated_at = now() - $2 * interval '1 millisecond' where id = $1`,
    [lost.operationId, LONGEST_LATENESS_MS + 1_000, randomUUID()],
  );
  await db.query('alter table events disable trigger events_append_only');
  await db.query(`update events set at = now() - interval '3 minutes' where tenant_id = $1`, [slow.tenantId]);
  await db.query('alter table events enable trigger events_append_only');
  return { slow, lost };
}

it('alerts of what does not get on while Temporal is away, and takes no run for lost', async () => {
  const { slow, lost } = await seedBoth();
  await expect(watch(away)).rejects.toThrow();
  expect(alerts).toMatchObject([{ alert: 'operation-slow', operationId: slow.operationId }]);
  expect((await findOperation(db, lost.operationId))?.state).toBe('running');

  // The other way round: what keeps the alert from being raised keeps no lost run from being marked.
  const deaf: Database = {
    ...db,
    query: (text, values) =>
      text.includes('operation.slow') ? Promise.reject(new Error('refused')) : db.query(text, values),
  };
  await expect(watch(here, deaf)).rejects.toThrow('refused');
  expect(await findOperation(db, lost.operationId)).toMatchObject({ state: 'stuck', failure: { code: 'RUN_LOST' } });
  expect(alerts).toHaveLength(2);
  expect(alerts[1]).toMatchObject({ alert: 'operation-stuck', operationId: lost.operationId });
});

it('alerts of a run whose workflow task fails again and again, once, and not of one whose task had a bad start', async () => {
  const { client, namespace } = here;
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: await workflowBundlePath() },
    dataConverter: createWorkerDataConverter([Buffer.alloc(32, 1)]),
  });
  await worker.runUntil(async () => {
    const tenant = await seedTenant(db);
    await setRunning(db, tenant);
    // What a run needs and cannot be read.
    const garbage = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('"x"') };
    const workflowId = `tenant.moamalat.${tenant.slug}`;
    const { runId } = await client.workflowService.startWorkflowExecution({
      namespace,
      workflowId,
      requestId: randomUUID(),
      workflowType: { name: 'TenantProvisioning' },
      taskQueue: { name: TASK_QUEUE },
      input: { payloads: [garbage] },
    });
    await db.query(
      `update operations set workflow_id = $4, run_id = $3, updated_at = now() - $2 * interval '1 millisecond' where id = $1`,
      [tenant.operationId, LONGEST_LATENESS_MS + 1_000, runId, workflowId],
    );
    const of = () => alerts.filter(({ operationId }) => operationId === tenant.operationId);
    const orchestrator = temporalOrchestrator(client);
    await vi.waitFor(
      async () => {
        const seen = await orchestrator.look({ workflowId, runId });
        await watch(here);
        if (seen.is === 'open' && (seen.taskAttempt ?? 1) < FAILING_FROM_ATTEMPT - 1) expect(of()).toEqual([]);
        expect(of()).toHaveLength(1);
      },
      { timeout: 50_000, interval: 300 },
    );
    await watch(here);
    expect(of()).toMatchObject([
      { alert: 'operation-slow', workflowId, reason: expect.stringMatching(/workflow task .*attempt \d+/) as unknown },
    ]);
    const told = (await listEvents(db, tenant.tenantId)).filter(({ type }) => type === 'operation.slow');
    expect(told).toMatchObject([{ data: { reason: of()[0]?.reason } }]);
    await client.workflow.getHandle(workflowId).terminate();
  });
});
