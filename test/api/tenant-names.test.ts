import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { platformFor, productOf } from '../support/renamed-product.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { configOf, startIssuer, type TestIssuer } from './issuer.ts';

let api: ApiFixture;
let issuer: TestIssuer;
let admin: string;
beforeAll(async () => {
  issuer = await startIssuer();
  const warn = () => undefined;
  api = await createApiFixture({
    catalog: createCatalog({ products: [moamalat, productOf('notes', 'component')] }),
    platform: platformFor(['moamalat', 'notes']),
    authenticators: [oidcAuthenticator(configOf(issuer), { log: { warn } })],
  });
  admin = await issuer.token({ sub: 'admin', tenantry_roles: ['platform-admin'] });
});
afterAll(async () => {
  await api.close();
  await issuer.close();
});

interface Answer {
  readonly tenantId: string;
  readonly operationId: string;
  readonly error: { readonly code: string; readonly message: string; readonly details?: Record<string, unknown> };
}
async function ask(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  more: { payload?: object; token?: string; key?: string } = {},
) {
  const { payload, token = admin, key } = more;
  const headers = { authorization: `Bearer ${token}`, ...(key !== undefined && { 'idempotency-key': key }) };
  const answer = await api.app.inject({ method, url: `/api/v1${path}`, headers, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json<Answer>(), replayed: answer.headers['idempotency-replayed'] };
}
async function create(slug: string, more: { product?: string; token?: string } = {}) {
  const { token, product = 'moamalat' } = more;
  const { body, status } = await ask('POST', '/tenants', {
    payload: { ...acme, slug, product },
    ...(token !== undefined && { token }),
  });
  expect([status, body.error]).toEqual([202, undefined]);
  return body.tenantId;
}
const get = async (name: string, token = admin) => {
  const { status, body } = await ask('GET', `/tenants/${name}`, { token });
  return status === 200 ? body.tenantId : [status, body.error.code];
};
/** Its creation was rolled back, and nothing is left: the slug is free. */
async function loses(tenantId: string) {
  await api.move(tenantId, ['running', 'rolling-back', 'rolled-back'], ['validating', 'failed']);
  await api.database.query('delete from reservations where tenant_id = $1', [tenantId]);
  await api.database.query('delete from allocations where tenant_id = $1', [tenantId]);
}

describe('the path of a request', () => {
  it('names a tenant by its slug as by its id, in upper case too, and the answer has ids', async () => {
    const id = await create('by-slug');
    for (const name of ['by-slug', 'BY-Slug', 'moamalat~by-slug', 'moamalat%7Eby-slug', id, id.toUpperCase()])
      expect([name, await get(name)]).toEqual([name, id]);
    const status = await ask('GET', '/tenants/by-slug/status');
    expect([status.status, status.body.tenantId]).toEqual([200, id]);
    const changed = await ask('PATCH', '/tenants/by-slug', { payload: { displayName: 'Other' } });
    expect([changed.status, changed.body.tenantId]).toEqual([200, id]);
    const { operations } = (await ask('GET', '/tenants/by-slug/operations')).body as unknown as {
      operations: Answer[];
    };
    expect((await ask('GET', `/tenants/by-slug/operations/${operations[0]!.operationId}`)).body.tenantId).toBe(id);
  });

  it('means the tenant that has the slug now, and when nobody has it the one that had it last', async () => {
    const first = await create('again');
    await loses(first);
    expect(await get('again')).toBe(first);
    const second = await create('again');
    expect(await get('again')).toBe(second);
    await loses(second);
    expect(await get('again')).toBe(second);
    expect(await get(first)).toBe(first);
  });

  it('is ambiguous where several products have the slug, and lists which', async () => {
    const [one, other] = [await create('both'), await create('both', { product: 'notes' })];
    const { status, body } = await ask('GET', '/tenants/both');
    expect([status, body.error.code]).toEqual([409, 'TENANT_NAME_AMBIGUOUS']);
    expect(body.error.details?.candidates).toEqual([
      { tenantId: one, product: 'moamalat', slug: 'both', name: 'moamalat~both' },
      { tenantId: other, product: 'notes', slug: 'both', name: 'notes~both' },
    ]);
    expect(await get('moamalat~both')).toBe(one);
    expect(await get('notes~both')).toBe(other);
    // One that is gone is no candidate beside one that is there.
    await loses(one);
    expect(await get('both')).toBe(other);
  });

  it('that names nothing is 404 to those who may know, and what cannot be a name is 400', async () => {
    for (const path of ['nobody', 'nobody/events', 'notes~nobody', 'nobody/operations', randomUUID()])
      expect([path, await get(path)]).toEqual([path, [404, 'TENANT_NOT_FOUND']]);
    for (const name of [
      'x',
      'a_b',
      'moamalat~',
      '~by-slug',
      'moamalat~~by-slug',
      'a'.repeat(41),
      'b%C3%BC',
      '00000000-0000-9999-0000-000000000001',
    ])
      expect([name, await get(name)]).toEqual([name, [400, 'INVALID_INPUT']]);
  });

  it('cannot mistake a slug for an id: no tenant gets a slug of that form', async () => {
    const id = randomUUID();
    const { status, body } = await ask('POST', '/tenants', { payload: { ...acme, slug: id.toUpperCase() } });
    expect([status, body.error.message]).toEqual([400, 'body.slug: must not have the form of an id (UUID)']);
  });
});

describe('what a caller may not reach', () => {
  it('is the same by an unknown slug as by one of another, and is not a candidate', async () => {
    const mine = await issuer.token({ sub: 'me', tenantry_roles: ['self-service'] });
    const own = await create('mine', { token: mine });
    await create('theirs');
    const theirs = await create('shared-name');
    const ours = await create('shared-name', { product: 'notes', token: mine });
    const its = await issuer.token({ sub: 'it', tenantry_roles: ['tenant-admin'], tenantry_tenants: [own, theirs] });
    for (const token of [mine, its]) {
      const [other, unknown] = await Promise.all(
        ['theirs', 'nobody'].map(async (name) => {
          const { status, body } = await ask('GET', `/tenants/${name}/status`, { token });
          return [status, JSON.stringify({ ...body.error, requestId: '' }).replaceAll(name, '<name>')];
        }),
      );
      expect(other).toEqual(unknown);
      expect(other![0]).toBe(403);
      expect(await get('mine', token)).toBe(own);
    }
    expect([await get('shared-name', mine), await get('shared-name', its)]).toEqual([ours, theirs]);
    expect(await get('moamalat~shared-name', mine)).toEqual([403, 'TENANT_MISMATCH']);
  });
});

describe('a change by slug', () => {
  it('is the same request as by id under one key, and another one once the slug is another tenant’s', async () => {
    const id = await create('keyed');
    const payload = { displayName: 'Keyed' };
    const first = await ask('PATCH', '/tenants/keyed', { payload, key: 'k-1' });
    const repeats = [
      await ask('PATCH', `/tenants/${id}`, { payload, key: 'k-1' }),
      await ask('PATCH', '/tenants/moamalat~KEYED', { payload, key: 'k-1' }),
    ];
    for (const { status, replayed, body } of repeats)
      expect([status, replayed, body]).toEqual([200, 'true', first.body]);
    await loses(id);
    const later = await create('keyed');
    const repeat = await ask('PATCH', '/tenants/keyed', { payload, key: 'k-1' });
    expect([repeat.status, repeat.body.error.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect((await ask('GET', `/tenants/${later}`)).body).toMatchObject({ displayName: acme.displayName });
  });

  it('deletes only with the id as confirmation, so that no old request hits a later tenant of the slug', async () => {
    const id = await create('gone-soon');
    await api.move(id, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
    api.orchestrator.end('tenant.moamalat.gone-soon');
    for (const confirm of ['', '?confirm=gone-soon', `?confirm=${randomUUID()}`]) {
      const { status, body } = await ask('DELETE', `/tenants/gone-soon${confirm}`);
      expect([confirm, status, body.error.code]).toEqual([confirm, 400, 'CONFIRMATION_REQUIRED']);
      expect(body.error.message).toContain(`the id of tenant`);
    }
    expect((await ask('DELETE', `/tenants/${id}?confirm=${id}`)).body.error.code).toBe('CONFIRMATION_REQUIRED');
    expect((await ask('DELETE', '/tenants/gone-soon?dryRun=true')).status).toBe(200);
    const deleted = await ask('DELETE', `/tenants/gone-soon?confirm=${id}`);
    expect([deleted.status, deleted.body.tenantId]).toEqual([202, id]);
  });
});
