import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { createTenantryClient } from '../../src/client/tenantry.ts';
import { changeOperationState } from '../../src/db/operations.ts';
import { examplePlatform } from '../support/platform.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

interface Caller {
  principal: string;
  role: string;
  requestId: string;
  address?: string;
}
interface Event {
  id: number;
  type: string;
  caller: Caller | null;
  data: { to?: string; verb?: string; reason?: string };
}

let counter = 0;
async function created() {
  const slug = `caller-${(counter += 1)}`;
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug } });
  expect(answer.statusCode).toBe(202);
  const { tenantId, operationId, workflowId } =
    answer.json<Record<'tenantId' | 'operationId' | 'workflowId', string>>();
  return { tenantId, operationId, workflowId, slug, url: `/api/v1/tenants/${tenantId}`, asker: askerOf(answer) };
}
/** The caller that a request must leave in the record. */
function askerOf({ headers }: { headers: Record<string, unknown> }): Caller {
  const requestId = String(headers['x-request-id']);
  return { principal: 'local-operator', role: 'platform-admin', requestId, address: '127.0.0.1' };
}
const post = async (url: string, payload?: object) => {
  const answer = await api.app.inject({ method: 'POST', url, ...(payload && { payload }) });
  return { status: answer.statusCode, asker: askerOf(answer) };
};
const eventsOf = async (url: string) =>
  (await api.app.inject({ url: `${url}/events` })).json<{ events: Event[] }>().events;
const find = async (url: string, type: string, to?: string) =>
  (await eventsOf(url)).findLast((event) => event.type === type && (to === undefined || event.data.to === to));

describe('who asked for a tenant', () => {
  it('is stored with its operation and its events, under the id that the answer gave the request', async () => {
    const { url, operationId, asker } = await created();
    expect((await api.app.inject({ url: `${url}/operations/${operationId}` })).json()).toMatchObject({ caller: asker });
    expect((await api.app.inject({ url: `${url}/status` })).json()).toMatchObject({ operation: { caller: asker } });
    expect((await eventsOf(url)).map(({ type, caller }) => [type, caller])).toEqual([
      ['tenant.accepted', asker],
      ['operation.accepted', asker],
    ]);
  });

  it('is behind what the run does by itself, also when a worker of an earlier release writes it', async () => {
    const { url, tenantId, operationId, asker } = await created();
    await api.orchestrator.claim(operationId);
    await api.database.query(
      `insert into events (cell, tenant_id, operation_id, type, step_id) values ('default', $1, $2, 'step.ready', 'logs')`,
      [tenantId, operationId],
    );
    const byRun = (await eventsOf(url)).filter(({ type }) => !type.endsWith('.accepted'));
    expect(byRun.map(({ type }) => type)).toEqual(['operation.state', 'tenant.status', 'step.ready']);
    expect(byRun.every(({ caller }) => JSON.stringify(caller) === JSON.stringify(asker))).toBe(true);
  });

  it('is unknown, never invented, where an earlier release did not store it', async () => {
    const { url, operationId } = await created();
    await api.database.query('update operations set caller = null where id = $1', [operationId]);
    await api.orchestrator.claim(operationId);
    expect((await api.app.inject({ url: `${url}/operations/${operationId}` })).json()).toMatchObject({ caller: null });
    expect(await find(url, 'operation.state', 'running')).toMatchObject({ caller: null });
  });

  it('is what the creating process says it is: a program that uses the client names itself', async () => {
    const client = createTenantryClient({
      database: api.database,
      orchestrator: api.orchestrator,
      platform: examplePlatform(),
      catalog: defaultCatalog,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
    const portal = { principal: 'portal', role: 'self-service', requestId: 'r-1' } as const;
    const { tenantId, operationId } = await client.createTenant(portal, { ...acme, slug: 'by-a-program' });
    expect(await client.operation(portal, tenantId, operationId)).toMatchObject({ caller: portal });
    await client.close();
  });
});

describe("an operator's request", () => {
  it('to retry is an event with its own caller; what the run does then is done for the caller of the operation', async () => {
    const tenant = await created();
    await api.orchestrator.claim(tenant.operationId);
    await api.move(tenant.tenantId, ['holding']);
    const retry = await post(`${tenant.url}/retry`);
    expect(retry.status).toBe(202);
    await api.move(tenant.tenantId, ['running']);
    expect(await find(tenant.url, 'operation.requested')).toMatchObject({
      caller: retry.asker,
      data: { verb: 'retry' },
    });
    expect(await find(tenant.url, 'operation.state', 'running')).toMatchObject({ caller: tenant.asker });
  });

  it('to cancel is an event with its own caller, also when no run has claimed the operation', async () => {
    const [claimed, unclaimed] = [await created(), await created()];
    await api.orchestrator.claim(claimed.operationId);
    const [asked, closed] = [await post(`${claimed.url}/cancel`), await post(`${unclaimed.url}/cancel`)];
    expect([asked.status, closed.status]).toEqual([202, 202]);
    expect(await find(claimed.url, 'operation.requested')).toMatchObject({
      caller: asked.asker,
      data: { verb: 'cancel' },
    });
    expect(await find(unclaimed.url, 'operation.state', 'cancelled')).toMatchObject({ caller: closed.asker });
    expect(await find(unclaimed.url, 'tenant.status', 'deleted')).toMatchObject({ caller: closed.asker });
  });

  it('that its run refuses stays in the trail, with the refusal', async () => {
    const { url, tenantId, operationId, workflowId } = await created();
    await api.orchestrator.claim(operationId);
    await api.move(tenantId, ['holding']);
    api.orchestrator.end(workflowId);
    const retry = await post(`${url}/retry`);
    expect(retry.status).toBe(409);
    const [asked, refused] = (await eventsOf(url)).slice(-2);
    expect(asked).toMatchObject({ type: 'operation.requested', caller: retry.asker });
    expect(refused).toMatchObject({
      type: 'operation.request-refused',
      caller: retry.asker,
      data: { verb: 'retry', reason: 'it has ended' },
    });
  });

  it('to abandon, and to delete what is stuck, is stored with the change that it makes', async () => {
    const [left, deleted] = [await created(), await created()];
    for (const { operationId, tenantId } of [left, deleted]) {
      await api.orchestrator.claim(operationId);
      await api.move(tenantId, ['rolling-back', 'stuck'], ['creating', 'failed']);
      await api.database.query('update tenants set cleanup_pending = true where id = $1', [tenantId]);
    }
    const abandon = await post(`${left.url}/abandon`, { reason: 'kept for the auditors' });
    const removal = await api.app.inject({ method: 'DELETE', url: `${deleted.url}?confirm=${deleted.slug}` });
    expect([abandon.status, removal.statusCode]).toEqual([200, 202]);
    expect(await find(left.url, 'operation.state', 'abandoned')).toMatchObject({ caller: abandon.asker });
    const by = askerOf(removal);
    expect(await find(deleted.url, 'operation.state', 'superseded')).toMatchObject({ caller: by });
    expect(await find(deleted.url, 'operation.accepted')).toMatchObject({ caller: by });
  });
});

it('nobody can change afterwards who caused an event', async () => {
  const { tenantId, operationId } = await created();
  await api.database.transaction((tx) => changeOperationState(tx, operationId, ['accepted'], 'running'));
  for (const statement of [
    `update events set caller = null where tenant_id = $1`,
    `delete from events where tenant_id = $1`,
  ])
    await expect(api.database.query(statement, [tenantId])).rejects.toThrow('append-only');
});
