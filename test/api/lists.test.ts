import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import { tenantSorts } from '../../src/contracts/tenant-list.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { configOf, startIssuer, type TestIssuer } from './issuer.ts';

let api: ApiFixture;
let issuer: TestIssuer;
let admin: string;
const ids: Record<string, string> = {};
beforeAll(async () => {
  issuer = await startIssuer();
  const warn = () => undefined;
  api = await createApiFixture({ authenticators: [oidcAuthenticator(configOf(issuer), { log: { warn } })] });
  admin = await issuer.token({ sub: 'admin', tenantry_roles: ['platform-admin'] });
  await make('alpha', { displayName: '100% Größe', contactEmail: 'a@one.example' });
  await make('beta', { displayName: 'under_score \\ back', contactEmail: 'b@two.example' });
  await make('gamma', { displayName: 'Cafe\u0301 Alpha', contactEmail: 'c@two.example' });
  await make('delta', { displayName: 'Delta', contactEmail: 'd@three.example' });
  await make('mine', { displayName: 'Mine', contactEmail: 'm@three.example' }, await selfService());
});
afterAll(async () => {
  await api.close();
  await issuer.close();
});
const selfService = () => issuer.token({ sub: 'me', tenantry_roles: ['self-service'] });

interface Page {
  readonly tenants: readonly {
    readonly tenantId: string;
    readonly slug: string;
    readonly health: { status: string } | null;
    readonly drift: { state: string } | null;
  }[];
  readonly nextCursor: string | null;
  readonly error: { readonly code: string; readonly message: string };
}
const call = (url: string, token = admin) =>
  api.app.inject({ url: `/api/v1${url}`, headers: { authorization: `Bearer ${token}` } });
async function list(query: string, token = admin): Promise<Page> {
  const answer = await call(`/tenants?${query}`, token);
  expect([query, answer.statusCode, answer.json<Page>().error]).toEqual([query, 200, undefined]);
  return answer.json<Page>();
}
const slugs = async (query: string, token = admin) => (await list(query, token)).tenants.map(({ slug }) => slug);
const refused = async (query: string) => {
  const answer = await call(`/tenants?${query}`);
  return [answer.statusCode, answer.json<Page>().error.code, answer.json<Page>().error.message];
};
async function make(slug: string, more: object = {}, token = admin) {
  const payload = { ...acme, slug, ...more };
  const answer = await api.app.inject({
    method: 'POST',
    url: '/api/v1/tenants',
    headers: { authorization: `Bearer ${token}` },
    payload,
  });
  expect(answer.statusCode, answer.body).toBe(202);
  ids[slug] = answer.json<{ tenantId: string }>().tenantId;
}
const activate = (slug: string) =>
  api.move(ids[slug]!, ['running', 'committing', 'succeeded'], ['validating', 'creating', 'active']);
const sql = (text: string, values: readonly unknown[] = []) => api.database.query(text, values);

describe('a list of tenants', () => {
  it.each(tenantSorts)('sorted by %s is the same page by page, and the other way round in reverse', async (sort) => {
    await sql(
      `update tenants set created_at = (select created_at from tenants where slug = 'beta') where slug = 'gamma'`,
    );
    const all = await slugs(`sort=${sort}`);
    expect([...all].sort()).toEqual(['alpha', 'beta', 'delta', 'gamma', 'mine']);
    if (sort.endsWith('slug')) expect(all).toEqual(sort === 'slug' ? [...all].sort() : [...all].sort().reverse());
    const opposite = sort.startsWith('-') ? sort.slice(1) : `-${sort}`;
    expect((await slugs(`sort=${opposite}`)).reverse()).toEqual(all);
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const page = await list(`sort=${sort}&limit=2${cursor}`);
      seen.push(...page.tenants.map(({ slug }) => slug));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    expect(seen).toEqual(all);
  });

  it('neither doubles nor loses a tenant that stays as it is while others come and change', async () => {
    for (const sort of tenantSorts) {
      const before = await slugs(`sort=${sort}`);
      const first = await list(`sort=${sort}&limit=2`);
      const changing = first.tenants[0]!.slug;
      await make(`new-${sort.replace(/\W/, 'r').toLowerCase()}`);
      await sql('update tenants set display_name = display_name where slug = $1', [changing]);
      const rest = await list(`sort=${sort}&limit=200&cursor=${first.nextCursor}`);
      const seen = [...first.tenants, ...rest.tenants]
        .map(({ slug }) => slug)
        .filter((slug) => before.includes(slug) && slug !== changing);
      expect([sort, seen]).toEqual([sort, before.filter((slug) => slug !== changing)]);
      await sql(`delete from reservations where tenant_id in (select id from tenants where slug like 'new-%')`);
      await sql(
        `update operations set state = 'withdrawn' where tenant_id in (select id from tenants where slug like 'new-%' and status = 'pending')`,
      );
      await sql(`update tenants set status = 'deleted' where slug like 'new-%' and status = 'pending'`);
    }
  });

  it('takes a cursor with the filters and the order that it came with only, and unchanged only', async () => {
    const { nextCursor } = await list('limit=1&product=moamalat&sort=slug&status=pending,active');
    const cursor = nextCursor!;
    expect(await slugs(`limit=1&product=moamalat&sort=slug&status=active&status=pending&cursor=${cursor}`)).toEqual([
      'beta',
    ]);
    for (const other of [
      'sort=slug',
      'product=moamalat&sort=-slug&status=pending,active',
      'product=moamalat&sort=slug&status=pending',
      'product=moamalat&sort=slug&status=pending,active&text=a',
    ])
      expect(await refused(`${other}&cursor=${cursor}`)).toEqual([
        400,
        'INVALID_INPUT',
        expect.stringContaining('other filters or another order'),
      ]);
    const query = 'product=moamalat&sort=slug&status=pending,active';
    for (let at = 0; at < cursor.length; at += 1) {
      const other = cursor[at] === 'A' ? 'B' : 'A';
      const [status, code] = await refused(`${query}&cursor=${cursor.slice(0, at)}${other}${cursor.slice(at + 1)}`);
      expect([at, status, code]).toEqual([at, 400, 'INVALID_INPUT']);
    }
    for (const end of ['=', '.', '%20', cursor])
      expect((await refused(`${query}&cursor=${cursor}${end}`)).slice(0, 2)).toEqual([400, 'INVALID_INPUT']);
    const { nextCursor: ofHistory } = { nextCursor: Buffer.from('[1]').toString('base64url') };
    expect((await refused(`cursor=${ofHistory}`))[0]).toBe(400);
  });
});

describe('a text that is searched for', () => {
  it.each([
    ['alph', ['alpha', 'gamma']],
    ['ALPHA', ['alpha', 'gamma']],
    ['pha', ['alpha', 'gamma']],
    ['@two.', ['beta', 'gamma']],
    ['%', ['alpha']],
    ['_', ['beta']],
    ['\\', ['beta']],
    ['\\ b', ['beta']],
    ['größe', ['alpha']],
    ['caf\u00e9', ['gamma']],
    ['Cafe\u0301', ['gamma']],
    ["'; drop table tenants; --", []],
    ['a*', []],
    ['.', ['alpha', 'beta', 'delta', 'gamma', 'mine']],
    ['alpha100', []],
  ])('%s is found letter by letter', async (text, found) => {
    expect(await slugs(`sort=slug&text=${encodeURIComponent(text)}`)).toEqual(found);
  });

  it('is found as the tenant is called since, and is bounded', async () => {
    await sql(`update tenants set display_name = 'Renamed' where slug = 'delta'`);
    expect(await slugs('text=renam')).toEqual(['delta']);
    await sql(`update tenants set display_name = 'Delta' where slug = 'delta'`);
    expect(await slugs('text=renam')).toEqual([]);
    for (const text of ['', 'a'.repeat(101), 'a%0Ab', '%00', 'a&text=b'])
      expect((await refused(`text=${text}`)).slice(0, 2)).toEqual([400, 'INVALID_INPUT']);
  });
});

describe('filters', () => {
  it('by status take several, by slug any case, and name what they do not know', async () => {
    await activate('alpha');
    expect(await slugs('sort=slug&status=active')).toEqual(['alpha']);
    expect(await slugs('sort=slug&status=active&status=pending')).toEqual(['alpha', 'beta', 'delta', 'gamma', 'mine']);
    expect(await slugs('slug=%20ALPHA')).toEqual(['alpha']);
    expect(await slugs('status=failed')).toEqual([]);
    expect(await refused('status=active,gone')).toEqual([
      400,
      'INVALID_INPUT',
      expect.stringMatching(/querystring.status: must be one or several of pending, .*not "gone"/),
    ]);
    for (const query of [
      'status=',
      'health=well',
      'drift=maybe',
      'sort=name',
      'sort=slug&sort=slug',
      'product=',
      'fields=',
    ])
      expect((await refused(query)).slice(0, 2)).toEqual([400, 'INVALID_INPUT']);
  });

  it('by health and drift say what the answer says of each tenant', async () => {
    for (const slug of ['beta', 'gamma', 'delta']) await activate(slug);
    const health = (slug: string, status: string, at = 'now()') =>
      sql(
        `insert into tenant_health (tenant_id, cell, status, since, result, results, round, looked_at)
         select id, cell, $2::text, now(), $2::text, 3, now(), ${at} from tenants where slug = $1`,
        [slug, status],
      );
    await health('alpha', 'healthy');
    await health('beta', 'unhealthy');
    await health('gamma', 'healthy', `now() - interval '1 day'`);
    await health('mine', 'healthy');
    // An operation is at work on gamma since, and mine is not in service.
    await sql(`update operations set state = 'running', closed_at = null where tenant_id = $1`, [ids['gamma']]);
    const look = (slug: string, outcome: string, at = 'now()') =>
      sql(
        `insert into drift_looks (tenant_id, cell, outcome, since, looked_at) select id, cell, $2::text, now(), ${at} from tenants where slug = $1`,
        [slug, outcome],
      );
    await look('alpha', 'none');
    await look('beta', 'drift');
    await look('gamma', 'none', `now() - interval '1 day'`);
    await look('delta', 'unknown');
    const all = (await list('sort=slug')).tenants;
    const seen = Object.fromEntries(
      all.map((one) => [one.slug, [one.health?.status ?? 'none', one.drift?.state ?? null]]),
    );
    expect(seen).toEqual({
      ...{ alpha: ['healthy', 'none'], beta: ['unhealthy', 'drift'], gamma: ['unknown', 'unknown'] },
      ...{ delta: ['none', 'unknown'], mine: ['none', null] },
    });
    const having = (is: (one: [string, string | null]) => boolean) =>
      Object.entries(seen).flatMap(([slug, one]) => (is(one as [string, string | null]) ? [slug] : []));
    for (const one of ['healthy', 'degraded', 'unhealthy', 'unknown', 'none'])
      expect([one, await slugs(`sort=slug&health=${one}`)]).toEqual([one, having(([is]) => is === one)]);
    expect(await slugs('sort=slug&health=unhealthy,none')).toEqual(['beta', 'delta', 'mine']);
    expect(await slugs('sort=slug&drift=yes')).toEqual(['beta']);
    expect(await slugs('sort=slug&drift=no')).toEqual(['alpha']);
    expect(await slugs('sort=slug&drift=unknown')).toEqual(['delta', 'gamma', 'mine']);
  });
});

describe('fields', () => {
  it('that are asked for are all that there is, besides the id', async () => {
    const page = await list('sort=slug&limit=1&fields=slug,status');
    expect(page.tenants).toEqual([{ tenantId: ids['alpha'], slug: 'alpha', status: 'active' }]);
    expect(Object.keys((await list('limit=1&fields=openOperation&fields=drift')).tenants[0]!).sort()).toEqual([
      'drift',
      'openOperation',
      'tenantId',
    ]);
    expect(Object.keys((await list('limit=1&fields=tenantId')).tenants[0]!)).toEqual(['tenantId']);
    const rest = await list(`sort=slug&fields=slug&cursor=${page.nextCursor}`);
    expect(rest.tenants).toHaveLength(4);
  });

  it('are those of a whole tenant, each as it is there', async () => {
    const [whole] = (await list('slug=alpha')).tenants as unknown as Record<string, unknown>[];
    for (const [field, value] of Object.entries(whole!))
      expect((await list(`slug=alpha&fields=${field}`)).tenants).toEqual([{ tenantId: ids['alpha'], [field]: value }]);
  });

  it('that there are not are named, with those that there are', async () => {
    const [status, code, message] = await refused('fields=slug,password');
    expect([status, code]).toEqual([400, 'INVALID_INPUT']);
    expect(message).toMatch(/must be one or several of tenantId, product, .*not "password"/);
  });
});

describe('what a caller may not reach', () => {
  it('is in no list, whatever is asked for', async () => {
    const mine = await selfService();
    const its = await issuer.token({ sub: 'it', tenantry_roles: ['tenant-admin'], tenantry_tenants: [ids['mine']] });
    const queries = [
      '',
      'text=alpha',
      'slug=alpha',
      'health=unhealthy,healthy,unknown,none',
      'drift=yes',
      'drift=unknown',
      'status=active,pending',
      'includeGone=true',
      'fields=slug',
      ...tenantSorts.map((sort) => `sort=${sort}`),
    ];
    for (const query of queries)
      for (const token of [mine, its]) {
        const { tenants, nextCursor } = await list(query === '' ? 'limit=1' : `limit=1&${query}`, token);
        expect([query, tenants.filter(({ tenantId }) => tenantId !== ids['mine']), nextCursor]).toEqual([
          query,
          [],
          null,
        ]);
      }
    // A cursor of somebody who reaches more begins no further list than one's own.
    const { nextCursor } = await list('sort=slug&limit=1');
    expect(await slugs(`sort=slug&cursor=${nextCursor}`, mine)).toEqual(['mine']);
    expect(await slugs(`text=${randomUUID()}`, mine)).toEqual([]);
  });
});
