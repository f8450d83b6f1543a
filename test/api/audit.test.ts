import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import type { AuditEntry } from '../../src/client/audit.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { configOf, startIssuer, type TestIssuer } from './issuer.ts';

let issuer: TestIssuer;
let api: ApiFixture;
let token: string;
let tenantId: string;
beforeAll(async () => {
  issuer = await startIssuer();
  api = await createApiFixture({
    authenticators: [oidcAuthenticator(configOf(issuer), { log: { warn: () => undefined } })],
  });
  token = await issuer.token({ tenantry_roles: ['platform-admin'], sub: 'ada' });
  tenantId = await create('audited');
  await create('beside');
  for (let i = 0; i < 3; i += 1) await api.app.inject(`/api/v1/tenants/${tenantId}`);
  await ask(`/api/v1/tenants/${tenantId}`, await issuer.token({ tenantry_roles: ['tenant-admin'], sub: 'eve' }));
});
afterAll(async () => {
  await api.close();
  await issuer.close();
});

async function create(slug: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', headers, payload: { ...acme, slug } });
  return answer.json<{ tenantId: string }>().tenantId;
}
const ask = (url: string, by = token) => api.app.inject({ url, headers: { authorization: `Bearer ${by}` } });
const page = async (query = '') =>
  (await ask(`/api/v1/audit?${query}`)).json<{ entries: AuditEntry[]; nextCursor: string | null }>();
const typesOf = (entries: readonly AuditEntry[]) => entries.map(({ type }) => type);
const principal = (sub: string) => `${new URL(issuer.url).host}|${sub}`;

describe('the audit trail', () => {
  it('has what was done and what was refused, newest first, with whoever asked', async () => {
    const { entries, nextCursor } = await page('limit=100');
    expect(nextCursor).toBeNull();
    expect(typesOf(entries)).toEqual([
      'TENANT_MISMATCH',
      ...['UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED'],
      ...['operation.accepted', 'tenant.accepted', 'operation.accepted', 'tenant.accepted'],
    ]);
    expect(entries[0]).toMatchObject({
      ...{ outcome: 'refused', tenantId, data: { operation: 'getTenant', method: 'GET', unrecorded: 0 } },
      caller: { principal: principal('eve'), role: 'tenant-admin', address: '127.0.0.1' },
    });
    expect(entries[1]).toMatchObject({ caller: { address: '127.0.0.1' }, data: { reason: 'missing' } });
    expect(entries.at(-1)).toMatchObject({
      ...{ outcome: 'recorded', tenantId, caller: { principal: principal('ada') }, data: { slug: 'audited' } },
    });
  });

  it('is paged: nothing is lost or doubled, whatever the size of a page', async () => {
    const whole = (await page('limit=100')).entries;
    for (const limit of [1, 2, 3, 7]) {
      const seen: AuditEntry[] = [];
      for (let cursor = ''; ;) {
        const { entries, nextCursor } = await page(`limit=${limit}${cursor}`);
        seen.push(...entries);
        if (nextCursor === null) break;
        cursor = `&cursor=${nextCursor}`;
      }
      expect(seen).toEqual(whole);
    }
  });

  it('is filtered by tenant, by who asked, by type and by time', async () => {
    expect(typesOf((await page(`tenantId=${tenantId}&limit=100`)).entries)).toHaveLength(6);
    expect((await page(`tenantId=${randomUUID()}`)).entries).toEqual([]);
    expect(typesOf((await page(`principal=${encodeURIComponent(principal('eve'))}`)).entries)).toEqual([
      'TENANT_MISMATCH',
    ]);
    expect(typesOf((await page('type=tenant.accepted')).entries)).toEqual(['tenant.accepted', 'tenant.accepted']);
    expect(typesOf((await page('type=UNAUTHENTICATED&limit=2')).entries)).toHaveLength(2);
    const { entries } = await page('limit=100');
    const [first] = entries.slice(-4);
    const from = encodeURIComponent(first?.at ?? '');
    expect((await page(`to=${from}&limit=100`)).entries.length).toBeLessThan(4);
    expect((await page(`from=${encodeURIComponent('2000-01-01T00:00:00Z')}&limit=100`)).entries).toEqual(entries);
    expect((await page(`to=${encodeURIComponent('2000-01-01T00:00:00Z')}`)).entries).toEqual([]);
  });

  it.each(['cursor=x', 'cursor=WzFd', 'from=yesterday', 'type=a%20b', 'tenantId=acme', 'actor=x'])(
    'refuses %s',
    async (query) => {
      expect((await ask(`/api/v1/audit?${query}`)).statusCode).toBe(400);
    },
  );

  it('shows no value of a field that is named as a secret', async () => {
    await api.database.query(
      `insert into events (cell, tenant_id, type, data) values ('default', $1, 'tenant.details', $2)`,
      [tenantId, { adminPassword: 'hunter2', nested: [{ apiKey: 'k', secretArn: 'arn:aws:x' }], plain: 1 }],
    );
    expect((await page('type=tenant.details')).entries[0]?.data).toEqual({
      adminPassword: '[masked]',
      nested: [{ apiKey: '[masked]', secretArn: 'arn:aws:x' }],
      plain: 1,
    });
  });

  it('is read as a whole as lines of JSON, over all its pages', async () => {
    await api.database.query(
      `insert into events (cell, tenant_id, type, data)
       select 'default', $1, 'tenant.details', jsonb_build_object('n', n) from generate_series(1, 450) n`,
      [tenantId],
    );
    const answer = await ask('/api/v1/audit/export?type=tenant.details');
    expect(answer.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    const lines = answer.body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEntry);
    expect(lines).toHaveLength(451);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(451);
    expect(lines[0]?.data).toEqual({ n: 450 });
  });
});
