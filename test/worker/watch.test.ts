import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporalOrchestrator } from '../../src/client/temporal-orchestrator.ts';
import { LONGEST_LATENESS_MS } from '../../src/contracts/verbs.ts';
import type { Database } from '../../src/db/database.ts';
import { findOperation } from '../../src/db/operations.ts';
import { createTemporalClient, type TemporalClient } from '../../src/temporal/client.ts';
import { watchOperations } from '../../src/worker/watch.ts';
import { seedTenant, setRunning, type Seeded } from '../db/fixtures.ts';
import { useControlDatabase } from '../support/database.ts';
import { openNamespaces, type Namespaces } from '../support/namespaces.ts';

let db: Database;
useControlDatabase((opened) => (db = opened));

let namespaces: Namespaces;
let here: TemporalClient;
let away: TemporalClient;
beforeAll(async () => {
  namespaces = await openNamespaces();
  here = namespaces.own;
  const connect = { connectionOptions: { address: '127.0.0.1:9' }, namespace: here.namespace };
  away = createTemporalClient(connect, { payloadKeys: [Buffer.alloc(32, 1)] });
});
afterAll(() => Promise.all([namespaces.close(), away.close()]));

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
