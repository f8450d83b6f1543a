import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildApp } from '../../src/api/app.ts';
import { temporalOrchestrator } from '../../src/client/temporal-orchestrator.ts';
import { LOOK_COUNTS_MS, tiedOrchestrator } from '../../src/client/tied-orchestrator.ts';
import { createTenantryClient } from '../../src/client/tenantry.ts';
import { createDatabase, DatabaseUnavailableError, type Database } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { findOpenOperation } from '../../src/db/operations.ts';
import { adoptNamespace } from '../../src/db/temporal-namespaces.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import type { TemporalClient } from '../../src/temporal/client.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { takeNamespace } from '../../src/temporal/namespace-mark.ts';
import { lookUpNamespace } from '../../src/temporal/namespace.ts';
import { seedTenant, setRunning } from '../db/fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openNamespaces, type Namespaces } from '../support/namespaces.ts';
import { examplePlatform } from '../support/platform.ts';
import { payloadKey } from './api-fixture.ts';
import { containing } from './matchers.ts';
import { testCaller } from '../support/caller.ts';

let test: TestDatabase;
let db: Database;
let namespaces: Namespaces;
let own: TemporalClient;
let foreign: TemporalClient;
/** How often the installation's namespace was asked for. */
let looks = 0;
let isAway = false;
const counting: Pick<Database, 'query'> = {
  query: (text, values) => {
    looks += 1;
    return isAway ? Promise.reject(new DatabaseUnavailableError('away')) : db.query(text, values);
  },
};

beforeAll(async () => {
  [test, namespaces] = await Promise.all([createTestDatabase(), openNamespaces(payloadKey)]);
  ({ own, other: foreign } = namespaces);
  await migrate(test.controlUrl);
  db = createDatabase({ url: test.controlUrl });
});
afterAll(async () => {
  await Promise.all([namespaces.close(), db.close()]);
  await test.drop();
});
beforeEach(() => {
  looks = 0;
  isAway = false;
});

const tied = (temporal: TemporalClient) =>
  tiedOrchestrator(temporalOrchestrator(temporal.client), { database: counting, temporal });
const tie = async (to: TemporalClient) => {
  const namespace = await lookUpNamespace(to.client, to.namespace);
  await adoptNamespace(db, { namespace: namespace!, by: 'a test', reason: 'the test wants it', caller: testCaller });
};

async function apiOn(temporal: TemporalClient) {
  const log = pino({ level: 'silent' });
  const client = createTenantryClient({
    database: db,
    orchestrator: tied(temporal),
    platform: examplePlatform(),
    catalog: defaultCatalog,
    log,
  });
  const app = await buildApp({ client, codec: new EncryptionCodec([payloadKey]), log });
  const close = () => Promise.all([app.close(), client.close()]);
  return { app, close };
}

describe('the orchestrator of an API', () => {
  it('works in a namespace that nobody has taken, while its installation is tied to none', async () => {
    await tied(foreign).ping();
    expect(looks).toBe(1);
  });

  it('works in its own namespace, and looks whether it is that once in a while', async () => {
    await tie(own);
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const orchestrator = tied(own);
      const run = { workflowId: `tenant.moamalat.${randomUUID()}`, runId: null };
      const ask = () => orchestrator.look(run);
      expect(await Promise.all([ask(), ask(), ask()])).toEqual(Array(3).fill({ is: 'missing' }));
      vi.setSystemTime(Date.now() + LOOK_COUNTS_MS - 1_000);
      await ask();
      expect(looks).toBe(1);
      vi.setSystemTime(Date.now() + 2_000);
      await ask();
      expect(looks).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('does nothing in a namespace that another installation has taken', async () => {
    const { own: taken, close } = await openNamespaces(payloadKey);
    await takeNamespace(taken.client, 'another-one');
    await tie(taken);
    const refused = tied(taken).look({ workflowId: 'tenant.moamalat.acme', runId: null });
    await expect(refused).rejects.toThrow(/holds the runs of installation another-one, .* adopt-namespace/);
    await expect(tied(taken).ping()).rejects.toThrow('holds the runs of installation another-one');
    await tie(own);
    await close();
  });

  it('does nothing without an answer, asks again for one, and finds Temporal there all the same', async () => {
    isAway = true;
    const orchestrator = tied(own);
    const look = () => orchestrator.look({ workflowId: 'tenant.moamalat.acme', runId: null });
    await expect(look()).rejects.toThrow(DatabaseUnavailableError);
    await orchestrator.ping();
    isAway = false;
    expect(await look()).toEqual({ is: 'missing' });
  });
});

describe('an API in a foreign namespace', () => {
  it('starts nothing, retries nothing, and says why', async () => {
    await tie(own);
    const { app, close } = await apiOn(foreign);
    try {
      const why = containing(`the runs of this database are in the Temporal namespace "${own.namespace}"`);
      const ready = await app.inject('/readyz');
      expect(ready.statusCode).toBe(503);
      expect(ready.json()).toMatchObject({ checks: { temporal: { ok: false, detail: why } } });

      const payload = { product: 'moamalat', slug: 'acme', displayName: 'Acme', contactEmail: 'ops@acme.example' };
      const refused = { error: { code: 'ORCHESTRATOR_UNAVAILABLE', message: why } };
      const created = await app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
      expect([created.statusCode, created.json()]).toMatchObject([503, refused]);

      const tenant = await seedTenant(db);
      await setRunning(db, tenant, 'stuck');
      for (const verb of ['retry', 'cancel']) {
        const answer = await app.inject({ method: 'POST', url: `/api/v1/tenants/${tenant.tenantId}/${verb}` });
        expect([answer.statusCode, answer.json()]).toMatchObject([503, refused]);
      }
      const remove = await app.inject({
        method: 'DELETE',
        url: `/api/v1/tenants/${tenant.tenantId}?confirm=${tenant.slug}`,
      });
      expect([remove.statusCode, remove.json()]).toMatchObject([503, refused]);
      expect((await findOpenOperation(db, tenant.tenantId))?.state).toBe('stuck');
      const { executions } = await foreign.client.workflowService.listOpenWorkflowExecutions({
        namespace: foreign.namespace,
      });
      expect(executions).toEqual([]);
    } finally {
      await close();
    }
  });
});
