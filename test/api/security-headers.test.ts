import { afterAll, beforeAll, expect, it } from 'vitest';
import { serviceKeyAuthenticator } from '../../src/api/access/service-keys.ts';
import { createDatabase } from '../../src/db/database.ts';
import { createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
let asking: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
  const database = createDatabase({ url: api.controlUrl });
  const authenticator = serviceKeyAuthenticator({ database, log: { warn: () => undefined } });
  asking = await createApiFixture({ authenticators: [authenticator] });
  afterAll(() => database.close());
});
afterAll(() => Promise.all([api.close(), asking.close()]));

it.each([
  ['200', 'GET', '/api/v1/tenants', 200],
  ['a probe', 'GET', '/healthz', 200],
  ['400', 'GET', '/api/v1/tenants?limit=x', 400],
  ['a malformed path', 'GET', '/api/v1/tenants/%zz', 400],
  ['404', 'GET', '/nothing', 404],
  ['405', 'PUT', '/api/v1/tenants', 405],
] as const)(
  'an answer of %s runs nothing, is kept by nobody, and says nothing of where it was asked',
  async (_title, method, url, status) => {
    const { headers, statusCode } = await api.app.inject({ method, url });
    expect(statusCode).toBe(status);
    assertHardened(headers);
  },
);

it('so does one to somebody unknown', async () => {
  const { headers, statusCode } = await asking.app.inject('/api/v1/tenants');
  expect(statusCode).toBe(401);
  assertHardened(headers);
});

it('the page for people runs scripts of its own alone', async () => {
  const { headers } = await api.app.inject('/docs/');
  const policy = String(headers['content-security-policy']);
  expect(policy).toMatch(/default-src 'none'; script-src 'self';.*base-uri 'none'.*frame-ancestors 'none'/);
  expect(policy).not.toMatch(/script-src[^;]*unsafe/);
});

function assertHardened(headers: Readonly<Record<string, unknown>>): void {
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  });
}
