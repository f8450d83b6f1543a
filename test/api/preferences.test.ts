import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../../src/api/app.ts';
import { preferencesIn } from '../../src/api/preferences.ts';
import type { TenantryClient } from '../../src/client/tenantry.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { acme, createApiFixture, payloadKey, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

interface Answer {
  tenantId: string;
  operationId: string;
  status: string;
  outcome?: { operationId: string; state: string };
}
let counter = 0;
const fresh = () => ({ ...acme, slug: `wait-${(counter += 1)}` });
async function create(prefer: string, more: Record<string, string> = {}, payload = fresh(), app = api.app) {
  const began = performance.now();
  const headers = { prefer, ...more };
  const answer = await app.inject({ method: 'POST', url: '/api/v1/tenants', payload, headers });
  const { 'preference-applied': applied, 'idempotency-replayed': replayed, etag, location } = answer.headers;
  const body = answer.json<Answer>();
  return { status: answer.statusCode, etag, location, applied, replayed, body, tookMs: performance.now() - began };
}
async function idOf(slug: string): Promise<string> {
  for (;;) {
    const { rows } = await api.database.query<{ id: string }>('select id from tenants where slug = $1', [slug]);
    if (rows[0]) return rows[0].id;
    await sleep(20);
  }
}

describe('Prefer: wait=N', () => {
  it('is answered with the tenant once its operation has ended', async () => {
    const payload = fresh();
    const waiting = create('wait=30', {}, payload);
    const id = await idOf(payload.slug);
    await api.move(id, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
    const { body, ...answer } = await waiting;
    const { etag } = (await api.app.inject(`/api/v1/tenants/${id}`)).headers;
    expect(etag).toBeDefined();
    expect(answer).toMatchObject({ status: 200, applied: 'wait=30', etag, location: `/api/v1/tenants/${id}` });
    expect(body).toMatchObject({ tenantId: id, status: 'active', outcome: { state: 'succeeded' } });
    expect(body.outcome?.operationId).toBe(body.operationId);
  });

  it('is answered with the acceptance when the time is over, or when the operation waits for somebody', async () => {
    const late = await create('wait=1');
    expect(late).toMatchObject({ status: 202, applied: 'wait=1', body: { status: 'pending' } });
    expect(late.tookMs).toBeGreaterThan(900);
    const payload = fresh();
    const waiting = create('wait=30', {}, payload);
    await api.move(await idOf(payload.slug), ['running', 'holding'], []);
    const held = await waiting;
    expect(held.status).toBe(202);
    expect(held.tookMs).toBeLessThan(15_000);
  });

  it('a repeat under the same key waits again', async () => {
    const payload = fresh();
    const key = { 'idempotency-key': 'wait again' };
    const first = await create('wait=0', key, payload);
    expect(first).toMatchObject({ status: 202, applied: 'wait=0' });
    const again = create('wait=30', key, payload);
    await api.move(
      first.body.tenantId,
      ['running', 'rolling-back', 'rolled-back'],
      ['validating', 'creating', 'failed'],
    );
    const { body, ...answer } = await again;
    expect(answer).toMatchObject({ status: 200, replayed: 'true' });
    expect(body).toMatchObject({ operationId: first.body.operationId, outcome: { state: 'rolled-back' } });
  });

  it.each([
    ['fails', () => Promise.reject(new Error('the database is down'))],
    ['hangs', () => new Promise<never>(() => undefined)],
  ])('never loses the acceptance: every look %s', async (_what, get) => {
    const client: TenantryClient = { ...api.client, get };
    const log = pino({ level: 'silent' });
    const app = await buildApp({ client, codec: new EncryptionCodec([payloadKey]), log });
    const answer = await create('wait=1', {}, fresh(), app);
    expect(answer).toMatchObject({ status: 202, applied: 'wait=1' });
    expect(answer.tookMs).toBeLessThan(5_000);
    await app.close();
  });

  it('ends at once with the acceptance when the API is to end', async () => {
    const server = await api.listen();
    const payload = fresh();
    const headers = { prefer: 'wait=30', 'content-type': 'application/json' };
    const asked = fetch(`${server.url}/api/v1/tenants`, { method: 'POST', headers, body: JSON.stringify(payload) });
    await idOf(payload.slug);
    const began = performance.now();
    const closing = server.close();
    expect((await asked).status).toBe(202);
    expect(performance.now() - began).toBeLessThan(5_000);
    await closing;
  });
});

it.each([
  ['wait=10', { waitMs: 10_000, isAsync: false }],
  ['WAIT = "10"', { waitMs: 10_000, isAsync: false }],
  ['respond-async, wait=5; x=1', { waitMs: 5_000, isAsync: true }],
  ['wait=5, wait=7', { waitMs: 5_000, isAsync: false }],
  ['wait=9999', { waitMs: 60_000, isAsync: false }],
  ['foo="a, wait=3", wait=4', { waitMs: 4_000, isAsync: false }],
  ['foo; bar="x,y", respond-async', { waitMs: undefined, isAsync: true }],
  [', ,wait=2', { waitMs: 2_000, isAsync: false }],
  ['wait 3, wait=2', { waitMs: 2_000, isAsync: false }],
  ...['', 'wait', 'wait=', 'wait=-1', 'wait=1.5', 'wait=soon', 'wait=""', '"', 'wait="3', '@@', 'respond-async=no'].map(
    (text) => [text, { waitMs: undefined, isAsync: false }] as const,
  ),
] as const)('Prefer: %s', (text, expected) => {
  expect(preferencesIn(text)).toEqual(expected);
});
