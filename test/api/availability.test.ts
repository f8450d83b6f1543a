import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { accounts } from '../../src/products/accounts/product.ts';
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
  const names = ['moamalat', 'notes', 'notes-pro', 'twin'];
  const [, ...others] = names.map((name) => productOf(name, 'component'));
  api = await createApiFixture({
    catalog: createCatalog({ products: [{ ...moamalat, reservedSlugs: ['ours'] }, ...others, accounts] }),
    platform: platformFor(names, (name) => (name === 'twin' ? 'notes.example.test' : `${name}.example.test`)),
    authenticators: [oidcAuthenticator(configOf(issuer), { log: { warn } })],
  });
  admin = await issuer.token({ sub: 'admin', tenantry_roles: ['platform-admin'] });
});
afterAll(async () => {
  await api.close();
  await issuer.close();
});

interface Availability {
  readonly slug: string;
  readonly available: boolean;
  readonly reason?: string;
  readonly detail?: string;
  readonly suggestion?: string;
  readonly products: readonly string[];
  readonly error: { readonly code: string };
}
const call = (method: 'GET' | 'POST', url: string, payload?: object, token = admin) =>
  api.app.inject({ method, url, headers: { authorization: `Bearer ${token}` }, ...(payload && { payload }) });
async function availability(slug: string, product: string | undefined = 'moamalat', token = admin) {
  const query = product === '' ? '' : `?product=${product}`;
  const answer = await call(
    'GET',
    `/api/v1/subdomains/${encodeURIComponent(slug)}/availability${query}`,
    undefined,
    token,
  );
  expect([slug, answer.statusCode]).toEqual([slug, 200]);
  return answer.json<Availability>();
}
async function create(slug: string, product = 'moamalat', more = '') {
  const answer = await call('POST', `/api/v1/tenants${more}`, { ...acme, slug, product });
  return { status: answer.statusCode, ...answer.json<{ tenantId: string; error?: { code: string } }>() };
}
const keptUntil = (tenantId: string, when: string) =>
  api.database.query(`update reservations set quarantined_until = now() + $2::interval where tenant_id = $1`, [
    tenantId,
    when,
  ]);

describe('the availability of a slug', () => {
  it('is what a creation would say, in every state of the slug', async () => {
    await create('held');
    const kept = await create('kept');
    await keptUntil(kept.tenantId, '1 day');
    const over = await create('over');
    await keptUntil(over.tenantId, '-1 second');
    await api.database.query('delete from allocations where tenant_id = $1', [over.tenantId]);
    const left = await create('left-over');
    await api.database.query('delete from reservations where tenant_id = $1', [left.tenantId]);
    await create('hosted', 'notes');
    await create('pro-acme', 'notes');
    const cases = [
      ...[
        ['free'],
        ['held'],
        ['kept'],
        ['over'],
        ['left-over'],
        ['held', 'notes'],
        ['hosted', 'twin'],
        ['hosted', 'notes-pro'],
      ],
      ...[
        ['acme', 'notes-pro'],
        ['pro-acme', 'twin'],
        ['www'],
        ['ours'],
        ['ours', 'notes'],
        ['a'],
        ['a--'],
        ['xn--acme'],
        ['under_score'],
      ],
      ...[
        ['-acme'],
        ['a'.repeat(40)],
        ['a'.repeat(41)],
        [' Spaced '],
        ['HELD'],
        ['bücher'],
        ['\u212aept'],
        ['8f14e45f-ceea-467f-ab70-4a1b9b3f8a1e'],
      ],
    ];
    const seen: unknown[] = [];
    for (const [slug = '', product] of cases) {
      const { available, reason } = await availability(slug, product);
      const tried = await create(slug, product, '?dryRun=true');
      seen.push([slug, product, available]);
      expect([slug, product, available]).toEqual([slug, product, tried.status === 200]);
      if (reason !== undefined) expect([slug, reason === 'taken']).toEqual([slug, tried.error?.code === 'SLUG_TAKEN']);
    }
    expect(seen.filter((one) => (one as unknown[])[2] === true).length).toBeGreaterThan(4);
  });

  it('says why, and nothing of whose it is, even to those who might see that', async () => {
    expect(await availability('held')).toEqual({
      ...{ slug: 'held', products: ['moamalat'], available: false, reason: 'taken' },
      ...{ detail: 'the slug "held" of product moamalat is taken', suggestion: 'held-2' },
    });
    const { detail: _held, ...held } = await availability('kept');
    expect(held).toEqual({
      slug: 'kept',
      products: ['moamalat'],
      available: false,
      reason: 'taken',
      suggestion: 'kept-2',
    });
    expect(await availability(' WWW ')).toMatchObject({ slug: 'www', reason: 'reserved', suggestion: 'www-2' });
    expect(await availability('Größe & Co')).toMatchObject({ reason: 'invalid', suggestion: 'gro-e-co' });
    expect((await availability('!!')).suggestion).toBeUndefined();
    expect(await availability('fresh')).toEqual({ slug: 'fresh', products: ['moamalat'], available: true });
  });

  it('suggests only what can be had', async () => {
    await create('held-2');
    expect(await availability('held')).toMatchObject({ suggestion: 'held-3' });
  });

  it('without a product is that of all whose slugs are chosen', async () => {
    expect(await availability('held', '')).toMatchObject({ available: false, reason: 'taken' });
    expect(await availability('fresh', '')).toMatchObject({
      available: true,
      products: ['moamalat', 'notes', 'notes-pro', 'twin'],
    });
  });

  it('is asked of products that there are, and by those who may create', async () => {
    const unknown = await call('GET', '/api/v1/subdomains/acme/availability?product=nothing');
    expect(unknown.json<Availability>().error.code).toBe('UNKNOWN_PRODUCT');
    const ids = await availability(
      'acme',
      'moamalat',
      await issuer.token({ sub: 's', tenantry_roles: ['self-service'] }),
    );
    expect(ids.available).toBe(true);
    const tenantAdmin = await issuer.token({ sub: 't', tenantry_roles: ['tenant-admin'] });
    expect((await call('GET', '/api/v1/subdomains/acme/availability', undefined, tenantAdmin)).statusCode).toBe(403);
  });

  it('that cannot be found out is an error, and not "available"', async () => {
    const match = { contains: ['from reservations', 'quarantined_until'] };
    const rule = api.proxy.addRule({ match, fault: { type: 'error', when: 'before', code: '53300' }, times: null });
    const answer = await call('GET', '/api/v1/subdomains/fresh/availability?product=moamalat');
    api.proxy.removeRule(rule);
    expect([answer.statusCode, answer.json<Availability>().error.code]).toEqual([503, 'DATABASE_UNAVAILABLE']);
  });
});
