import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { accounts } from '../../src/products/accounts/product.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { folders } from '../support/folders.ts';
import { accountsInExample, examplePlatform } from '../support/platform.ts';
import { acmeAccount } from './accounts-fixture.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture({
    catalog: createCatalog({ products: [moamalat, folders, accounts] }),
    platform: examplePlatform({ ...accountsInExample, products: ['moamalat', 'folders', 'accounts'] }),
  });
});
afterAll(() => api.close());

interface Request {
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly payload?: object;
}
interface Answer {
  readonly webhookId: string;
  readonly tenantId: string;
  readonly id: string;
  readonly operationId: string;
  readonly freezeId: string;
}

let counter = 0;
const count = () => (counter += 1);
const post = async (url: string, payload?: object) => {
  const answer = await api.app.inject({ method: 'POST', url, ...(payload && { payload }) });
  expect(answer.statusCode, answer.body).toBeLessThan(300);
  return answer.json<Answer>();
};
const tenants = '/api/v1/tenants';
const creation = (more: object = {}) => ({ ...acme, slug: `walk-${count()}`, ...more });

async function created(more: object = {}) {
  const request = creation(more);
  const { tenantId, operationId } = await post(tenants, request);
  const workflowId = `tenant.${request.product}.${request.slug}`;
  return { tenantId, operationId, workflowId, slug: request.slug, url: `${tenants}/${tenantId}` };
}
async function active(more: object = {}) {
  const tenant = await created(more);
  await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}
async function suspended() {
  const tenant = await active();
  await post(`${tenant.url}/suspend`);
  await api.move(tenant.tenantId, ['running', 'committing', 'succeeded'], ['suspending', 'suspended']);
  api.orchestrator.end(tenant.workflowId);
  return tenant;
}
async function claimed(states: Parameters<ApiFixture['move']>[1], statuses: Parameters<ApiFixture['move']>[2] = []) {
  const tenant = await created();
  await api.orchestrator.claim(tenant.operationId);
  await api.move(tenant.tenantId, states, statuses);
  return tenant;
}
async function activeAccount() {
  const { id, operationId } = await post('/accounts?wait=false', acmeAccount);
  await api.orchestrator.claim(operationId);
  await api.move(id, ['committing', 'succeeded'], ['creating', 'active']);
  api.orchestrator.end(`tenant.accounts.${id}`);
  return id;
}

const webhooks = '/api/v1/webhooks';
const hookUrl = 'https://hooks.acme.example/';
const hook = async () => `${webhooks}/${(await post(webhooks, { url: hookUrl })).webhookId}`;

/** A request of each route that changes something, which is accepted. */
const requests: Readonly<Record<string, () => Promise<Request>>> = {
  createTenant: () => Promise.resolve({ method: 'POST', url: tenants, payload: creation() }),
  changeTenant: async () => ({ method: 'PATCH', url: (await active()).url, payload: { refresh: true } }),
  scaleTenant: async () => {
    return { method: 'POST', url: `${(await active()).url}/scale`, payload: { service: 'backend', count: 2 } };
  },
  suspendTenant: async () => ({ method: 'POST', url: `${(await active()).url}/suspend` }),
  resumeTenant: async () => ({ method: 'POST', url: `${(await suspended()).url}/resume` }),
  migrateTenant: async () => {
    const { url } = await active({ product: 'folders', tier: 'shared' });
    return { method: 'POST', url: `${url}/migrate`, payload: { tier: 'own' } };
  },
  rotateTenant: async () => ({ method: 'POST', url: `${(await active()).url}/rotate` }),
  repairTenant: async () => ({ method: 'POST', url: `${(await active()).url}/repair` }),
  retryOperation: async () => ({ method: 'POST', url: `${(await claimed(['holding'])).url}/retry` }),
  cancelOperation: async () => ({ method: 'POST', url: `${(await claimed([])).url}/cancel` }),
  abandonOperation: async () => {
    const { url } = await claimed(['rolling-back', 'stuck'], ['creating', 'failed']);
    return { method: 'POST', url: `${url}/abandon`, payload: { reason: 'kept' } };
  },
  isolateTenant: async () => ({
    ...{ method: 'POST', url: `${(await active()).url}/isolation` },
    payload: { reason: 'a breach' },
  }),
  liftIsolation: async () => {
    const { url } = await active();
    await post(`${url}/isolation`, { reason: 'a breach' });
    return { method: 'DELETE', url: `${url}/isolation` };
  },
  deleteTenant: async () => {
    const { url, slug } = await active();
    return { method: 'DELETE', url: `${url}?confirm=${slug}` };
  },
  createAccount: () => Promise.resolve({ method: 'POST', url: '/accounts?wait=false', payload: acmeAccount }),
  moveAccount: async () => ({ method: 'POST', url: `/accounts/${await activeAccount()}/move` }),
  changeAccount: async () => {
    return { method: 'PATCH', url: `/accounts/${await activeAccount()}`, payload: { name: 'ACME Limited' } };
  },
  retryAccount: async () => {
    const { id, operationId } = await post('/accounts?wait=false', acmeAccount);
    await api.orchestrator.claim(operationId);
    await api.move(id, ['holding']);
    return { method: 'POST', url: `/accounts/${id}/retry` };
  },
  cancelAccount: async () => {
    const { id } = await post('/accounts?wait=false', acmeAccount);
    return { method: 'POST', url: `/accounts/${id}/cancel` };
  },
  deleteAccount: async () => {
    const id = await activeAccount();
    return { method: 'DELETE', url: `/accounts/${id}?confirm=${id}` };
  },
  createStreamTicket: async () => ({ method: 'POST', url: `${(await created()).url}/events/tickets` }),
  createWebhook: () => Promise.resolve({ method: 'POST', url: webhooks, payload: { url: hookUrl } }),
  changeWebhook: async () => ({ method: 'PATCH', url: await hook(), payload: { description: 'ours' } }),
  deleteWebhook: async () => ({ method: 'DELETE', url: await hook() }),
  rotateWebhook: async () => ({ method: 'POST', url: `${await hook()}/rotate` }),
  replayDeadLetters: async () => ({ method: 'POST', url: `${await hook()}/replay` }),
  // Last: what is frozen accepts nothing.
  freeze: () =>
    Promise.resolve({ method: 'POST', url: '/api/v1/freezes', payload: { product: 'accounts', reason: 'x' } }),
  liftFreeze: async () => {
    const { freezeId } = await post('/api/v1/freezes', { product: 'moamalat', reason: 'for a lift' });
    return { method: 'DELETE', url: `/api/v1/freezes/${freezeId}` };
  },
};

interface Route {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Readonly<Record<string, { readonly description: string; readonly headers?: object }>>;
}

/** Routes that the description says change something. */
async function mutations(): Promise<Route[]> {
  const { paths } = (await api.app.inject('/openapi.json')).json<{ paths: Record<string, Record<string, Route>> }>();
  return Object.entries(paths)
    .filter(([path]) => !path.startsWith('/codec/'))
    .flatMap(([, methods]) => Object.entries(methods))
    .flatMap(([method, route]) => (['post', 'patch', 'delete', 'put'].includes(method) ? [route] : []));
}

/** All that a change leaves a trace in. */
async function traces() {
  const tables = ['tenants', 'operations', 'events', 'freezes', 'tenant_settings', 'idempotency_keys', 'audit_entries'];
  const counts = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`).join(', ');
  const { rows } = await api.database.query(`select ${counts}`);
  return { ...rows[0], taken: api.orchestrator.taken.length, open: [...api.orchestrator.open.keys()] };
}

/** Who changed what by a request, as the audit has it. */
async function auditedAs(requestId: unknown): Promise<unknown[]> {
  const answer = await api.app.inject(`/api/v1/audit?requestId=${String(requestId)}`);
  const { entries } = answer.json<{ entries: { type: string; outcome: string; caller: object }[] }>();
  return entries
    .filter(({ outcome }) => outcome !== 'recorded')
    .map(({ caller, outcome, type }) => ({ type, outcome, ...caller, requestId: 'its own' }));
}
function entryOf(type: string): object {
  const asksRun = ['retryOperation', 'cancelOperation', 'retryAccount'];
  const by = { principal: 'local-operator', role: 'platform-admin', address: '127.0.0.1', requestId: 'its own' };
  return { type, outcome: asksRun.includes(type) ? 'asked' : 'done', ...by };
}

/** Byte for byte; an account is shown as it is by then, and the request itself has changed when it was changed. */
function saidBy(name: string, { body }: { readonly body: string }): string {
  return name.endsWith('Account') ? body.replace(/"updatedAt":"[^"]+"/, '') : body;
}

describe('every route that changes something', () => {
  it('is walked here, and says that it takes a key, and what becomes of it', async () => {
    const routes = await mutations();
    // A delivery takes a worker: test/webhooks has it.
    const walked = [...Object.keys(requests), 'replayDelivery'];
    expect(routes.map(({ operationId }) => operationId).toSorted()).toEqual(walked.toSorted());
    for (const { operationId, parameters, responses } of routes) {
      expect([operationId, parameters]).toEqual([
        operationId,
        expect.arrayContaining([expect.objectContaining({ in: 'header', name: 'Idempotency-Key' })]),
      ]);
      expect(responses[409]?.description).toContain('IDEMPOTENCY_KEY_IN_USE');
      expect(responses[409]?.headers).toHaveProperty('Retry-After');
      expect(responses[422]?.description).toContain('IDEMPOTENCY_KEY_REUSED');
      const accepted = Object.entries(responses).filter(([status]) => status.startsWith('2'));
      expect(accepted).not.toHaveLength(0);
      for (const [, answer] of accepted) expect(answer.headers).toHaveProperty('Idempotency-Replayed');
    }
  });

  it.each(Object.keys(requests))('%s: a repeat changes nothing and is answered as the first time was', async (name) => {
    const request = await requests[name]!();
    const send = (headers: Record<string, string>, more: Partial<Request> = {}) =>
      api.app.inject({ ...request, ...more, headers });
    const malformed = await send({ 'idempotency-key': '"' });
    expect([malformed.statusCode, malformed.body]).toEqual([400, expect.stringContaining('Idempotency-Key')]);
    const key = { 'idempotency-key': `walk of ${name}` };
    const first = await send(key);
    expect(first.statusCode, first.body).toBeLessThan(300);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(await auditedAs(first.headers['x-request-id'])).toEqual([entryOf(name)]);
    const before = await traces();
    const again = await send(key);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect([again.statusCode, again.headers.location, saidBy(name, again)]).toEqual([
      first.statusCode,
      first.headers.location,
      saidBy(name, first),
    ]);
    const query = request.url.includes('?') ? '&' : '?';
    const other = await send(key, { url: `${request.url}${query}dryRun=false` });
    expect([other.statusCode, other.body]).toEqual([422, expect.stringContaining('IDEMPOTENCY_KEY_REUSED')]);
    expect(await traces()).toEqual(before);
    for (const { headers } of [malformed, again, other]) expect(await auditedAs(headers['x-request-id'])).toEqual([]);
  });
});
