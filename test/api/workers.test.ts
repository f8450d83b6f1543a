import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WorkersView } from '../../src/client/views.ts';
import { recordHeartbeat } from '../../src/db/worker-heartbeats.ts';
import { seedTenant } from '../db/fixtures.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { containing } from './matchers.ts';

const times = { everyMs: 20, countsMs: 2_000, alertAfterMs: 200 };
let api: ApiFixture;
beforeEach(async () => {
  api = await createApiFixture({ workerWatchTimes: times });
});
afterEach(() => api.close());

const post = (path: string, payload: object = {}) =>
  api.app.inject({ method: 'POST', url: `/api/v1/tenants${path}`, payload });
const create = async (slug = 'acme') =>
  (await post('', { ...acme, slug })).json<{ tenantId: string; workers: WorkersView }>();
const workersIn = async (path: string) =>
  (await api.app.inject(`/api/v1/tenants/${path}`)).json<{ workers?: unknown }>();
const none = { state: 'none', detail: 'no worker polls the task queue' };
const seen = () => expect.poll(() => api.client.workers().state);

describe('answers about an open operation', () => {
  it('say that no worker polls, or when one was last seen', async () => {
    await seen().toBe('polling');
    const polling = { state: 'polling', detail: containing('1 worker, last seen') };
    const { tenantId, workers } = await create();
    expect(workers).toEqual(polling);
    api.orchestrator.workers = [];
    await seen().toBe('none');
    expect((await create('second')).workers).toEqual(none);
    for (const path of [tenantId, `${tenantId}/status`]) expect((await workersIn(path)).workers).toEqual(none);
    const cancelled = await post(`/${tenantId}/cancel`);
    expect([cancelled.statusCode, cancelled.json<{ workers: unknown }>().workers]).toEqual([202, none]);
  });

  it('say nothing of workers once the operation is closed', async () => {
    const { tenantId } = await create();
    await post(`/${tenantId}/cancel`);
    for (const path of [tenantId, `${tenantId}/status`]) expect(await workersIn(path)).not.toHaveProperty('workers');
  });

  it('say that it is unknown while it was not looked at, and while Temporal does not say', async () => {
    expect((await create()).workers).toEqual({ state: 'unknown', detail: containing('not looked at lately') });
    await seen().toBe('polling');
    api.orchestrator.unreachable = true;
    await expect.poll(() => api.client.workers().detail).toContain('Temporal does not say');
  });

  it('say that it is unknown whether a worker lives that polled, while PostgreSQL does not answer', async () => {
    await recordHeartbeat(api.database, 'worker-1');
    api.proxy.addRule({ match: { contains: ['worker_heartbeats'] }, fault: { type: 'park' }, times: null });
    await expect.poll(() => api.client.workers().detail).toContain('PostgreSQL does not say');
    expect(api.client.workers().state).toBe('unknown');
    api.proxy.release();
  });

  it('do not wait for a look', async () => {
    await seen().toBe('polling');
    const hangs = new Promise<never>(() => undefined);
    api.orchestrator.pollers = () => hangs;
    const before = performance.now();
    expect((await create()).workers.state).toBe('polling');
    expect(performance.now() - before).toBeLessThan(times.countsMs);
    await seen().toBe('unknown');
  });
});

describe('an API that listens', () => {
  const alerts = () => api.logged.filter((line) => line.includes('"alert"'));

  it('raises an alert once when operations wait and no worker polls, and again after one has polled in between', async () => {
    const { workers } = api.orchestrator;
    api.orchestrator.workers = [];
    await create();
    await api.listen();
    await expect.poll(alerts).toHaveLength(1);
    const alert = JSON.parse(alerts()[0]!) as { level: number };
    expect(alert).toMatchObject({
      level: 50,
      alert: 'no-worker',
      waiting: { accepted: 1, running: 0 },
      detail: none.detail,
      runbook: 'docs/runbook.md#no-worker',
    });
    api.orchestrator.workers = workers;
    await expect.poll(() => api.logged.join('')).toContain('a worker polls again');
    expect(alerts()).toHaveLength(1);
    api.orchestrator.workers = [];
    await expect.poll(alerts).toHaveLength(2);
  });

  it('raises none while nothing waits, or Temporal does not say who polls', async () => {
    api.orchestrator.workers = [];
    await api.listen();
    const later = () => new Promise((resolve) => setTimeout(resolve, 2 * times.alertAfterMs));
    await later();
    api.orchestrator.unreachable = true;
    await expect.poll(() => api.client.workers().state).toBe('unknown');
    await seedTenant(api.database);
    await later();
    expect(alerts()).toEqual([]);
    api.orchestrator.unreachable = false;
    await expect.poll(alerts).toHaveLength(1);
  });
});

describe('readiness', () => {
  it('says within three seconds that a PostgreSQL which hangs is unknown, however often it is asked', async () => {
    api.proxy.addRule({ match: {}, fault: { type: 'park' }, times: null });
    const ask = async () => {
      const before = performance.now();
      const answer = await api.app.inject('/readyz');
      expect(performance.now() - before).toBeLessThan(3_500);
      return answer;
    };
    const answers = [await ask(), ...(await Promise.all(Array.from({ length: 20 }, ask)))];
    for (const answer of answers) {
      expect(answer.statusCode).toBe(503);
      expect(answer.json()).toMatchObject({
        checks: {
          postgresql: { ok: false, detail: 'PostgreSQL is unknown: no answer within 2.5 s' },
          temporal: { ok: true },
          workers: { ok: false, detail: containing('PostgreSQL does not say') },
        },
      });
    }
    api.proxy.release();
  });
});
