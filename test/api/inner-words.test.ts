import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../../src/api/app.ts';
import type { TenantryClient } from '../../src/client/tenantry.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { acme, createApiFixture, payloadKey, type ApiFixture } from './api-fixture.ts';

/* Whatever goes wrong inside, no answer tells of it. */

/** Words of inside: where code lies, what PostgreSQL is asked, where it is, how to log in there. */
const inner =
  /\bat .*[(:]\d+:\d+|node_modules|\/(?:work|home|srv|src|usr|tmp)\/|\.[cm]?[jt]s\b|select |insert into|update \w+ set|delete from|relation "|column "|127\.0\.0\.1:\d|localhost:\d|ECONN|ENOTFOUND|EPIPE|10\.9\.8\.7|db\.internal|hunter2|\bpg\b|fastify|zod|\$\d/i;
const secret =
  'insert into tenants failed at /srv/src/db.ts:3:7, relation "tenants" of db.internal (10.9.8.7), password hunter2';

let api: ApiFixture;
let tenantId: string;
const apps: FastifyInstance[] = [];
beforeAll(async () => {
  api = await createApiFixture();
  const payload = { ...acme, slug: 'inner-words' };
  tenantId = (await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload })).json<{ tenantId: string }>()
    .tenantId;
});
afterAll(async () => {
  for (const app of apps) await app.close();
  await api.close();
});

/** An API whose client fails, whatever it is asked. */
async function failing(error: () => Error): Promise<FastifyInstance> {
  const failingOf = (target: object): object =>
    new Proxy(target, {
      get: (of, name) => {
        const value: unknown = Reflect.get(of, name);
        if (typeof value === 'function')
          return name === 'subscribe' || name === 'products' ? value : () => Promise.reject(error());
        return typeof value === 'object' && value !== null && name !== 'doors' && name !== 'platform'
          ? failingOf(value)
          : value;
      },
    });
  // A proxy is of the type of what it stands for.
  const client = failingOf(api.client) as TenantryClient;
  const codec = new EncryptionCodec([payloadKey]);
  const app = await buildApp({ client, codec, log: pino({ level: 'silent' }) });
  apps.push(app);
  return app;
}

/** Each route once, as a reader or a changer would ask. */
async function walk(app: FastifyInstance) {
  const answers: { readonly of: string; readonly status: number; readonly body: string; readonly headers: string }[] =
    [];
  for (const { method, schema, url } of api.routes) {
    if (!schema?.operationId) continue;
    for (const each of [method].flat()) {
      if (each === 'HEAD') continue;
      const path = url.replace(/:(tenantId|accountId)/, tenantId).replace(/:\w+/g, randomUUID());
      const isRead = each === 'GET';
      const payload = { ...(url === '/api/v1/tenants' && acme), ...(url.endsWith('/abandon') && { reason: 'why' }) };
      const answer = await app.inject({
        method: each as 'GET',
        url: each === 'DELETE' ? `${path}?confirm=inner-words` : path,
        ...(!isRead && each !== 'DELETE' && { payload }),
      });
      answers.push({
        of: `${each} ${url}`,
        status: answer.statusCode,
        body: answer.body,
        headers: JSON.stringify(answer.headers),
      });
    }
  }
  return answers;
}
const told = (answers: Awaited<ReturnType<typeof walk>>) =>
  answers.filter(({ status, body, headers }) => status >= 400 && (inner.test(body) || inner.test(headers)));

describe('an answer tells nothing of inside', () => {
  it('when what it stands on throws, whatever that is', async () => {
    const errors = [
      () => new Error(secret),
      () => Object.assign(new Error(secret), { code: '23505', detail: secret, table: 'tenants' }),
      () => Object.assign(new TypeError(secret), { statusCode: 500 }),
    ];
    for (const error of errors) {
      const answers = await walk(await failing(error));
      expect(told(answers)).toEqual([]);
      expect(answers.filter(({ status }) => status === 500).length).toBeGreaterThan(15);
    }
  });

  it('when PostgreSQL gives an error, no answer or rubbish', async () => {
    for (const fault of [
      { type: 'error', when: 'before', code: 'XX000' },
      { type: 'error', when: 'before', code: '42P01' },
      { type: 'cut', when: 'before' },
      { type: 'garbage' },
    ] as const) {
      const rule = api.proxy.addRule({ match: { application: 'api' }, fault, times: null });
      const answers = await Promise.all(
        [`/api/v1/tenants/${tenantId}`, '/api/v1/tenants', '/api/v1/freezes', '/readyz', '/metrics'].map((url) =>
          api.app.inject(url),
        ),
      );
      api.proxy.removeRule(rule);
      expect(answers.map(({ statusCode }) => statusCode).filter((status) => status >= 500).length).toBeGreaterThan(2);
      for (const { body, headers } of answers)
        expect([body, JSON.stringify(headers)].filter((text) => inner.test(text))).toEqual([]);
    }
  });

  it('when a request is what no schema and no parser takes', async () => {
    const json = { 'content-type': 'application/json' };
    const post = { method: 'POST', url: '/api/v1/tenants' } as const;
    const asks = [
      { ...post, headers: json, payload: '{"a":' },
      { ...post, headers: json, payload: '{"__proto__":{}}' },
      { ...post, headers: json, payload: '['.repeat(20_000) },
      { ...post, headers: { 'content-type': 'text/xml' }, payload: '<a/>' },
      { ...post, headers: json, payload: `"${'x'.repeat(70_000)}"` },
      { ...post, payload: { product: 1, slug: {}, unknown: [] } },
      { ...post, headers: { ...json, 'content-length': '3' }, payload: '{}' },
      { url: '/%' },
      { url: `/api/v1/tenants/${'x'.repeat(9_000)}` },
      { url: '/docs/static/../../package.json' },
      { url: '/docs/static/%2e%2e%2fpackage.json' },
      { url: '/docs/nothing.ts.map' },
    ] as const;
    for (const ask of asks) {
      const answer = await api.app.inject(ask);
      expect([ask.url, answer.statusCode >= 400 && answer.statusCode < 500]).toEqual([ask.url, true]);
      const { error } = answer.json<{ error: { code: string; message: string } }>();
      expect(error.code).toMatch(/^[A-Z_]+$/);
      // What was asked for may be said back.
      expect(answer.body.replaceAll(ask.url, '')).not.toMatch(inner);
    }
  });
});
