import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller, CallerScope, Role } from '../../src/contracts/caller.ts';
import { MOST_WEBHOOKS } from '../../src/contracts/webhooks.ts';
import { checkWebhooks } from '../../src/doctor/webhook-checks.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { seedTenant, type Seeded } from '../db/fixtures.ts';
import { createApiFixture, payloadKey, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
let tenant: Seeded;
beforeAll(async () => {
  api = await createApiFixture();
  tenant = await seedTenant(api.database);
});
afterAll(() => api.close());

interface Answer {
  readonly webhookId: string;
  readonly secret: string;
  readonly error: { readonly code: string; readonly details?: { readonly fields?: { readonly field: string }[] } };
  readonly [field: string]: unknown;
}
const call = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object) => {
  const answer = await api.app.inject({ method, url: `/api/v1/webhooks${path}`, ...(payload && { payload }) });
  return { status: answer.statusCode, body: answer.json<Answer>() };
};
const url = 'https://hooks.example.com/tenantry';
const make = async (body: object = {}) => (await call('POST', '', { url, ...body })).body;
const refusal = async (body: object) => {
  const { status, body: answer } = await call('POST', '', body);
  return [status, answer.error.code, answer.error.details?.fields?.map(({ field }) => field).join()];
};

describe('a webhook', () => {
  it('is made, shown, listed, changed and deleted; its secret is in the first answer alone', async () => {
    const made = await call('POST', '', {
      url,
      tenantId: tenant.tenantId,
      events: ['tenant.status'],
      description: 'portal',
    });
    expect(made.status).toBe(201);
    const { secret, ...shown } = made.body;
    expect(secret).toMatch(/^whsec_/);
    expect(shown).toMatchObject({
      ...{ url, tenantId: tenant.tenantId, product: null, events: ['tenant.status'], description: 'portal' },
      ...{ enabled: true, createdBy: 'local-operator', pending: 0, deadLetters: 0 },
    });
    const path = `/${shown.webhookId}`;
    expect(await call('GET', path)).toEqual({ status: 200, body: shown });
    expect((await call('GET', `?tenantId=${tenant.tenantId}`)).body).toEqual({ webhooks: [shown], nextCursor: null });
    const other = { url: `${url}/2`, events: null, description: null, enabled: false };
    expect((await call('PATCH', path, other)).body).toMatchObject({
      ...other,
      disabledReason: 'disabled by local-operator',
    });
    expect((await call('PATCH', path, {})).body).toMatchObject(other);
    expect((await call('DELETE', path)).status).toBe(200);
    for (const gone of [await call('GET', path), await call('DELETE', path), await call('PATCH', path, {})])
      expect([gone.status, gone.body.error.code]).toEqual([404, 'WEBHOOK_NOT_FOUND']);
  });

  it.each([
    [{}, 400, 'INVALID_INPUT', 'body.url'],
    [{ url: 'http://hooks.example.com/' }, 400, 'INVALID_INPUT', 'body.url'],
    [{ url: 'https://localhost/' }, 400, 'INVALID_INPUT', 'body.url'],
    [{ url: 'https://169.254.169.254/' }, 400, 'INVALID_INPUT', 'body.url'],
    [{ url, events: [] }, 400, 'INVALID_INPUT', 'body.events'],
    [{ url, events: ['step.ready'] }, 400, 'INVALID_INPUT', 'body.events.0'],
    [{ url, events: ['tenant.status', 'tenant.status'] }, 400, 'INVALID_INPUT', 'body.events'],
    [{ url, secret: 'mine' }, 400, 'INVALID_INPUT', 'body'],
    [{ url, product: 'moamalat', tenantId: randomUUID() }, 400, 'INVALID_INPUT', 'body.product'],
    [{ url, product: 'nothing' }, 400, 'UNKNOWN_PRODUCT', undefined],
    [{ url, tenantId: randomUUID() }, 404, 'TENANT_NOT_FOUND', undefined],
  ])('%j is refused', async (body, ...refused) => {
    expect(await refusal(body)).toEqual(refused);
  });

  it('leads to this host only where that is switched on', async () => {
    const { webhookId } = await make();
    const moved = await call('PATCH', `/${webhookId}`, { url: 'http://127.0.0.1:8080/' });
    expect([moved.status, moved.body.error.code]).toEqual([400, 'INVALID_INPUT']);
  });

  it('is one of a bounded number, however many ask at once, and a page leads to the next', async () => {
    const { tenantId } = await seedTenant(api.database);
    const answers = await Promise.all(
      Array.from({ length: MOST_WEBHOOKS + 3 }, () => call('POST', '', { url, tenantId })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(MOST_WEBHOOKS);
    expect(answers.find(({ status }) => status !== 201)).toMatchObject({
      status: 409,
      body: { error: { code: 'WEBHOOK_LIMIT' } },
    });
    const seen = new Set<string>();
    let cursor = '';
    do {
      const { body } = await call('GET', `?tenantId=${tenantId}&limit=7${cursor}`);
      for (const { webhookId } of body.webhooks as Answer[]) seen.add(webhookId);
      cursor = typeof body.nextCursor === 'string' ? `&cursor=${body.nextCursor}` : '';
    } while (cursor !== '');
    expect(seen.size).toBe(MOST_WEBHOOKS);
    expect((await call('GET', `?cursor=${randomUUID()}`)).status).toBe(400);
  });
});

it('every change can be looked at first: nothing comes of it, and no secret is shown', async () => {
  const { webhookId } = await make();
  const counted = async () => (await api.database.query('select count(*) from webhook_changes')).rows;
  const before = [await counted(), await call('GET', `/${webhookId}`)];
  const { body: made } = await call('POST', '?dryRun=true', { url });
  const { body: rotated } = await call('POST', `/${webhookId}/rotate?dryRun=true`);
  const { body: changed } = await call('PATCH', `/${webhookId}?dryRun=true`, { enabled: false });
  const { body: removed } = await call('DELETE', `/${webhookId}?dryRun=true`);
  const { body: replayed } = await call('POST', `/${webhookId}/replay?dryRun=true`);
  for (const body of [made, rotated, changed, removed, replayed]) {
    expect(body).toMatchObject({ dryRun: true });
    expect(body).not.toHaveProperty('secret');
  }
  expect(changed).toMatchObject({ enabled: false });
  expect((await call('GET', `/${made.webhookId}`)).status).toBe(404);
  expect((await call('POST', '?dryRun=true', { url: 'http://10.0.0.1' })).status).toBe(400);
  expect([await counted(), await call('GET', `/${webhookId}`)]).toEqual(before);
});

describe('a secret', () => {
  const stored = async (webhookId: string) =>
    (
      await api.database.query<{ sealed: Buffer; expires: string | null }>(
        `select sealed, extract(epoch from expires_at - now())::int as expires from webhook_secrets where webhook_id = $1 order by id`,
        [webhookId],
      )
    ).rows;

  it('is stored encrypted, in no log, and in no list of changes', async () => {
    const made = await make();
    const rotated = await call('POST', `/${made.webhookId}/rotate`);
    const { rows } = await api.database.query('select to_jsonb(c) as c from webhook_changes c');
    const kept =
      JSON.stringify([rows, api.logged]) +
      Buffer.concat((await stored(made.webhookId)).map((s) => s.sealed)).toString('latin1');
    for (const { secret } of [made, rotated.body]) {
      expect(kept).not.toContain(secret);
      expect(kept).not.toContain(secret.slice('whsec_'.length));
    }
  });

  it('is followed by another; the one of before ends when it was said', async () => {
    const { webhookId, secret } = await make();
    const path = `/${webhookId}/rotate`;
    const rotated = await call('POST', path, { overlap: '2h' });
    expect(rotated.body.secret).not.toBe(secret);
    const near = (seconds: number) => expect.toSatisfy((n: number) => Math.abs(n - seconds) < 60) as unknown;
    expect((await stored(webhookId)).map(({ expires }) => expires)).toEqual([near(7_200), null]);
    await call('POST', path);
    expect((await stored(webhookId)).map(({ expires }) => expires)).toEqual([near(7_200), near(86_400), null]);
    await call('POST', path);
    expect((await call('POST', path)).body.error.code).toBe('WEBHOOK_LIMIT');
    expect((await call('POST', path, { overlap: '0' })).status).toBe(200);
    expect(await stored(webhookId)).toHaveLength(1);
    for (const overlap of ['8d', '-1s', 'soon', '1.5h'])
      expect((await call('POST', path, { overlap })).body.error.code).toBe('INVALID_INPUT');
  });

  it('that cannot be read, or is another webhook’s, is told of by the doctor', async () => {
    const [one, two] = [await make(), await make()];
    const subjects = async (codec = new EncryptionCodec([payloadKey])) =>
      (await checkWebhooks(api.database, codec))
        .filter(({ verdict }) => verdict === 'problem')
        .map(({ detail }) => detail);
    expect(await subjects()).toEqual([]);
    expect((await subjects(new EncryptionCodec([Buffer.alloc(32, 1)]))).join()).toContain(one.webhookId);
    await api.database.query(
      `update webhook_secrets set sealed = (select sealed from webhook_secrets where webhook_id = $2) where webhook_id = $1`,
      [one.webhookId, two.webhookId],
    );
    expect(await subjects()).toEqual([expect.stringContaining(`a secret of webhook ${one.webhookId} is of another`)]);
    await call('DELETE', `/${one.webhookId}`);
  });
});

describe('who may', () => {
  const as = (role: Role, scope?: CallerScope): Caller => ({ principal: 'p', role, requestId: randomUUID(), scope });
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) => (error as { code: string }).code,
    );

  it('reach which webhooks: all, those of tenants, those of its own tenants, or none', async () => {
    const { webhooks } = api.client;
    const other = await seedTenant(api.database);
    const [ofAll, mine, others] = [
      await make(),
      await make({ tenantId: tenant.tenantId }),
      await make({ tenantId: other.tenantId }),
    ];
    const admin = as('platform-admin');
    const operator = as('platform-operator');
    const owner = as('tenant-admin', { kind: 'tenants', ids: [tenant.tenantId] });
    const guest = as('self-service', { kind: 'own' });
    const reached = await Promise.all(
      [admin, operator, owner, guest].map((caller) =>
        Promise.all([ofAll, mine, others].map(({ webhookId }) => codeOf(webhooks.get(caller, webhookId)))),
      ),
    );
    const [yes, no] = ['done', 'WEBHOOK_NOT_FOUND'];
    expect(reached).toEqual([
      [yes, yes, yes],
      [no, yes, yes],
      [no, yes, no],
      ['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
    ]);
    const listed = await webhooks.list(owner, { limit: 200 });
    expect(new Set(listed.webhooks.map(({ tenantId }) => tenantId))).toEqual(new Set([tenant.tenantId]));
    expect((await webhooks.list(operator, { limit: 200 })).webhooks.every(({ tenantId }) => tenantId !== null)).toBe(
      true,
    );
    for (const change of [webhooks.remove, webhooks.rotate, webhooks.replayDead])
      expect(await codeOf(change(owner, others.webhookId))).toBe(no);
    expect(await codeOf(webhooks.change(owner, others.webhookId, { enabled: false }))).toBe(no);
    expect(await codeOf(webhooks.deliveries(owner, others.webhookId, { limit: 1 }))).toBe(no);
    const { url: target } = mine as unknown as { url: string };
    for (const tenantId of [other.tenantId, randomUUID()])
      expect(await codeOf(webhooks.create(owner, { url: target, tenantId }))).toBe('TENANT_MISMATCH');
    expect(await codeOf(webhooks.create(owner, { url: target }))).toBe('FORBIDDEN');
    expect(await codeOf(webhooks.create(operator, { url: target, product: 'moamalat' }))).toBe('FORBIDDEN');
    expect(await codeOf(webhooks.create(owner, { url: target, tenantId: tenant.tenantId }))).toBe('done');
  });
});

it('deliveries are listed by what is asked for, and one that is not there is not replayed', async () => {
  const { webhookId } = await make({ events: ['tenant.accepted', 'operation.accepted'] });
  const { tenantId } = await seedTenant(api.database);
  const list = async (query: string) => (await call('GET', `/${webhookId}/deliveries${query}`)).body;
  const all = await list('');
  expect((all.deliveries as { type: string }[]).map(({ type }) => type)).toEqual([
    'operation.accepted',
    'tenant.accepted',
  ]);
  const first = await list('?limit=1');
  expect(await list(`?limit=1&cursor=${first.nextCursor as string}`)).toEqual({
    deliveries: [(all.deliveries as unknown[])[1]],
    nextCursor: null,
  });
  expect(await list(`?state=pending&type=tenant.accepted&tenantId=${tenantId}`)).toMatchObject({
    deliveries: [{ type: 'tenant.accepted', tenantId, state: 'pending' }],
  });
  expect(await list('?state=dead')).toEqual({ deliveries: [], nextCursor: null });
  expect((await call('POST', `/${webhookId}/deliveries/${randomUUID()}/replay`)).body.error.code).toBe(
    'DELIVERY_NOT_FOUND',
  );
  expect((await call('POST', `/${webhookId}/replay`)).body).toEqual({ replayed: 0 });
  const metrics = (await api.app.inject('/metrics')).body;
  expect(metrics).toMatch(/^tenantry_webhook_deliveries_pending [1-9]/m);
  expect(metrics).toMatch(/^tenantry_webhook_dead_letters 0$/m);
});

it('a URL is kept as it is read, and refused when it reads as something else', async () => {
  const make = async (url: string) => {
    const answer = await api.app.inject({ method: 'POST', url: '/api/v1/webhooks', payload: { url } });
    return { status: answer.statusCode, ...answer.json<{ url?: string; webhookId: string }>() };
  };
  const made = await make('HTTPS://Hooks.Example.com:443');
  expect(made).toMatchObject({ status: 201, url: 'https://hooks.example.com/' });
  for (const url of [
    'https:hooks.example.com',
    ' https://hooks.example.com/',
    'https://@hooks.example.com/',
    'https://a..b/',
  ])
    expect(await make(url)).toMatchObject({ status: 400, error: { code: 'INVALID_INPUT' } });
  const path = `/api/v1/webhooks/${made.webhookId}`;
  const change = (url: string) => api.app.inject({ method: 'PATCH', url: path, payload: { url } });
  expect((await change('https:///hooks.example.com')).statusCode).toBe(400);
  expect((await change('https://Other.example')).json()).toMatchObject({ url: 'https://other.example/' });
  await api.app.inject({ method: 'DELETE', url: path });
});
