import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { askTenant } from '../../sandbox/demo/tenant-address.ts';
import { freePort } from '../../sandbox/parts/ports.ts';
import { startApi, startWorker } from '../../sandbox/stack/processes.ts';
import { createApiClient } from '../../src/cli/api-client.ts';
import { startSystem, type System } from './system.ts';

let system: System | undefined;
const running = (): System => {
  if (!system) throw new Error('the system is not up');
  return system;
};
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

/** What worker and API print is asked for where a test needs it. */
const quietly = { log: () => undefined };

const request = (slug: string) => ({ product: 'moamalat', slug, displayName: slug, contactEmail: 'a@b.example' });

/** Accepts connections and never says a word. */
async function startBlackHole(): Promise<{ server: Server; address: string }> {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** An API beside the system's own, whose Temporal is somewhere else. */
async function startOtherApi(temporalAddress: string) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { ...running().parts.env, TEMPORAL_ADDRESS: temporalAddress, TENANTRY_API_PORT: String(port) };
  const child = await startApi(env, quietly);
  await expect
    .poll(
      () =>
        fetch(`${url}/healthz`).then(
          (r) => r.status,
          () => 0,
        ),
      { timeout: 20_000 },
    )
    .toBe(200);
  return { child, client: createApiClient(url), url };
}

describe('without Temporal', () => {
  it('the API answers 503, and nothing is half written', async () => {
    const closed = await freePort();
    const other = await startOtherApi(`127.0.0.1:${closed}`);
    try {
      await expect(other.client.create(request('no-temporal'))).rejects.toMatchObject({
        status: 503,
        code: 'ORCHESTRATOR_UNAVAILABLE',
      });
      // Withdrawn: the slug is free, so the other API can hand it out.
      const created = await running().create('no-temporal');
      expect(created.workflowId).toBe('tenant.moamalat.no-temporal');
      await running().api.cancel(created.tenantId);
      expect(await running().until(created.tenantId, 'cancelled')).toMatchObject({ cleanupPending: false });
    } finally {
      await other.child.stop();
    }
  });

  it('a run whose API died between writing and starting starts all the same', async () => {
    const hole = await startBlackHole();
    const other = await startOtherApi(hole.address);
    const pending = other.client.create(request('orphaned')).catch((error: unknown) => error);
    const written = async () =>
      (await running().api.list({ product: 'moamalat', limit: '200' })).tenants.find((t) => t.slug === 'orphaned');
    await expect.poll(written, { timeout: 20_000, interval: 50 }).toMatchObject({ status: 'pending' });
    other.child.kill('SIGKILL');
    await other.child.exited;
    hole.server.close();
    expect(await pending).toBeInstanceOf(Error);
    const tenant = await written();
    expect(await running().until(tenant!.tenantId, 'succeeded', 'holding')).toMatchObject({ status: 'active' });
  });
});

describe('a worker', () => {
  it('that is killed in mid-provisioning is followed by one that finishes', async () => {
    const { until, parts } = running();
    const { tenantId } = await running().create('survivor');
    await expect
      .poll(async () => (await running().api.status(tenantId)).stepsDone.length, { timeout: 20_000, interval: 20 })
      .toBeGreaterThan(3);
    running().worker.kill('SIGKILL');
    await running().worker.exited;
    expect((await running().api.status(tenantId)).operation.state).toBe('running');
    await running().startAnotherWorker();
    expect(await until(tenantId, 'succeeded', 'holding', 'rolled-back')).toMatchObject({ status: 'active' });
    const answer = await askTenant(parts.platform, 'survivor.moamalat-pro.com', '/api/tenant');
    expect(answer.status).toBe(200);
  });

  it('without AWS credentials says so at its start', async () => {
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _key, ...env } = running().parts.env;
    const worker = await startWorker(
      { ...env, AWS_EC2_METADATA_DISABLED: 'true', AWS_PROFILE: '', HOME: '/nonexistent' },
      quietly,
    );
    const exit = await worker.exited;
    expect(exit.code).toBe(2);
    expect(worker.output()).toMatch(/no usable AWS credentials for cell "default": CREDENTIALS_MISSING/);
  });

  it('whose settings are wrong reports all of them together', async () => {
    const worker = await startWorker(
      { DATABASE_URL: 'mysql://x', PLATFORM_CONFIG: '', TENANTRY_PAYLOAD_KEY: '' },
      quietly,
    );
    expect((await worker.exited).code).toBe(2);
    for (const name of ['DATABASE_URL', 'PLATFORM_CONFIG', 'TENANTRY_PAYLOAD_KEY'])
      expect(worker.output()).toContain(name);
  });

  it('whose health port is taken ends, and says so', async () => {
    const holder = createServer().listen(0);
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const worker = await startWorker({ ...running().parts.env, TENANTRY_WORKER_HEALTH_PORT: String(port) }, quietly);
    expect(await worker.exited).toEqual({ code: 2, signal: null });
    expect(worker.output()).toContain(`port ${port} (TENANTRY_WORKER_HEALTH_PORT) is taken by another process`);
    holder.close();
  });

  it.each([0, 150, 400, 800, 1_500])(
    'that is told to stop before it polls (%i ms after it first answers) ends in order',
    async (ms) => {
      const port = await freePort();
      const worker = await startWorker({ ...running().parts.env, TENANTRY_WORKER_HEALTH_PORT: String(port) }, quietly);
      const url = `http://127.0.0.1:${port}/healthz`;
      await vi.waitFor(() => fetch(url), { timeout: 60_000, interval: 20 });
      await sleep(ms);
      worker.kill('SIGTERM');
      expect(await Promise.race([worker.exited, sleep(40_000, 'still there')])).toEqual({ code: 0, signal: null });
      expect(worker.output()).toContain('"stopping"');
      expect(worker.output()).not.toMatch(/IllegalState|unhandled/i);
    },
  );
});

describe('an API', () => {
  it('whose port is taken ends, and says so', async () => {
    const api = await startApi(running().parts.env, quietly);
    expect(await api.exited).toEqual({ code: 2, signal: null });
    expect(api.output()).toMatch(/port \d+ \(TENANTRY_API_PORT\) is taken by another process/);
  });
});
