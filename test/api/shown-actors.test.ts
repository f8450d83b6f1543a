import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { configOf, startIssuer, type TestIssuer } from './issuer.ts';

let issuer: TestIssuer;
let api: ApiFixture;
let tenantId: string;
const bearer = async (sub: string, role: string) => {
  const token = await issuer.token({ sub, tenantry_roles: [role], tenantry_tenants: tenantId ? [tenantId] : [] });
  return { authorization: `Bearer ${token}` };
};
beforeAll(async () => {
  issuer = await startIssuer();
  api = await createApiFixture({
    authenticators: [oidcAuthenticator(configOf(issuer), { log: { warn: () => undefined } })],
  });
  const headers = await bearer('staff-member', 'platform-operator');
  const made = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: acme, headers });
  tenantId = made.json<{ tenantId: string }>().tenantId;
});
afterAll(async () => {
  await api.close();
  await issuer.close();
});

const hidden = ['staff-member', 'requestId', '127.0.0.1'];
const paths = ['/events', '/operations', '/settings/history', '/status'];

it.each(paths)('%s names the people of the platform to themselves alone', async (path) => {
  const url = `/api/v1/tenants/${tenantId}${path}`;
  const seen = await api.app.inject({ url, headers: await bearer('other', 'platform-operator') });
  for (const text of hidden) expect(seen.body).toContain(text);
  const shown = await api.app.inject({ url, headers: await bearer('customer', 'tenant-admin') });
  expect(shown.statusCode).toBe(200);
  expect(shown.body).toContain('{"principal":"platform","role":"platform-operator"}');
  for (const text of hidden) expect(shown.body).not.toContain(text);
});

it('the live stream does not name them either', async () => {
  const { url } = await api.listen();
  const headers = { ...(await bearer('customer', 'tenant-admin')), accept: 'text/event-stream' };
  const text = await new Promise<string>((done, failed) => {
    const asked = httpRequest(`${url}/api/v1/tenants/${tenantId}/events`, { headers }, (answer) => {
      let read = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        read += chunk;
        if (!/^data: .*\n\n/m.test(read)) return;
        answer.destroy();
        done(read);
      });
    });
    asked.on('error', failed).end();
  });
  expect(text).toContain('"principal":"platform"');
  for (const word of hidden) expect(text).not.toContain(word);
});

it.each([
  ['Authorization', ['Bearer a', 'Bearer b']],
  ['authorization', ['Bearer a', 'Bearer a']],
  ['Host', ['evil.example', 'localhost']],
  ['Origin', ['https://evil.example', 'http://localhost']],
])('%s is refused when it is given twice', async (name, values) => {
  const { url } = await api.listen();
  const { port } = new URL(url);
  const raw = name === 'Host' ? [] : ['Host', `127.0.0.1:${port}`];
  const headers = [...raw, ...values.flatMap((value) => [name, value])];
  const status = await new Promise<number | undefined>((done, failed) => {
    const options = { host: '127.0.0.1', port, path: '/api/v1/products', headers, setHost: false };
    httpRequest(options, (answer) => {
      answer.resume();
      done(answer.statusCode);
    })
      .on('error', failed)
      .end();
  });
  expect(status).toBe(400);
});
