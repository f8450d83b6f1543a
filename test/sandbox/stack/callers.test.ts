import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { callersText, startCallers, type Callers } from '../../../sandbox/stack/callers.ts';
import { removeTokenFiles, tokenFile, writeTokenFiles } from '../../../sandbox/stack/token-files.ts';
import { accessOf, accessVariables } from '../../../src/access-config.ts';
import type { Authenticator } from '../../../src/api/access/authenticator.ts';
import { oidcAuthenticator } from '../../../src/api/access/oidc.ts';

/* The sandbox's identity provider, and the API as the sandbox configures it. */

let callers: Callers;
let api: Authenticator;
beforeAll(async () => {
  callers = await startCallers();
  const { oidc, serviceKeys } = accessOf(z.object(accessVariables).parse(callers.env));
  if (!oidc || !serviceKeys) throw new Error('the API would take no token, or no service key');
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
    { role: 'canary', scope: { kind: 'own' } },
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

it('their tokens are in files of whoever started the sandbox alone, until it ends', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tenantry-tokens-'));
  try {
    const tokens = await callers.tokens([]);
    writeTokenFiles(directory, tokens);
    const files = tokens.map(([user]) => tokenFile(directory, user));
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(tokens.map(([, token]) => token));
    for (const file of files) expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = callersText(tokens, 'http://127.0.0.1:3006', { envFile: join(directory, 'env'), directory });
    expect(text).toContain(`$(cat ${tokenFile(directory, 'platform-admin')})`);
    expect(text).toContain('npx tenantry keys create NAME');
    removeTokenFiles(directory);
    expect(readdirSync(directory)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
