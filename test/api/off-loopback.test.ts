import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import { createApiFixture, type ApiFixture } from './api-fixture.ts';
import { configOf, startIssuer, type TestIssuer } from './issuer.ts';

const PUBLIC = 'tenantry.example.com';
let issuer: TestIssuer;
let api: ApiFixture;
let port: number;
beforeAll(async () => {
  issuer = await startIssuer();
  api = await createApiFixture({
    authenticators: [oidcAuthenticator(configOf(issuer), { log: { warn: () => undefined } })],
    door: { publicHosts: [PUBLIC, `${PUBLIC}:8443`], trustedProxies: ['127.0.0.0/8'] },
  });
  port = Number(new URL((await api.listen('0.0.0.0')).url).port);
});
afterAll(async () => {
  await api.close();
  await issuer.close();
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
}
const ask = (path: string, headers: Record<string, string>) =>
  new Promise<Answer>((done, failed) => {
    get({ host: '127.0.0.1', port, path, headers }, (response) => {
      response.resume();
      response.on('end', () => done({ status: response.statusCode ?? 0, headers: response.headers }));
    }).on('error', failed);
  });
const authorized = async () => ({
  authorization: `Bearer ${await issuer.token({ tenantry_roles: ['platform-admin'] })}`,
});

describe('an API that asks who calls', () => {
  it('listens where it is told, and is reached by its names alone', async () => {
    const token = await authorized();
    for (const host of [PUBLIC, PUBLIC.toUpperCase(), `${PUBLIC}:8443`, `127.0.0.1:${port}`])
      expect([host, (await ask('/api/v1/products', { host, ...token })).status]).toEqual([host, 200]);
    for (const host of ['evil.example', `${PUBLIC}.evil.example`, `evil.${PUBLIC}`, `${PUBLIC}:1`, '10.0.0.1'])
      expect([host, (await ask('/api/v1/products', { host, ...token })).status]).toEqual([host, 400]);
  });

  it('answers probes by any name: a load balancer asks by the address', async () => {
    expect((await ask('/healthz', { host: '10.0.0.1:3006' })).status).toBe(200);
  });

  it('takes changes from pages of its own origin only, and gives no page of another leave to read', async () => {
    const token = await authorized();
    const post = (origin: string, host = PUBLIC) =>
      api.app.inject({ method: 'POST', url: '/api/v1/freezes', headers: { host, origin, ...token }, payload: {} });
    const headerOf = async (origin: string) =>
      (await post(origin)).json<{ error: { details: object } }>().error.details;
    for (const origin of ['https://evil.example', `https://${PUBLIC}:8443`, 'null'])
      expect(await headerOf(origin)).toEqual({ header: 'origin' });
    expect(await headerOf(`https://${PUBLIC}`)).not.toEqual({ header: 'origin' });
    const read = await ask('/api/v1/products', { host: PUBLIC, origin: 'https://evil.example', ...token });
    expect(Object.keys(read.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['203.0.113.9, 198.51.100.7, 127.0.0.2', '198.51.100.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['somebody', '127.0.0.1'],
  ])('behind its proxy, which passes %s on, knows that a request comes from %s', async (forwarded, address) => {
    const answer = await ask('/api/v1/products', { host: PUBLIC, 'x-forwarded-for': forwarded });
    const { rows } = await api.database.query('select address from access_refusals where request_id = $1', [
      answer.headers['x-request-id'],
    ]);
    expect(rows).toEqual([{ address }]);
  });
});

it('what a caller says of its own address counts for nothing without a proxy that is trusted', async () => {
  const without = await createApiFixture({ authenticators: [oidcAuthenticator(configOf(issuer), { log: console })] });
  try {
    await without.app.inject({ url: '/api/v1/products', headers: { 'x-forwarded-for': '198.51.100.7' } });
    const { rows } = await without.database.query('select address from access_refusals');
    expect(rows).toEqual([{ address: '127.0.0.1' }]);
  } finally {
    await without.close();
  }
});

it('an API that ends answers what it was asked before, and ends live streams', async () => {
  const ending = await createApiFixture();
  try {
    const server = await ending.listen();
    const list = `${server.url}/api/v1/tenants`;
    expect((await fetch(`${server.url}/healthz`)).headers.get('connection')).toBe('keep-alive');
    let closed: Promise<void> | undefined;
    const answer = ending.database.transaction(async (tx) => {
      await tx.query('lock table tenants in access exclusive mode');
      const asked = fetch(list);
      await expect
        .poll(
          async () =>
            (await tx.query(`select from pg_locks where not granted and relation = 'tenants'::regclass`)).rowCount,
        )
        .toBe(1);
      closed = server.close();
      return { asked };
    });
    const { asked } = await answer;
    const listed = await asked;
    expect([listed.status, listed.headers.get('connection')]).toEqual([200, 'close']);
    expect(await listed.json()).toEqual({ tenants: [], nextCursor: null });
    await closed;
    await expect(fetch(list)).rejects.toThrow();
  } finally {
    await ending.close();
  }
});
