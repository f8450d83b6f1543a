import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { configOf, startIssuer, type TestIssuer } from './issuer.ts';

let issuer: TestIssuer;
let api: ApiFixture;
beforeAll(async () => {
  issuer = await startIssuer();
  api = await createApiFixture({
    authenticators: [oidcAuthenticator(configOf(issuer), { log: { warn: () => undefined } })],
  });
});
afterAll(async () => {
  await api.close();
  await issuer.close();
});

/** The same person each time, in the role and with the tenants that the token names. */
async function send(role: string, tenants: readonly string[], key: string, url: string, payload: object) {
  const token = await issuer.token({ sub: 'ada', tenantry_roles: [role], tenantry_tenants: tenants });
  const answer = await api.app.inject({
    ...{ method: 'POST', url, payload },
    headers: { authorization: `Bearer ${token}`, 'idempotency-key': key },
  });
  const { error, ...body } = answer.json<{ error?: { code: string }; tenantId: string; secret?: string }>();
  const replayed = answer.headers['idempotency-replayed'] === 'true';
  return { status: answer.statusCode, code: error?.code, replayed, ...body };
}
const tenant = async (slug: string) =>
  (await send('platform-admin', [], randomUUID(), '/api/v1/tenants', { ...acme, slug })).tenantId;
const webhook = (role: string, tenants: readonly string[], key: string, tenantId?: string) =>
  send(role, tenants, key, '/api/v1/webhooks', { url: 'https://hooks.example.com/t', tenantId });
const reused = { status: 422, code: 'IDEMPOTENCY_KEY_REUSED', replayed: false };

it('a secret is shown again to who may do what the first could, and to nobody who may not', async () => {
  const [one, two] = [await tenant('powers-one'), await tenant('powers-two')];
  const key = randomUUID();
  const first = await webhook('tenant-admin', [one, two], key, one);
  expect(first).toMatchObject({ status: 201, replayed: false });
  expect(await webhook('tenant-admin', [two, one], key, one)).toEqual({ ...first, replayed: true });
  for (const [role, tenants] of [
    ['tenant-admin', [two]],
    ['tenant-admin', []],
    ['tenant-admin', [one]],
    ['self-service', []],
    ['platform-operator', []],
    ['platform-admin', []],
  ] as const) {
    const answer = await webhook(role, tenants, key, one);
    expect(answer.secret).toBeUndefined();
    expect([403, 422]).toContain(answer.status);
  }
  expect(await webhook('tenant-admin', [two], key, one)).toEqual(reused);
});

it('a key of a platform-admin is none of the same person in a lower role', async () => {
  const one = await tenant('powers-former');
  const key = randomUUID();
  const first = await webhook('platform-admin', [], key);
  expect(first.status).toBe(201);
  expect(await webhook('platform-admin', [one], key)).toEqual({ ...first, replayed: true });
  expect(await webhook('platform-operator', [], key)).toEqual(reused);
  expect(await webhook('tenant-admin', [one], key)).toEqual(reused);
});
