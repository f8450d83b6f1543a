import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { configOf, startIssuer, type TestIssuer } from './issuer.ts';

const roles = ['platform-admin', 'platform-operator', 'tenant-admin', 'canary', 'self-service'] as const;
type Role = (typeof roles)[number];
type Which = 'own' | 'other' | 'unknown';

/** Who may, one letter a role: Admin, Operator, Tenant-admin, Canary, Self-service. Written by hand: it is what the table is held against. */
const expected: Readonly<Record<string, string>> = {
  ...{
    getStart: 'AOTCS',
    getDescription: 'AOTCS',
    listProducts: 'AOTCS',
    listKeys: 'AOTCS',
    getMetrics: 'AO',
    getCaller: 'AOTCS',
  },
  ...{
    createTenant: 'AOCS',
    getAvailability: 'AOS',
    listTenants: 'AOTCS',
    getTenant: 'AOTCS',
    getTenantStatus: 'AOTCS',
    listEvents: 'AOTCS',
    createStreamTicket: 'AOTCS',
  },
  ...{ listSettings: 'AOTCS', listOperations: 'AOTCS', getOperation: 'AOTCS', getCertificate: 'AOTCS' },
  ...{ getTenantDrift: 'AO', changeTenant: 'AOT', scaleTenant: 'AOT', suspendTenant: 'AOT', resumeTenant: 'AOT' },
  ...{ migrateTenant: 'AO', rotateTenant: 'AO', repairTenant: 'AO', isolateTenant: 'AO', liftIsolation: 'AO' },
  ...{ cancelOperation: 'AOCS', retryOperation: 'AOS', abandonOperation: 'A', deleteTenant: 'AC' },
  ...{
    createAccount: 'AOS',
    listAccounts: 'AOTS',
    getAccount: 'AOTS',
    getAccountStatus: 'AOTS',
    getAccountCertificate: 'AOTS',
  },
  ...{ changeAccount: 'AOT', retryAccount: 'AOS', cancelAccount: 'AOS' },
  ...{ moveAccount: 'AO', deleteAccount: 'A', listFreezes: 'AO', freeze: 'A', liftFreeze: 'A' },
  ...{ createWebhook: 'AOT', listWebhooks: 'AOT', getWebhook: 'AOT', changeWebhook: 'AOT', deleteWebhook: 'AOT' },
  ...{ rotateWebhook: 'AOT', listDeliveries: 'AOT', replayDelivery: 'AOT', replayDeadLetters: 'AOT' },
  ...{ encodePayloads: 'A', decodePayloads: 'A', listAudit: 'AO', exportAudit: 'A' },
};
const letters = {
  ...{ A: 'platform-admin', O: 'platform-operator', T: 'tenant-admin', C: 'canary', S: 'self-service' },
} as const;
const open = ['getHealth', 'getReadiness'];
const refusals = ['UNAUTHENTICATED', 'FORBIDDEN', 'TENANT_MISMATCH'];

let issuer: TestIssuer;
let api: ApiFixture;
let tokens: Record<Role, string>;
const tenants: Record<Which, string> = { own: '', other: '', unknown: randomUUID() };
/** What its role reaches as its own. */
const ownOf = (role: Role) => (role === 'canary' ? canaryTenant : tenants.own);
let canaryTenant = '';

async function create(token: string, slug: string): Promise<string> {
  const answer = await call('POST', '/api/v1/tenants', token, { ...acme, slug });
  expect(answer.statusCode).toBe(202);
  return answer.json<{ tenantId: string }>().tenantId;
}
const call = (method: string, url: string, token?: string, payload?: object) =>
  api.app.inject({
    method: method as 'GET',
    url,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(payload && { payload }),
  });
const codeOf = (answer: { json: () => unknown; body: string }) =>
  answer.body.startsWith('{"error"') ? (answer.json() as { error: { code: string } }).error.code : undefined;

beforeAll(async () => {
  issuer = await startIssuer();
  const warn = () => undefined;
  api = await createApiFixture({ authenticators: [oidcAuthenticator(configOf(issuer), { log: { warn } })] });
  const tokenOf = (role: Role, claims: object = {}) => issuer.token({ sub: role, tenantry_roles: [role], ...claims });
  tenants.own = await create(await tokenOf('self-service'), 'own');
  tenants.other = await create(await tokenOf('platform-admin'), 'other');
  tokens = {
    'platform-admin': await tokenOf('platform-admin'),
    'platform-operator': await tokenOf('platform-operator'),
    'tenant-admin': await tokenOf('tenant-admin', { tenantry_tenants: [tenants.own.toUpperCase()] }),
    // As a person of another role it has made a tenant, which it does not reach.
    canary: await tokenOf('canary', { sub: 'self-service' }),
    'self-service': await tokenOf('self-service'),
  };
  canaryTenant = await create(tokens.canary, 'mine');
});
afterAll(async () => {
  await api.close();
  await issuer.close();
});

interface Case {
  readonly id: string;
  readonly method: string;
  readonly url: string;
}
/** Every route that is served, but the documentation's own files. */
const routes = (): Case[] =>
  api.routes.flatMap(({ method, schema, url }) =>
    [method].flat().flatMap((each) => (schema?.operationId ? [{ id: schema.operationId, method: each, url }] : [])),
  );
/** Mutations are tried only: what gets past the guard changes nothing. */
const addressOf = ({ method, url }: Case, tenantId: string) => {
  const path = url.replace(/:(tenantId|accountId)/, tenantId).replace(/:\w+/, randomUUID());
  return method === 'GET' || method === 'HEAD' ? path : `${path}?dryRun=true`;
};
const isOfTenant = ({ url }: Case) => /:(tenantId|accountId)/.test(url);
const isAllowed = (id: string, role: Role) =>
  Object.entries(letters).some(([letter, who]) => who === role && expected[id]?.includes(letter) === true);

describe('every route', () => {
  it('is in the expectations, and no other', () => {
    const served = [...new Set(routes().map(({ id }) => id))];
    expect(served.sort()).toEqual([...Object.keys(expected), ...open].sort());
  });

  it('needs a credential, but for the probes', async () => {
    for (const route of routes().filter(({ method }) => method !== 'HEAD')) {
      const answer = await call(route.method, addressOf(route, tenants.own));
      const is = { id: route.id, code: codeOf(answer), challenge: answer.headers['www-authenticate'] };
      if (open.includes(route.id)) expect(refusals).not.toContain(is.code);
      else expect(is).toEqual({ id: route.id, code: 'UNAUTHENTICATED', challenge: 'Bearer realm="tenantry"' });
    }
  });

  it.each(roles)('of its own, another and an unknown tenant, lets %s do what its role may', async (role) => {
    const isScoped = role !== 'platform-admin' && role !== 'platform-operator';
    const wrong: unknown[] = [];
    for (const route of routes().filter(({ id }) => !open.includes(id)))
      for (const which of isOfTenant(route) ? (['own', 'other', 'unknown'] as const) : (['own'] as const)) {
        const answer = await call(
          route.method,
          addressOf(route, which === 'own' ? ownOf(role) : tenants[which]),
          tokens[role],
        );
        const due = !isAllowed(route.id, role)
          ? 'FORBIDDEN'
          : isOfTenant(route) && isScoped && which !== 'own'
            ? 'TENANT_MISMATCH'
            : undefined;
        const is = { status: answer.statusCode, code: codeOf(answer) };
        const isAsDue =
          route.method === 'HEAD'
            ? (due !== undefined) === (is.status === 403)
            : due === undefined
              ? !refusals.includes(is.code ?? '')
              : is.code === due && is.status === 403;
        if (!isAsDue) wrong.push({ ...route, which, due, ...is });
      }
    expect(wrong).toEqual([]);
  });

  it('answers an unknown tenant and another one alike to those who may not know which there are', async () => {
    for (const role of ['tenant-admin', 'canary', 'self-service'] as const) {
      const [other, unknown] = await Promise.all(
        (['other', 'unknown'] as const).map(async (which) => {
          const answer = await call('GET', `/api/v1/tenants/${tenants[which]}`, tokens[role]);
          const { requestId: _requestId, ...error } = answer.json<{ error: { requestId: string } }>().error;
          return [answer.statusCode, JSON.stringify(error).replaceAll(tenants[which], '<id>')];
        }),
      );
      expect(other).toEqual(unknown);
    }
  });
});

describe('what a caller may reach', () => {
  it.each([
    ['platform-admin', ['mine', 'other', 'own']],
    ['platform-operator', ['mine', 'other', 'own']],
    ['tenant-admin', ['own']],
    ['canary', ['mine']],
    ['self-service', ['mine', 'own']],
  ] as const)('is all that lists show %s, page by page', async (role, slugs) => {
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const answer = await call('GET', `/api/v1/tenants?limit=1${cursor}`, tokens[role]);
      const page = answer.json<{ tenants: { slug: string }[]; nextCursor: string | null }>();
      seen.push(...page.tenants.map(({ slug }) => slug));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
    expect(seen).toEqual(slugs);
  });

  it('is nothing for a tenant-admin of no tenant, and for another person with the same role', async () => {
    for (const claims of [
      { tenantry_roles: ['tenant-admin'] },
      { tenantry_roles: ['self-service'], sub: 'somebody else' },
    ]) {
      const token = await issuer.token(claims);
      expect((await call('GET', '/api/v1/tenants', token)).json()).toEqual({ tenants: [], nextCursor: null });
      expect(codeOf(await call('GET', `/api/v1/tenants/${tenants.own}/events`, token))).toBe('TENANT_MISMATCH');
    }
  });

  it('does not grow by a refused creation: who holds a slug is not told', async () => {
    const answer = await call('POST', '/api/v1/tenants', tokens['self-service'], { ...acme, slug: 'other' });
    expect(codeOf(answer)).toBe('SLUG_TAKEN');
    expect(answer.body).not.toContain(tenants.other);
    expect(answer.body).not.toContain('provisioning');
  });

  it('is for a canary what it made as one: a key of its name may have had another role before', async () => {
    for (const [method, url] of [
      ['GET', `/api/v1/tenants/${tenants.own}`],
      ['DELETE', `/api/v1/tenants/${tenants.own}?confirm=own&grace=0`],
      ['POST', `/api/v1/tenants/${tenants.own}/cancel`],
    ] as const)
      expect(codeOf(await call(method, url, tokens.canary))).toBe('TENANT_MISMATCH');
    const mine = `/api/v1/tenants/${canaryTenant}`;
    expect(codeOf(await call('DELETE', `${mine}?confirm=mine&grace=0`, tokens.canary))).toBe('OPERATION_IN_PROGRESS');
    expect((await call('GET', '/api/v1/caller', tokens.canary)).json()).toMatchObject({
      ...{ principal: `${new URL(issuer.url).host}|self-service`, role: 'canary', reaches: 'own' },
      expiresAt: expect.any(String) as string,
    });
  });

  it('leaves releases to the platform: a tenant-admin changes settings without refresh', async () => {
    const url = `/api/v1/tenants/${tenants.own}?dryRun=true`;
    expect(codeOf(await call('PATCH', url, tokens['tenant-admin'], { refresh: true }))).toBe('FORBIDDEN');
    expect(codeOf(await call('PATCH', url, tokens['tenant-admin'], { settings: {} }))).not.toBe('FORBIDDEN');
  });
});

describe('the record', () => {
  it('has the caller that the token names, and not what it may reach', async () => {
    const { host } = new URL(issuer.url);
    const events = (await call('GET', `/api/v1/tenants/${tenants.own}/events`, tokens['self-service'])).json<{
      events: { caller: object }[];
    }>().events;
    expect(events[0]?.caller).toMatchObject({ principal: `${host}|self-service`, role: 'self-service' });
    const { rows } = await api.database.query<{ text: string }>(
      `select caller::text as text from events union all select caller::text from operations
       union all select caller::text from tenant_settings`,
    );
    expect(rows.length).toBeGreaterThan(3);
    for (const { text } of rows) expect(text).not.toContain('scope');
    const { rows: made } = await api.database.query('select created_by from tenants where id = $1', [tenants.own]);
    expect(made).toEqual([{ created_by: `${host}|self-service` }]);
  });

  it('has each refusal, and lets nobody change one', async () => {
    // Of somebody whose refusals were none so far: who is refused often does not leave a row each time.
    const token = await issuer.token({ sub: 'eve', tenantry_roles: ['self-service'] });
    await call('DELETE', `/api/v1/tenants/${tenants.other}`, token);
    const { rows } = await api.database.query(
      `select code, principal, role, operation, method, tenant_id, address from access_refusals
       where operation = 'deleteTenant' and principal like '%|eve'`,
    );
    expect(rows).toEqual([
      {
        ...{ code: 'FORBIDDEN', principal: `${new URL(issuer.url).host}|eve`, role: 'self-service' },
        ...{ operation: 'deleteTenant', method: 'DELETE', tenant_id: tenants.other, address: '127.0.0.1' },
      },
    ]);
    for (const statement of ['delete from access_refusals', `update access_refusals set code = 'FORBIDDEN'`])
      await expect(api.database.query(statement)).rejects.toThrow('append-only');
  });
});

it('the description says who may call what', async () => {
  const { paths, components } = (await call('GET', '/openapi.json', tokens['platform-admin'])).json<{
    paths: Record<string, Record<string, { security: unknown; 'x-roles'?: string[] }>>;
    components: { securitySchemes: object };
  }>();
  expect(components.securitySchemes).toMatchObject({ bearer: { type: 'http', scheme: 'bearer' } });
  expect(paths['/api/v1/tenants/{tenantId}']?.delete).toMatchObject({
    security: [{ bearer: [] }],
    'x-roles': ['platform-admin', 'canary'],
  });
  expect(paths['/healthz']?.get).toMatchObject({ security: [] });
});
