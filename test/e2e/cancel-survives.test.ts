import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startPostgresProxy, type PostgresProxy } from '../../sandbox/parts/postgres-proxy.ts';
import { freePort } from '../../sandbox/parts/ports.ts';
import type { Child } from '../../sandbox/parts/child.ts';
import { startApi } from '../../sandbox/stack/processes.ts';
import { createApiClient } from '../../src/cli/api-client.ts';
import { createWebhooksClient } from '../../src/cli/webhooks-client.ts';
import { ISOLATION_STEP } from '../../src/contracts/isolation.ts';
import { startReceiver } from '../webhooks/receiver.ts';
import { verified } from '../webhooks/webhook-world.ts';
import { startSystem, type System } from './system.ts';

let system: System;
let proxy: PostgresProxy;
let worker: Child;
beforeAll(async () => {
  system = await startSystem();
  worker = system.worker;
  const { hostname: host, port } = new URL(system.parts.env.DATABASE_URL ?? '');
  proxy = await startPostgresProxy({ host, port: Number(port) });
}, 180_000);
afterAll(async () => {
  await proxy.close();
  await system.stop();
}, 60_000);

/** An API of its own behind the proxy. */
async function startAnotherApi() {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const DATABASE_URL = proxy.through(system.parts.env.DATABASE_URL ?? '');
  const child = await startApi(
    { ...system.parts.env, DATABASE_URL, TENANTRY_API_PORT: port },
    { log: () => undefined },
  );
  await vi.waitFor(async () => expect((await fetch(`${url}/healthz`)).ok).toBe(true), { timeout: 60_000 });
  return { child, api: createApiClient(url) };
}

it(
  'a cancel that its run took takes effect, though API and worker are killed before it is stamped',
  { timeout: 240_000 },
  async () => {
    const { child, api } = await startAnotherApi();
    const { tenantId, operationId } = await system.create('cancel-survives', 'hold');
    await system.until(tenantId, 'running');
    const stamp = { startsWith: 'update operations set cancel_requested_at = clock_timestamp() where' };
    // The first one is the record, before the run is asked.
    const parked = proxy.addRule({ match: stamp, skip: 1, fault: { type: 'park' } });
    const lost = api.cancel(tenantId).catch(() => 'no answer');
    await vi.waitFor(() => expect(proxy.hits(parked)).toBe(1), { timeout: 20_000, interval: 20 });
    for (const process of [child, worker]) {
      process.kill('SIGKILL');
      await process.exited;
    }
    expect(await lost).toBe('no answer');
    worker = await system.startAnotherWorker();
    await system.until(tenantId, 'cancelled', 'succeeded', 'rolled-back', 'stuck');
    const closed = await system.api.operation(tenantId, operationId);
    expect(closed).toMatchObject({ state: 'cancelled', cancelRequestedAt: expect.any(String) as string });
  },
);

it('an isolation that is asked for while no worker runs is in effect once one does, and ends with its tenant', async () => {
  worker.kill('SIGKILL');
  await worker.exited;
  const { tenantId } = await system.create('isolated-early', 'hold');
  expect((await system.api.isolate(tenantId, 'a breach')).isolation).toMatchObject({ state: 'requested' });
  worker = await system.startAnotherWorker();
  const isolation = async () => (await system.api.get(tenantId)).isolation;
  await vi.waitFor(async () => expect(await isolation()).toMatchObject({ state: 'on' }), {
    timeout: 60_000,
    interval: 200,
  });
  await system.api.cancel(tenantId);
  await system.until(tenantId, 'cancelled', 'stuck');
  expect(await isolation()).toBeNull();
  expect((await system.inventory()).filter(({ tags }) => tags?.['tenantry:step'] === ISOLATION_STEP)).toEqual([]);
}, 180_000);

it('a webhook is told of what was accepted, though API and worker were killed before it could be', async () => {
  const receiver = await startReceiver();
  const made = await createWebhooksClient(system.apiUrl).create({ url: receiver.url });
  const secret = 'secret' in made ? made.secret : '';
  const told = () => receiver.received.map((one) => verified(one, secret));
  worker.kill('SIGKILL');
  await worker.exited;
  const { child, api } = await startAnotherApi();
  const { tenantId } = await api.create({
    ...{ product: 'moamalat', slug: 'told-late', displayName: 'Told late', contactEmail: 'admin@told.example' },
    onFailure: 'rollback',
  });
  child.kill('SIGKILL');
  await child.exited;
  expect(receiver.received).toEqual([]);
  worker = await system.startAnotherWorker();
  await system.until(tenantId, 'running');
  await system.api.cancel(tenantId);
  await system.until(tenantId, 'cancelled', 'stuck');
  const isToldOfEnd = () => told().some(({ type, data }) => type === 'operation.state' && data.to === 'cancelled');
  await vi.waitFor(() => expect(isToldOfEnd()).toBe(true), { timeout: 20_000, interval: 100 });
  expect(told().slice(0, 3)).toMatchObject([
    { type: 'tenant.accepted', data: { tenantId, slug: 'told-late' } },
    { type: 'operation.accepted', data: { operation: { type: 'provision' } } },
    { type: 'operation.state', data: { from: 'accepted', to: 'running' } },
  ]);
  const ids = told().map(({ data }) => data.eventId);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => Number(a) - Number(b)));
  await receiver.close();
}, 180_000);
