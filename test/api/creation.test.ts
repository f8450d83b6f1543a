import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Blueprint } from '../../src/contracts/blueprint.ts';
import { findBlueprint, findOperation, listOperationsOf } from '../../src/db/operations.ts';
import { findSlugHolder, quarantineSlug } from '../../src/db/reservations.ts';
import { listSettings } from '../../src/db/settings.ts';
import { createApiFixture, acme, type ApiFixture } from './api-fixture.ts';
import { anyString, matching } from './matchers.ts';
import { testCaller } from '../support/caller.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());
afterEach(() => {
  api.orchestrator.startFault = undefined;
  api.orchestrator.unreachable = false;
});

let counter = 0;
const freshSlug = () => `acme-${(counter += 1)}`;
const post = (payload: unknown, headers: Record<string, string> = {}, query = '') =>
  api.app.inject({
    method: 'POST',
    url: `/api/v1/tenants${query}`,
    headers: { 'content-type': 'application/json', ...headers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });
const count = async (table: string) =>
  Number((await api.database.query(`select count(*) as n from ${table}`)).rows[0]?.n);
const errorOf = (answer: { json: () => unknown }) =>
  (answer.json() as { error: { code: string; message: string; details?: Record<string, unknown>; requestId: string } })
    .error;

describe('POST /api/v1/tenants', () => {
  it('accepts a tenant: 202, its places reserved, its run started', async () => {
    const slug = freshSlug();
    const answer = await post({ ...acme, slug: ` ${slug.toUpperCase()} ` });
    expect(answer.statusCode).toBe(202);
    const body = answer.json<Record<string, string>>();
    expect(body).toEqual({
      tenantId: matching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/),
      operationId: anyString,
      openOperation: { operationId: body.operationId, type: 'provision', state: 'accepted', since: matching(/^2/) },
      workflowId: `tenant.moamalat.${slug}`,
      status: 'pending',
      statusUrl: `/api/v1/tenants/${body.tenantId}/status`,
      tenantUrl: `https://${slug}.moamalat-pro.com`,
      workers: { state: matching(/^(polling|unknown)$/), detail: anyString },
      message: 'the creation is accepted, and a worker carries it out',
    });
    expect(answer.headers.location).toBe(`/api/v1/tenants/${body.tenantId}`);
    expect(api.orchestrator.open.get(`tenant.moamalat.${slug}`)).toMatchObject({
      operationId: body.operationId,
      type: 'provision',
      tenantId: body.tenantId,
    });
    expect((await findSlugHolder(api.database, { product: 'moamalat', slug }))?.tenantId).toBe(body.tenantId);
    expect(await findBlueprint(api.database, body.operationId!)).toMatchObject({
      product: 'moamalat',
      cell: 'default',
    });
    const kinds = await api.database.query('select kind from allocations where tenant_id = $1 order by kind', [
      body.tenantId,
    ]);
    // Two services, two families, two log groups and the record have names of their own.
    const names = Array.from({ length: 7 }, () => 'resource-name');
    expect(kinds.rows.map((r) => r.kind)).toEqual(['host-name', 'load-balancer', ...names]);
  });

  it('takes what an operator chooses: stored with who chose it, and carried out by the blueprint', async () => {
    const settings = { services: { backend: { count: 3 }, frontend: { cpu: 512, memory: 1_024 } } };
    const answer = await post({ ...acme, slug: freshSlug(), settings });
    expect(answer.statusCode).toBe(202);
    const { tenantId, operationId } = answer.json<{ tenantId: string; operationId: string }>();
    const shown = await api.app.inject({ url: `/api/v1/tenants/${tenantId}` });
    expect(shown.json()).toMatchObject({ settings, settingsVersion: 1 });
    const caller = (await findOperation(api.database, operationId))?.caller;
    expect(caller?.principal).toBe('local-operator');
    expect(await listSettings(api.database, tenantId)).toEqual([
      expect.objectContaining({ version: 1, settings, mode: 'active', operationId, caller }),
    ]);
    const { steps } = (await findBlueprint(api.database, operationId)) as Blueprint;
    expect(steps.find(({ id }) => id === 'deploy_backend')?.spec.desiredCount).toBe(3);
    expect(steps.find(({ id }) => id === 'create_task_definition:frontend')?.spec).toMatchObject({ cpu: 512 });
  });

  it('names every field of the settings that is wrong, and accepts nothing', async () => {
    const slug = freshSlug();
    const backend = { image: 'elsewhere/app:1', count: 99, cpu: 256, memory: 4_096, size: 1 };
    const refused = await post({ ...acme, slug, settings: { services: { backend } } });
    expect([refused.statusCode, errorOf(refused).code]).toEqual([400, 'INVALID_INPUT']);
    const { fields } = errorOf(refused).details as { fields: { field: string; problem: string }[] };
    expect(fields.map(({ field }) => field)).toEqual([
      'body.settings.services.backend.image',
      'body.settings.services.backend.image',
      'body.settings.services.backend.count',
      'body.settings.services.backend',
      'body.settings.services.backend.memory',
    ]);
    expect((await api.database.query('select from tenants where slug = $1', [slug])).rowCount).toBe(0);
    expect((await post({ ...acme, slug, settings: [] })).statusCode).toBe(400);
  });

  it('asks PostgreSQL seventeen times, twelve of them while others who create tenants wait', async () => {
    const before = api.proxy.statements().at(-1)?.seq ?? 0;
    const slug = freshSlug();
    expect((await post({ ...acme, slug })).statusCode).toBe(202);
    const asked = api.proxy.statements().filter(({ seq, application }) => seq > before && application === 'api');
    const id = asked.find(({ values }) => values.includes(slug))?.transaction;
    const texts = asked.flatMap(({ transaction, text }) => (transaction === id ? [text] : []));
    expect(texts).toHaveLength(17);
    const locked = texts.findLastIndex((text) => text.includes('pg_advisory_xact_lock('));
    expect(texts.slice(locked)).toHaveLength(12);
  });

  it('gives one of two simultaneous requests for a slug 202, the other 409 SLUG_TAKEN', async () => {
    const slug = freshSlug();
    const answers = await Promise.all([post({ ...acme, slug }), post({ ...acme, slug })]);
    expect(answers.map((a) => a.statusCode).sort()).toEqual([202, 409]);
    expect(errorOf(answers.find((a) => a.statusCode === 409)!).code).toBe('SLUG_TAKEN');
    const { rows } = await api.database.query('select id from tenants where slug = $1', [slug]);
    expect(rows).toHaveLength(1);
  });

  it('says of a taken slug who has it, and until when: a removed tenant keeps it for its quarantine', async () => {
    const slug = freshSlug();
    const { tenantId } = (await post({ ...acme, slug })).json<{ tenantId: string }>();
    const inUse = errorOf(await post({ ...acme, slug }));
    expect(inUse).toMatchObject({
      code: 'SLUG_TAKEN',
      message: `the slug "${slug}" of product moamalat is in use by tenant ${tenantId}, which is pending`,
      details: { product: 'moamalat', slug, tenantId, status: 'pending', until: null },
    });
    await quarantineSlug(api.database, { product: 'moamalat', slug, tenantId });
    const { until, ...quarantined } = errorOf(await post({ ...acme, slug })).details as Record<string, string>;
    expect(quarantined).toEqual({ product: 'moamalat', slug, tenantId, status: 'deleted' });
    const days = (Date.parse(until!) - Date.now()) / 86_400_000;
    expect([days > 29.9, days <= 30]).toEqual([true, true]);
    await api.database.query('delete from reservations where slug = $1', [slug]);
    expect(errorOf(await post({ ...acme, slug }))).toMatchObject({
      code: 'SLUG_TAKEN',
      message: `the host name ${slug}.moamalat-pro.com is in use by tenant ${tenantId}, which is pending`,
      details: { host: `${slug}.moamalat-pro.com`, tenantId, until: null },
    });
  });

  it.each(['before', 'after'] as const)(
    'withdraws everything when the start fails %s its effect: 503, slug free',
    async (fault) => {
      const slug = freshSlug();
      api.orchestrator.startFault = fault;
      const places = await count('allocations');
      const refused = await post({ ...acme, slug });
      expect(refused.statusCode).toBe(503);
      expect(errorOf(refused).code).toBe('ORCHESTRATOR_UNAVAILABLE');
      const { rows } = await api.database.query('select id, status from tenants where slug = $1', [slug]);
      expect(rows).toEqual([{ id: anyString, status: 'deleted' }]);
      const [operation] = await listOperationsOf(api.database, String(rows[0]?.id));
      expect(operation?.state).toBe('withdrawn');
      expect(await findSlugHolder(api.database, { product: 'moamalat', slug })).toBeUndefined();
      expect(await count('allocations')).toBe(places);
      // The run that was started unheard finds nothing to claim.
      expect(await api.orchestrator.claim(operation!.id)).toBe(false);
      api.orchestrator.startFault = undefined;
      api.orchestrator.end(`tenant.moamalat.${slug}`);
      expect((await post({ ...acme, slug })).statusCode).toBe(202);
    },
  );

  it('counts as accepted when a run claimed the operation before the start was known to fail', async () => {
    api.orchestrator.startFault = 'after-claim';
    const answer = await post({ ...acme, slug: freshSlug() });
    expect(answer.statusCode).toBe(202);
    const operation = await findOperation(api.database, answer.json<{ operationId: string }>().operationId);
    expect(operation?.state).toBe('running');
  });

  it('starts the run at once although an earlier run of the slug closes only a moment later', async () => {
    const slug = freshSlug();
    const first = (await post({ ...acme, slug })).json<{ tenantId: string; workflowId: string }>();
    await api.app.inject({ method: 'POST', url: `/api/v1/tenants/${first.tenantId}/cancel` });
    setTimeout(() => api.orchestrator.end(first.workflowId), 200);
    const answer = await post({ ...acme, slug });
    expect(answer.statusCode).toBe(202);
    expect(api.orchestrator.open.get(first.workflowId)?.operationId).toBe(
      answer.json<{ operationId: string }>().operationId,
    );
  });

  it('leaves the operation accepted while an earlier run of the slug is still open; a worker starts it later', async () => {
    const slug = freshSlug();
    const first = (await post({ ...acme, slug })).json<{ tenantId: string; workflowId: string }>();
    await api.app.inject({ method: 'POST', url: `/api/v1/tenants/${first.tenantId}/cancel` });
    const answer = await post({ ...acme, slug });
    expect(answer.statusCode).toBe(202);
    const operation = (await findOperation(api.database, answer.json<{ operationId: string }>().operationId))!;
    expect(operation.state).toBe('accepted');
    expect(await api.client.startAccepted(testCaller, operation)).toBe('already-open');
    api.orchestrator.end(first.workflowId);
    expect(await api.client.startAccepted(testCaller, operation)).toBe('started');
    expect(await api.client.startAccepted(testCaller, operation)).toBe('already-open');
    expect(api.orchestrator.open.get(first.workflowId)?.operationId).toBe(operation.id);
  });

  const bad: [string, unknown, string, string?][] = [
    ['no body at all', '', 'INVALID_INPUT'],
    ['malformed JSON', '{"product":', 'INVALID_INPUT'],
    ['an array', [], 'INVALID_INPUT'],
    ['a poisoned prototype', '{"__proto__":{"a":1},"product":"moamalat"}', 'INVALID_INPUT'],
    ['an unknown field', { ...acme, color: 'red' }, 'INVALID_INPUT', 'body'],
    ['no slug', { ...acme, slug: undefined }, 'INVALID_INPUT', 'body.slug'],
    ['a short slug', { ...acme, slug: 'ab' }, 'INVALID_INPUT', 'body.slug'],
    ['a long slug', { ...acme, slug: 'a'.repeat(41) }, 'INVALID_INPUT', 'body.slug'],
    ['a slug with a dot', { ...acme, slug: 'acme.evil' }, 'INVALID_INPUT', 'body.slug'],
    ['a slug that ends with a hyphen', { ...acme, slug: 'acme-' }, 'INVALID_INPUT', 'body.slug'],
    ['a punycode slug', { ...acme, slug: 'xn--acme' }, 'INVALID_INPUT', 'body.slug'],
    ['a reserved slug', { ...acme, slug: 'www' }, 'INVALID_INPUT', 'body.slug'],
    ["the product's own reserved slug", { ...acme, slug: 'company-x' }, 'INVALID_INPUT', 'body.slug'],
    ['an unknown product', { ...acme, product: 'nope' }, 'UNKNOWN_PRODUCT'],
    ['a product named like a method', { ...acme, product: 'toString' }, 'UNKNOWN_PRODUCT'],
    ['a tier where there are none', { ...acme, tier: 'gold' }, 'INVALID_INPUT', 'body.tier'],
    ['an empty name', { ...acme, displayName: '   ' }, 'INVALID_INPUT', 'body.displayName'],
    ['a long name', { ...acme, displayName: 'x'.repeat(201) }, 'INVALID_INPUT', 'body.displayName'],
    ['a name with NUL', { ...acme, displayName: 'a\u0000b' }, 'INVALID_INPUT', 'body.displayName'],
    [
      'a name with half a character',
      '{"product":"moamalat","slug":"half","displayName":"\\ud800","contactEmail":"a@b.example"}',
      'INVALID_INPUT',
      'body.displayName',
    ],
    ['no email', { ...acme, contactEmail: 'nobody' }, 'INVALID_INPUT', 'body.contactEmail'],
    ['a long email', { ...acme, contactEmail: `${'a'.repeat(250)}@b.example` }, 'INVALID_INPUT', 'body.contactEmail'],
    ['an unknown onFailure', { ...acme, onFailure: 'shrug' }, 'INVALID_INPUT', 'body.onFailure'],
  ];
  it.each(bad)('refuses %s with 400 and writes nothing', async (_what, payload, code, field) => {
    const before = await count('tenants');
    const answer = await post(payload);
    expect(answer.statusCode).toBe(400);
    const error = errorOf(answer);
    expect(error).toMatchObject({ code, message: anyString, requestId: answer.headers['x-request-id'] });
    if (field !== undefined) expect(error.details).toMatchObject({ fields: [{ field }] });
    expect(await count('tenants')).toBe(before);
  });

  it('refuses an oversized body with 413 and other content types with 415', async () => {
    const large = await post({ ...acme, displayName: 'x'.repeat(100_000) });
    expect([large.statusCode, errorOf(large).code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
    ]) {
      const answer = await post(JSON.stringify(acme), { 'content-type': type });
      expect([type, answer.statusCode, errorOf(answer).code]).toEqual([type, 415, 'UNSUPPORTED_MEDIA_TYPE']);
    }
  });

  it('answers a parameter that it does not know with INVALID_INPUT', async () => {
    expect(errorOf(await post(acme, {}, '?force=1')).code).toBe('INVALID_INPUT');
  });
});

describe('a full cell', () => {
  it('answers 503 CELL_FULL and keeps nothing', async () => {
    const { rows } = await api.database.query('select count(*)::int as n from allocations where kind = $1', [
      'load-balancer',
    ]);
    for (let n = Number(rows[0]?.n); n < 33; n += 1)
      expect((await post({ ...acme, slug: freshSlug() })).statusCode).toBe(202);
    const before = await count('tenants');
    const answer = await post({ ...acme, slug: 'one-too-many' });
    expect([answer.statusCode, errorOf(answer).code]).toEqual([503, 'CELL_FULL']);
    expect(await count('tenants')).toBe(before);
  });
});
