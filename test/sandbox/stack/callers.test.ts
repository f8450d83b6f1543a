import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { startCallers, type Callers } from '../../../sandbox/stack/callers.ts';
import { accessOf, accessVariables } from '../../../src/access-config.ts';
import type { Authenticator } from '../../../src/api/access/authenticator.ts';
import { oidcAuthenticator } from '../../../src/api/access/oidc.ts';

/* The sandbox's identity provider, and the API as the sandbox configures it. */

let callers: Callers;
let api: Authenticator;
beforeAll(async () => {
  callers = await startCallers();
  const { oidc } = accessOf(z.object(accessVariables).parse(callers.env));
  if (!oidc) throw new Error('the API would ask nobody');
  api = oidcAuthenticator(oidc, { log: pino({ level: 'silent' }) });
});
afterAll(() => callers.stop());

it('the API takes the token of each user for its role, the tenant-admin with its tenants', async () => {
  const tenant = randomUUID();
  const { host } = new URL(callers.env.TENANTRY_OIDC_ISSUER ?? '');
  const found = await Promise.all(
    (await callers.tokens([tenant])).map(async ([, token]) => ({ ...(await api.authenticate(token)) })),
  );
  const expected = [
    { role: 'platform-admin' },
    { role: 'platform-operator' },
    { role: 'tenant-admin', scope: { kind: 'tenants', ids: [tenant] } },
    { role: 'self-service', scope: { kind: 'own' } },
  ];
  expect(found).toEqual(
    expected.map((one) => ({ ...one, principal: `${host}|${one.role}`, expiresAt: expect.any(Date) as Date })),
  );
});

it('the sandbox itself calls as the administrator, with one token for as long as it works', async () => {
  const { token } = await callers.credentials();
  expect(await api.authenticate(token)).toMatchObject({ role: 'platform-admin' });
  expect((await callers.credentials()).token).toBe(token);
});
