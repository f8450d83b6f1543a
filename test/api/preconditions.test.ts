import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCatalog } from '../../src/catalog/catalog.ts';
import { accounts } from '../../src/products/accounts/product.ts';
import { moamalat } from '../../src/products/moamalat/product.ts';
import { folders } from '../support/folders.ts';
import { accountsInExample, examplePlatform } from '../support/platform.ts';
import { acmeAccount } from './accounts-fixture.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture({
    catalog: createCatalog({ products: [moamalat, folders, accounts] }),
    platform: examplePlatform({ ...accountsInExample, products: ['moamalat', 'folders', 'accounts'] }),
  });
});
afterAll(() => api.close());

type Method = 'GET' | 'PATCH' | 'POST' | 'DELETE';
interface Answer {
  tenantId: string;
  operationId: string;
  webhookId: string;
  settingsVersion: number;
  error: { code: string; details: { etag: string } };
}
async function send(method: Method, url: string, payload?: object, headers: Record<string, string> = {}) {
  const answer = await api.app.inject({ method, url, headers, ...(payload && { payload }) });
  const body = answer.json<Answer>();
  return { status: answer.statusCode, etag: answer.headers.etag, headers: answer.headers, body };
}
const when = (tag: string | undefined) => ({ 'if-match': tag ?? '' });
const etagOf = async (url: string) => {
  const { etag } = await send('GET', url);
  expect(etag).toMatch(/^"[^"]+"$/);
  return etag ?? '';
};
let counter = 0;
async function active(more: object = {}) {
  const request = { ...acme, slug: `tag-${(counter += 1)}`, ...more };
  const { body } = await send('POST', '/api/v1/tenants', request);
  await ended(body.tenantId, `tenant.${request.product}.${request.slug}`, ['validating', 'creating', 'active']);
  return { id: body.tenantId, slug: request.slug, url: `/api/v1/tenants/${body.tenantId}` };
}
async function ended(id: string, workflowId: string, statuses: Parameters<ApiFixture['move']>[2] = []) {
  await api.move(id, ['running', 'committing', 'succeeded'], statuses);
  api.orchestrator.end(workflowId);
}
const counts = (count: number) => ({ settings: { services: { backend: { count } } } });
const stale = '"0-0"';

describe('the ETag of a tenant', () => {
  it('is strong, the same on every read, and of what callers choose alone', async () => {
    const { id, url } = await active();
    const first = await etagOf(url);
    expect(await etagOf(`${url}/settings/history`)).toBe(first);
    expect((await api.app.inject({ method: 'HEAD', url })).headers.etag).toBe(first);
    await api.database.query(`update tenants set cleanup_pending = not cleanup_pending where id = $1`, [id]);
    expect(await etagOf(url)).toBe(first);
    const named = await send('PATCH', url, { displayName: 'Acme Limited' });
    expect(named.etag).toBe(await etagOf(url));
    expect(named.etag).not.toBe(first);
    expect((await send('PATCH', url, { displayName: acme.displayName })).etag).toBe(first);
  });

  it('goes back with the settings when a change fails, and is never that of the change again', async () => {
    const { id, slug, url } = await active();
    const before = await etagOf(url);
    await send('PATCH', url, counts(2));
    const failed = await etagOf(url);
    expect(failed).not.toBe(before);
    const next = { ...when(failed) };
    await api.move(id, ['running', 'rolling-back', 'rolled-back'], []);
    await api.database.transaction(async (tx) => {
      const { rows } = await tx.query<{ id: string }>(
        `select id from operations where tenant_id = $1 order by accepted_at desc limit 1`,
        [id],
      );
      const { restoreDesiredSettings } = await import('../../src/db/settings.ts');
      await restoreDesiredSettings(tx, { id: rows[0]?.id ?? '', tenantId: id });
    });
    api.orchestrator.end(`tenant.moamalat.${slug}`);
    expect(await etagOf(url)).toBe(before);
    expect((await send('PATCH', url, counts(3), next)).status).toBe(412);
    const again = await send('PATCH', url, counts(2), when(before));
    expect([again.status, again.body.settingsVersion]).toEqual([202, 3]);
    expect(await etagOf(url)).not.toBe(failed);
  });

  it('is not answered with 304: status and health are no part of it', async () => {
    const { url } = await active();
    const etag = await etagOf(url);
    const again = await send('GET', url, undefined, { 'if-none-match': etag });
    expect([again.status, again.etag, again.headers['cache-control']]).toEqual([200, etag, 'no-store']);
  });
});

/** A request of each route that takes the header, and what has its tag. */
const conditional: Readonly<Record<string, () => Promise<{ url: string; at: readonly [Method, string, object?] }>>> = {
  changeTenant: async () => {
    const { url } = await active();
    return { url, at: ['PATCH', url, counts(2)] };
  },
  scaleTenant: async () => {
    const { url } = await active();
    return { url, at: ['POST', `${url}/scale`, { service: 'backend', count: 2 }] };
  },
  suspendTenant: async () => {
    const { url } = await active();
    return { url, at: ['POST', `${url}/suspend`] };
  },
  resumeTenant: async () => {
    const { id, slug, url } = await active();
    await send('POST', `${url}/suspend`);
    await ended(id, `tenant.moamalat.${slug}`, ['suspending', 'suspended']);
    return { url, at: ['POST', `${url}/resume`] };
  },
  migrateTenant: async () => {
    const { url } = await active({ product: 'folders', tier: 'shared' });
    return { url, at: ['POST', `${url}/migrate`, { tier: 'own' }] };
  },
  rotateTenant: async () => {
    const { url } = await active();
    return { url, at: ['POST', `${url}/rotate`] };
  },
  deleteTenant: async () => {
    const { url, slug } = await active();
    return { url, at: ['DELETE', `${url}?confirm=${slug}`] };
  },
  changeAccount: async () => {
    const url = await account();
    return { url, at: ['PATCH', url, { name: 'ACME Limited' }] };
  },
  moveAccount: async () => {
    const url = await account();
    return { url, at: ['POST', `${url}/move`] };
  },
  deleteAccount: async () => {
    const url = await account();
    return { url, at: ['DELETE', `${url}?confirm=${url.split('/')[2] ?? ''}`] };
  },
  changeWebhook: async () => {
    const url = await webhook();
    return { url, at: ['PATCH', url, { description: 'ours' }] };
  },
  deleteWebhook: async () => {
    const url = await webhook();
    return { url, at: ['DELETE', url] };
  },
};
async function account(): Promise<string> {
  const answer = await api.app.inject({ method: 'POST', url: '/accounts?wait=false', payload: acmeAccount });
  const { id, operationId } = answer.json<{ id: string; operationId: string }>();
  await api.orchestrator.claim(operationId);
  await api.move(id, ['committing', 'succeeded'], ['creating', 'active']);
  api.orchestrator.end(`tenant.accounts.${id}`);
  return `/accounts/${id}`;
}
async function webhook(): Promise<string> {
  const { body } = await send('POST', '/api/v1/webhooks', { url: 'https://hooks.acme.example/' });
  return `/api/v1/webhooks/${body.webhookId}`;
}

describe('If-Match', () => {
  it('is taken by these routes, as the description says, and by no other', async () => {
    const { paths } = (await send('GET', '/openapi.json')).body as unknown as {
      paths: Record<string, Record<string, { operationId: string; parameters?: { name: string }[] }>>;
    };
    const takers = Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .filter(({ parameters }) => parameters?.some(({ name }) => name === 'If-Match'));
    expect(takers.map(({ operationId }) => operationId).toSorted()).toEqual(Object.keys(conditional).toSorted());
    const { url } = await active();
    for (const verb of ['cancel', 'retry', 'repair', 'isolation', 'abandon'])
      expect((await send('POST', `${url}/${verb}`, undefined, when('*'))).body.error.code).toBe('NOT_SUPPORTED');
    const made = await send('POST', '/api/v1/tenants', { ...acme, slug: 'new' }, { 'if-none-match': '*' });
    expect(made.body.error.code).toBe('NOT_SUPPORTED');
  });

  it.each(Object.keys(conditional))('%s: another tag is refused with the current one, which is taken', async (name) => {
    const { url, at } = await conditional[name]!();
    const [method, path, payload] = at;
    const current = await etagOf(url);
    const refused = await send(method, path, payload, when(stale));
    expect([refused.status, refused.body.error.code, refused.etag]).toEqual([412, 'PRECONDITION_FAILED', current]);
    expect(await etagOf(url)).toBe(current);
    const dry = `${path}${path.includes('?') ? '&' : '?'}dryRun=true`;
    expect((await send(method, dry, payload, when(stale))).status).toBe(412);
    expect((await send(method, dry, payload, when(current))).status).toBe(200);
    expect((await send(method, path, payload, when(current))).status).toBeLessThan(300);
  });

  it.each([
    ['*', 200],
    ['"a", CURRENT', 200],
    [', CURRENT ,"a,b"', 200],
    ['W/CURRENT', 412],
    ['W/"a"', 412],
    ['"a"', 412],
    ['""', 412],
    ['', 400],
    [',', 400],
    ['*, "a"', 400],
    ['CURRENT "a"', 400],
    ['3', 400],
    ['"a', 400],
    ['w/"a"', 400],
  ])('%s: %i', async (text, status) => {
    const { url } = await active();
    const header = text.replace('CURRENT', await etagOf(url));
    expect((await send('PATCH', url, { displayName: 'B' }, when(header))).status).toBe(status);
  });

  it.each([
    ['settings', (n: number) => counts(n + 2)],
    ['details', (n: number) => ({ displayName: `Acme ${n}` })],
  ])('lets one of eight concurrent changes of %s through', async (_what, body) => {
    const { url } = await active();
    const tag = when(await etagOf(url));
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => send('PATCH', url, body(n), tag)));
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses.filter((status) => status < 300)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(7);
  });

  it('lets settings or details through, not both', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { url } = await active();
      const tag = when(await etagOf(url));
      const answers = await Promise.all([
        send('PATCH', url, { displayName: 'Acme Limited' }, tag),
        send('PATCH', url, counts(2), tag),
      ]);
      expect(answers.map(({ status }) => status).filter((status) => status === 412)).toHaveLength(1);
    }
  });

  it('is part of what an Idempotency-Key stands for, and is not asked again of a repeat', async () => {
    const { url } = await active();
    const tag = await etagOf(url);
    const key = { 'idempotency-key': `tagged ${url}` };
    const first = await send('PATCH', url, { displayName: 'Once' }, { ...key, ...when(`${tag}, "a"`) });
    const again = await send('PATCH', url, { displayName: 'Once' }, { ...key, ...when(`"a",${tag}`) });
    expect([again.status, again.headers['idempotency-replayed'], again.etag]).toEqual([200, 'true', first.etag]);
    for (const other of [{ ...key, ...when('*') }, key])
      expect((await send('PATCH', url, { displayName: 'Once' }, other)).body.error.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('comes before a conflict: what was read is out of date, whatever is open', async () => {
    const { url } = await active();
    const tag = await etagOf(url);
    await send('PATCH', url, counts(2));
    expect((await send('PATCH', url, counts(3), when(tag))).status).toBe(412);
    expect((await send('PATCH', url, counts(3), when(await etagOf(url)))).body.error.code).toBe(
      'OPERATION_IN_PROGRESS',
    );
  });
});
