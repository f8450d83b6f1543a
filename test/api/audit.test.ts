import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertAuditEntry } from '../../src/db/audit-entries.ts';
import { insertServiceKey, revokeServiceKey } from '../../src/db/service-keys.ts';
import { newKeyText } from '../../src/service-key.ts';
import { testCaller } from '../support/caller.ts';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import type { AuditEntry } from '../../src/client/audit.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { configOf, startIssuer, type TestIssuer } from './issuer.ts';

let issuer: TestIssuer;
let api: ApiFixture;
let token: string;
let tenantId: string;
let besideId: string;
beforeAll(async () => {
  issuer = await startIssuer();
  api = await createApiFixture({
    authenticators: [oidcAuthenticator(configOf(issuer), { log: { warn: () => undefined } })],
  });
  token = await issuer.token({ tenantry_roles: ['platform-admin'], sub: 'ada' });
  tenantId = await create('audited');
  besideId = await create('beside');
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
      ...['createTenant', 'operation.accepted', 'tenant.accepted'],
      ...['createTenant', 'operation.accepted', 'tenant.accepted'],
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
    expect(typesOf((await page(`tenantId=${tenantId}&limit=100`)).entries)).toHaveLength(7);
    expect((await page(`tenantId=${randomUUID()}`)).entries).toEqual([]);
    expect(typesOf((await page(`principal=${encodeURIComponent(principal('eve'))}`)).entries)).toEqual([
      'TENANT_MISMATCH',
    ]);
    expect(typesOf((await page('type=tenant.accepted')).entries)).toEqual(['tenant.accepted', 'tenant.accepted']);
    expect(typesOf((await page('type=UNAUTHENTICATED&limit=2')).entries)).toHaveLength(2);
    const { entries } = await page('limit=100');
    const [first] = entries.slice(-6);
    const from = encodeURIComponent(first?.at ?? '');
    expect((await page(`to=${from}&limit=100`)).entries.length).toBeLessThan(6);
    expect((await page(`from=${encodeURIComponent('2000-01-01T00:00:00Z')}&limit=100`)).entries).toEqual(entries);
    expect((await page(`to=${encodeURIComponent('2000-01-01T00:00:00Z')}`)).entries).toEqual([]);
  });

  it('is filtered by outcome, by request and by address', async () => {
    const { entries } = await page('outcome=done&limit=100');
    expect(typesOf(entries)).toEqual(['createTenant', 'createTenant']);
    const requestId = entries[1]?.caller?.requestId ?? '';
    expect(entries[1]).toMatchObject({
      ...{ tenantId, data: { slug: 'audited', product: 'moamalat' }, after: { displayName: acme.displayName } },
      caller: { principal: principal('ada'), address: '127.0.0.1' },
    });
    const ofRequest = await page(`requestId=${requestId}`);
    expect(typesOf(ofRequest.entries)).toEqual(['createTenant', 'operation.accepted', 'tenant.accepted']);
    expect(typesOf((await page('outcome=refused&limit=100')).entries)).toHaveLength(4);
    expect((await page('outcome=asked')).entries).toEqual([]);
    expect((await page('address=127.0.0.1&limit=100')).entries).toHaveLength(10);
    expect((await page('address=192.0.2.1')).entries).toEqual([]);
  });

  it('has what a change found and what it made of it, secrets masked also where they are kept', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const payload = { displayName: 'Acme, see https://ada:pw@acme.example/' };
    await api.app.inject({ method: 'PATCH', url: `/api/v1/tenants/${besideId}`, headers, payload });
    const [entry] = (await page('type=changeTenant')).entries;
    expect(entry).toMatchObject({
      before: { displayName: acme.displayName, settingsVersion: 1 },
      after: { displayName: 'Acme, see https://[masked]@acme.example/' },
    });
    await api.database.transaction((tx) =>
      insertAuditEntry(tx, {
        ...{ action: 'changeTenant', outcome: 'done', caller: testCaller },
        ...{ before: { settings: { apiToken: 'hunter1' } }, after: { settings: { apiToken: 'hunter2', size: 2 } } },
      }),
    );
    const { rows } = await api.database.query<{ text: string }>(
      `select before::text || after::text as text from audit_entries order by id desc limit 1`,
    );
    expect(rows[0]?.text).not.toContain('hunter');
    expect((await page('type=changeTenant&limit=1')).entries[0]?.after).toEqual({
      settings: { apiToken: '[masked]', size: 2 },
    });
  });

  it.each([
    ['audit_entries', 'data'],
    ['events', 'data'],
    ['access_refusals', 'code'],
    ['tenant_settings', 'settings'],
    ['webhook_changes', 'data'],
    ['service_key_events', 'data'],
  ])('is append-only: the database refuses to change or remove what is in %s', async (table, column) => {
    const { text, hash, prefix } = newKeyText();
    expect(text).toMatch(/^tnk_/);
    const made = { role: 'platform-admin', tenants: [], hash, prefix, lifetimeMs: 60_000, by: 'ann' } as const;
    if (table === 'service_key_events')
      await insertServiceKey(api.database, { ...made, name: 'kept', caller: testCaller });
    if (table === 'webhook_changes')
      await api.client.webhooks.create(testCaller, { url: 'https://hooks.acme.example/' });
    const { rows } = await api.database.query<{ n: number }>(`select count(*)::int as n from ${table}`);
    expect(rows[0]?.n).toBeGreaterThan(0);
    for (const statement of [`update ${table} set ${column} = ${column}`, `delete from ${table}`, `truncate ${table}`])
      await expect(api.database.query(statement)).rejects.toThrow(`${table} is append-only`);
    expect((await api.database.query(`select count(*)::int as n from ${table}`)).rows).toEqual(rows);
  });

  it('has who made and revoked a service key, as the operating system knows them', async () => {
    const { hash, prefix } = newKeyText();
    const given = { role: 'platform-admin', tenants: [], hash, prefix, lifetimeMs: 60_000, by: 'ann' } as const;
    await insertServiceKey(api.database, { ...given, name: 'robot', caller: testCaller });
    await revokeServiceKey(api.database, { key: 'robot', by: 'bob', caller: testCaller });
    const { entries } = await page(`principal=${testCaller.principal}&limit=2`);
    expect(entries).toMatchObject([
      { type: 'revokeKey', outcome: 'done', data: { by: 'bob', name: 'robot' } },
      { type: 'createKey', outcome: 'done', data: { by: 'ann', name: 'robot', role: 'platform-admin' } },
    ]);
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
    expect((await page(`type=tenant.details&tenantId=${tenantId}`)).entries[0]?.data).toEqual({
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
    const answer = await ask(`/api/v1/audit/export?type=tenant.details&tenantId=${tenantId}`);
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
