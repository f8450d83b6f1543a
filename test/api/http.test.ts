import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../../src/api/app.ts';
import { PublicAddressError, startApiServer } from '../../src/api/server.ts';
import { createTenantryClient } from '../../src/client/tenantry.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { recordHeartbeat, recordWorkerStop } from '../../src/db/worker-heartbeats.ts';
import { defaultCatalog } from '../../src/catalog/catalog.ts';
import { examplePlatform } from '../support/platform.ts';
import { errorTable } from '../../src/contracts/errors.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { moduleGraph } from '../support/module-graph.ts';
import { createApiFixture, UI_ORIGIN, acme, payloadKey, type ApiFixture } from './api-fixture.ts';
import { matching } from './matchers.ts';

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
});
afterAll(() => api.close());

interface Description {
  readonly servers: unknown;
  readonly paths: Record<
    string,
    Record<string, { operationId: string; responses: Record<string, { content: Record<string, unknown> }> }>
  >;
  readonly components: { schemas: Record<string, { properties: Record<string, { format?: string }> }> };
}

const codeOf = (answer: { json: () => unknown }) => (answer.json() as { error: { code: string } }).error.code;

describe('the door', () => {
  it('listens on loopback only', async () => {
    const log = api.app.log;
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com']) {
      const started = startApiServer({
        client: api.client,
        codec: new EncryptionCodec([payloadKey]),
        log,
        host,
        port: 0,
      });
      await expect(started).rejects.toThrow(PublicAddressError);
    }
  });

  it('refuses Host headers that are not loopback, or name another port', async () => {
    const { url } = await api.listen();
    const { port } = new URL(url);
    const status = async (host: string) =>
      new Promise<number>((done, failed) => {
        void import('node:http').then(({ get }) =>
          get({ host: '127.0.0.1', port, path: '/healthz', headers: { host } }, (r) => {
            r.resume();
            done(r.statusCode ?? 0);
          }).on('error', failed),
        );
      });
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect([host, await status(host)]).toEqual([host, 200]);
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1:1`,
      'localhost',
      `localhost.evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
    ]) {
      expect([host, await status(host)]).toEqual([host, 400]);
    }
  });

  it('refuses mutations from the pages of other origins', async () => {
    const post = (origin: string) =>
      api.app.inject({
        method: 'POST',
        url: '/api/v1/tenants',
        headers: { host: 'localhost', origin },
        payload: { ...acme, slug: 'origin-test' },
      });
    for (const origin of ['https://evil.example', 'null', UI_ORIGIN]) expect((await post(origin)).statusCode).toBe(400);
    expect((await post('http://localhost')).statusCode).toBe(202);
  });

  it('lets pages of other origins read nothing: no answer to a GET or HEAD carries a CORS header', async () => {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await api.app.inject({
        method,
        url: '/api/v1/tenants',
        headers: { host: 'localhost', origin: 'https://evil.example' },
      });
      const cors = Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'));
      expect([answer.statusCode, cors]).toEqual([200, []]);
    }
  });

  it('answers unknown routes, methods and malformed URLs in the one shape', async () => {
    for (const [method, url] of [
      ['GET', '/nope'],
      ['PUT', '/api/v1/nope'],
      ['GET', '/api/v1/tenants/'],
    ] as const) {
      const answer = await api.app.inject({ method, url });
      expect([url, answer.statusCode]).toEqual([url, url === '/api/v1/tenants/' ? 400 : 404]);
      expect(Object.keys(answer.json<{ error: object }>().error)).toEqual(
        expect.arrayContaining(['code', 'message', 'requestId']),
      );
    }
    const malformed = await api.app.inject('/api/v1/tenants/%zz');
    expect([malformed.statusCode, codeOf(malformed)]).toEqual([400, 'INVALID_INPUT']);
    const long = await api.app.inject(`/api/v1/tenants/${'a'.repeat(500)}`);
    expect([long.statusCode, codeOf(long)]).toEqual([400, 'INVALID_INPUT']);
  });

  it('says where it is described', async () => {
    const answer = await api.app.inject('/');
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { name: 'Tenantry', docs: '/docs', openapi: '/openapi.json' },
    ]);
    for (const url of ['/docs/', '/openapi.json']) expect((await api.app.inject(url)).statusCode).toBe(200);
  });

  it('never tells what went wrong inside', async () => {
    await api.database.query('alter table operations rename to operations_away');
    await api.database.query(
      'create view operations as select * from operations_away where 1 / (random() * 0)::int = 0',
    );
    try {
      const answer = await api.app.inject(`/api/v1/tenants/${crypto.randomUUID()}`);
      expect(codeOf(answer)).toBe('TENANT_NOT_FOUND');
      const broken = await api.app.inject('/metrics');
      expect([broken.statusCode, codeOf(broken)]).toEqual([500, 'INTERNAL']);
      expect(broken.body).not.toMatch(/operations|division|select/);
      expect(api.logged.join('')).toContain('division by zero');
    } finally {
      await api.database.query('drop view operations');
      await api.database.query('alter table operations_away rename to operations');
    }
  });

  it('takes no request id and no forwarding header from callers', async () => {
    const answer = await api.app.inject({
      url: '/healthz',
      headers: { 'x-request-id': 'mine', 'x-forwarded-host': 'evil.example' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

/** The API on another database; its orchestrator is the fixture's. */
async function appOn(database: Database) {
  const { orchestrator } = api;
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const platform = examplePlatform();
  const client = createTenantryClient({ database, orchestrator, platform, catalog: defaultCatalog, log });
  const app = await buildApp({ client, codec: new EncryptionCodec([payloadKey]), log: api.app.log });
  return { app, client };
}

describe('without PostgreSQL', () => {
  it('answers 503 DATABASE_UNAVAILABLE and tells nothing of the server', async () => {
    const database = createDatabase({ url: 'postgres://secretuser:secretword@127.0.0.1:9/nothing' });
    const { app, client } = await appOn(database);
    const list = await app.inject('/api/v1/tenants');
    const create = await app.inject({
      method: 'POST',
      url: '/api/v1/tenants',
      payload: { ...acme, slug: 'no-database' },
    });
    for (const answer of [list, create]) {
      expect([answer.statusCode, codeOf(answer)]).toEqual([503, 'DATABASE_UNAVAILABLE']);
      expect(answer.body).not.toMatch(/secret|127\.0|ECONN/);
    }
    const ready = await app.inject('/readyz');
    expect(ready.statusCode).toBe(503);
    expect(ready.json()).toMatchObject({ ok: false, checks: { postgresql: { ok: false }, temporal: { ok: true } } });
    await app.close();
    await client.close();
    await database.close();
  });
});

describe('a PostgreSQL that refuses', () => {
  const answersOn = async (url: string, body: (ask: (url: string) => Promise<Reply>) => Promise<void>) => {
    const database = createDatabase({ url });
    const { app, client } = await appOn(database);
    try {
      await body(async (path) => {
        const answer = await app.inject(path);
        return { status: answer.statusCode, body: answer.body };
      });
    } finally {
      await app.close();
      await client.close();
      await database.close();
    }
  };
  interface Reply {
    readonly status: number;
    readonly body: string;
  }
  const changed = (change: (of: URL) => void) => {
    const url = new URL(api.controlUrl);
    change(url);
    return url.href;
  };

  it.each([
    [
      'the login',
      (of: URL) => void (of.password = 'wrong'),
      'PostgreSQL refuses the login (28P01): correct user and password in the URL, or the rules of pg_hba.conf',
    ],
    [
      'the database',
      (of: URL) => void (of.pathname = '/nowhere'),
      'PostgreSQL has no such database (3D000): correct the name of the database in the URL, or make the database',
    ],
    [
      'TLS',
      (of: URL) => of.searchParams.set('sslmode', 'require'),
      'PostgreSQL speaks no TLS: correct sslmode in the URL',
    ],
  ])(
    '%s is not called unreachable: what it is and what to do are said, and no account',
    async (_what, change, said) => {
      await answersOn(changed(change), async (ask) => {
        const list = await ask('/api/v1/tenants');
        expect([list.status, JSON.parse(list.body)]).toMatchObject([
          503,
          { error: { code: 'DATABASE_UNAVAILABLE', message: said } },
        ]);
        const ready = await ask('/readyz');
        expect(JSON.parse(ready.body)).toMatchObject({ checks: { postgresql: { ok: false, detail: said } } });
        for (const { body } of [list, ready]) expect(body).not.toMatch(/"?tenantry"? ?(failed|user)|127\.0/);
      });
    },
  );

  it.each([
    [{ type: 'error', when: 'before', code: '53300' }, 'PostgreSQL has no connection left (53300): raise'],
    [{ type: 'error', when: 'before', code: '57P03' }, 'PostgreSQL is starting or stopping (57P03)'],
    [{ type: 'garbage' }, 'PostgreSQL cannot be reached'],
    [{ type: 'cut', when: 'before' }, 'PostgreSQL cannot be reached'],
  ] as const)('a statement before the commit is 503, and nothing is changed: %j', async (fault, said) => {
    const slug = `before-${crypto.randomUUID().slice(0, 8)}`;
    const rule = api.proxy.addRule({ match: { contains: ['insert into tenants', slug] }, fault });
    const create = () => api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug } });
    const answer = await create();
    expect([api.proxy.hits(rule), answer.statusCode, codeOf(answer)]).toEqual([1, 503, 'DATABASE_UNAVAILABLE']);
    expect(answer.json<{ error: { message: string } }>().error.message).toContain(said);
    expect((await create()).statusCode).toBe(202);
  });
});

describe('health', () => {
  it('is ready when PostgreSQL, Temporal and a worker are there, and names what is not', async () => {
    const ready = async () => {
      const answer = await api.app.inject('/readyz');
      const { checks } = answer.json<{ checks: Record<string, { ok: boolean; detail: string }> }>();
      return { code: answer.statusCode, bad: Object.keys(checks).filter((name) => !checks[name]?.ok) };
    };
    expect(await ready()).toEqual({ code: 200, bad: [] });
    const { workers } = api.orchestrator;
    api.orchestrator.workers = [];
    expect(await ready()).toEqual({ code: 503, bad: ['workers'] });
    api.orchestrator.unreachable = true;
    expect(await ready()).toEqual({ code: 503, bad: ['temporal', 'workers'] });
    api.orchestrator.unreachable = false;
    api.orchestrator.workers = workers;
    expect((await api.app.inject('/healthz')).json()).toEqual({ ok: true });
  });

  it('stays ready on a database of a later release: in an upgrade that is migrated before the API is replaced', async () => {
    const later = `insert into schema_migrations (name, checksum) values ('9999_later.sql', 'x')`;
    await api.database.query(later);
    const answer = await api.app.inject('/readyz');
    await api.database.query(`delete from schema_migrations where name = '9999_later.sql'`);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      checks: { postgresql: { detail: expect.stringContaining('upgrade this API') as unknown } },
    });
  });

  it('names the migration that is missing, and requests say what to run', async () => {
    await api.database.query('alter table tenants rename column activated_at to not_yet');
    const payload = { ...acme, slug: 'too-early' };
    const create = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
    const answers = [create, await api.app.inject('/api/v1/tenants')];
    await api.database.query('alter table tenants rename column not_yet to activated_at');
    expect(answers.map(codeOf)).toEqual(['DATABASE_UNAVAILABLE', 'DATABASE_UNAVAILABLE']);
    for (const { body } of answers) expect(body).toContain('run `tenantry migrate`');
  });

  it('counts a worker that polled lately, unless its own heartbeat says that it stopped or died', async () => {
    const before = api.orchestrator.workers;
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);
    const workers = async () =>
      (await api.app.inject('/readyz')).json<{ checks: { workers: object } }>().checks.workers;
    // The machine may be slow, and a look that began a moment before may answer.
    const see = (ok: boolean, detail: RegExp) => expect.poll(workers).toEqual({ ok, detail: matching(detail) });
    const alive = /^1 worker, last seen [0-5] s ago$/;
    api.orchestrator.workers = [];
    await see(false, /^no worker polls the task queue$/);
    api.orchestrator.workers = [{ identity: 'beats', lastAccessAt: ago(60) }];
    await see(true, /^1 worker, last seen 6\d s ago$/);
    await recordHeartbeat(api.database, 'beats');
    await see(true, alive);
    await recordWorkerStop(api.database, 'beats');
    await see(false, /^no worker polls the task queue; the last one was seen [0-5] s ago$/);
    await recordHeartbeat(api.database, 'beats');
    await see(true, alive);
    // Killed: what it claimed last is told with its age, and soon not at all.
    await api.database.query(`update worker_heartbeats set beat_at = clock_timestamp() - interval '10 seconds'`);
    await see(true, /^1 worker, last seen 1\d s ago$/);
    await api.database.query(`update worker_heartbeats set beat_at = clock_timestamp() - interval '16 seconds'`);
    await see(false, /^no worker polls the task queue; the last one was seen (1[6-9]|2\d) s ago$/);
    api.orchestrator.workers = [...api.orchestrator.workers, { identity: 'other', lastAccessAt: ago(20) }];
    await see(true, /^1 worker, last seen 2\d s ago$/);
    await recordHeartbeat(api.database, 'beats');
    api.orchestrator.workers = [...api.orchestrator.workers, { identity: 'other', lastAccessAt: ago(50) }];
    await see(true, /^2 workers, last seen [0-5] s to 2\d s ago$/);
    // Its process lives, and Temporal has not heard of it for longer than a poll lasts.
    api.orchestrator.workers = [{ identity: 'beats', lastAccessAt: ago(80) }];
    await see(false, /^no worker polls the task queue; the last one was seen [0-9] s ago$/);
    api.orchestrator.workers = before;
  });

  it('counts tenants, operations and requests for Prometheus', async () => {
    const before = await api.app.inject('/metrics');
    expect(before.headers['content-type']).toMatch(/^text\/plain/);
    const value = (text: string, line: string) => Number(new RegExp(`^${line} (\\d+)$`, 'm').exec(text)?.[1]);
    await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug: 'metrics-test' } });
    const after = await api.app.inject('/metrics');
    for (const line of ['tenantry_tenants\\{status="pending"\\}', 'tenantry_open_operations\\{state="accepted"\\}']) {
      expect(value(after.body, line)).toBe(value(before.body, line) + 1);
    }
    expect(after.body).not.toContain('tenantry_projection_lag_seconds{');
    expect(after.body).toMatch(
      /tenantry_http_requests_total\{method="POST",route="\/api\/v1\/tenants",status="202"\} [1-9]/,
    );
  });
});

it('how far the projection of each cell is behind is a figure for Prometheus', async () => {
  const projecting = await createApiFixture({ platform: examplePlatform({ projection: { table: 'tenants' } }) });
  try {
    const figures = async () => (await projecting.app.inject('/metrics')).body;
    expect(await figures()).toMatch(/^tenantry_projection_pending_tenants\{cell="default"\} 0$/m);
    await projecting.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug: 'lag-test' } });
    await projecting.database.query(`update tenant_projections set pending_since = now() - interval '90 seconds'`);
    expect(await figures()).toMatch(/^tenantry_projection_pending_tenants\{cell="default"\} 1$/m);
    expect(await figures()).toMatch(/^tenantry_projection_lag_seconds\{cell="default"\} 9\d\.\d{3}$/m);
  } finally {
    await projecting.close();
  }
});

describe('the description', () => {
  it('lists every route, and every route describes its answers', async () => {
    const { paths } = (await api.app.inject('/openapi.json')).json<{
      paths: Record<string, Record<string, { responses: object }>>;
    }>();
    const listed = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((m) => `${m.toUpperCase()} ${path}`),
    );
    const shown = api.routes.filter((r) => !r.schema?.hide && r.method !== 'HEAD');
    const served = shown.flatMap((r) => [r.method].flat().map((m) => `${m} ${r.url.replaceAll(/:(\w+)/g, '{$1}')}`));
    expect(listed.sort()).toEqual(served.sort());
    expect(served.length).toBeGreaterThanOrEqual(24);
    for (const methods of Object.values(paths)) {
      for (const { responses } of Object.values(methods)) {
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '500']));
        expect(Object.keys(responses).some((status) => status.startsWith('2'))).toBe(true);
      }
    }
  });

  it('gives every operation a name of its own, errors for every status, and schemas to reuse', async () => {
    const { paths, components, servers } = (await api.app.inject('/openapi.json')).json<Description>();
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    const ids = operations.map((operation) => operation.operationId);
    expect([ids.every((id) => /^[a-z][A-Za-z]+$/.test(id)), new Set(ids).size]).toEqual([true, operations.length]);
    expect(servers).toEqual([{ url: '/', description: 'This API' }]);
    for (const { responses } of operations) {
      expect(Object.keys(responses)).toContain('default');
      for (const [status, { content }] of Object.entries(responses))
        if (status === 'default' || Number(status) >= 400)
          expect([status, JSON.stringify(content)]).toEqual([status, matching(/schemas\/(Error|Readiness)"/)]);
    }
    const references = JSON.stringify(paths).match(/(?<=#\/components\/schemas\/)\w+/g) ?? [];
    expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining(references));
    expect(new Set(references)).toEqual(
      new Set([...references, 'Error', 'Status', 'TenantPage', 'Operation', 'EventPage']),
    );
  });

  it('gives the real formats and media types', async () => {
    const { paths, components } = (await api.app.inject('/openapi.json')).json<Description>();
    const { properties } = components.schemas.Tenant!;
    const formats = Object.entries(properties).flatMap(([name, { format }]) => (format ? [`${name} ${format}`] : []));
    expect(formats.sort()).toEqual([
      'contactEmail email',
      'createdAt date-time',
      'tenantId uuid',
      'tenantUrl uri',
      'updatedAt date-time',
    ]);
    const mediaTypes = (path: string) => Object.keys(paths[path]!.get!.responses['200']!.content);
    expect(mediaTypes('/metrics')).toEqual(['text/plain']);
    expect(mediaTypes('/api/v1/tenants/{tenantId}/events')).toEqual(['application/json', 'text/event-stream']);
    expect(mediaTypes('/api/v1/tenants')).toEqual(['application/json']);
  });

  it('names only error codes that the table has, with their HTTP status', async () => {
    const { paths } = (await api.app.inject('/openapi.json')).json<{
      paths: Record<string, Record<string, { responses: Record<string, { description?: string }> }>>;
    }>();
    const rows = errorTable as Record<string, { httpStatus?: number }>;
    for (const { responses } of Object.values(paths).flatMap((p) => Object.values(p))) {
      for (const [status, { description }] of Object.entries(responses)) {
        for (const code of (description ?? '').match(/\b[A-Z]+(_[A-Z]+)+\b/g) ?? []) {
          const known = rows[code]?.httpStatus;
          expect([code, known]).toEqual([code, status === 'default' ? expect.any(Number) : Number(status)]);
        }
      }
    }
    expect(paths['/api/v1/tenants']?.post?.responses['409']?.description).toContain('SLUG_TAKEN');
  });

  it('serves the description for people', async () => {
    const page = await api.app.inject('/docs/');
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  });
});

describe('the codec endpoint', () => {
  const call = (verb: string, payloads: unknown, headers: Record<string, string> = {}) =>
    api.app.inject({ method: 'POST', url: `/codec/${verb}`, headers, payload: { payloads } as object });
  const plain = { metadata: { encoding: btoa('json/plain') }, data: btoa('{"a":1}') };

  it('encodes and decodes', async () => {
    const encoded = (await call('encode', [plain])).json<{ payloads: (typeof plain)[] }>().payloads;
    expect(atob(encoded[0]!.metadata.encoding)).toBe('binary/encrypted');
    expect((await call('decode', encoded)).json()).toEqual({ payloads: [plain] });
  });

  it("takes the empty list that Temporal's CLI leaves out", async () => {
    const answer = await api.app.inject({ method: 'POST', url: '/codec/decode', payload: {} });
    expect([answer.statusCode, answer.json()]).toEqual([200, { payloads: [] }]);
  });

  it("answers only Temporal's UI across origins", async () => {
    const preflight = await api.app.inject({ method: 'OPTIONS', url: '/codec/decode', headers: { origin: UI_ORIGIN } });
    expect([preflight.statusCode, preflight.headers['access-control-allow-origin']]).toEqual([204, UI_ORIGIN]);
    const answer = await call('decode', [plain], { origin: UI_ORIGIN });
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([200, UI_ORIGIN]);
    const otherName = await call('decode', [plain], { origin: 'http://localhost:8233' });
    expect(otherName.headers['access-control-allow-origin']).toBe('http://localhost:8233');
    expect((await call('decode', [plain], { origin: 'http://localhost:8234' })).statusCode).toBe(400);
    const foreign = await call('decode', [plain], { origin: 'https://evil.example' });
    expect([foreign.statusCode, foreign.headers['access-control-allow-origin']]).toEqual([400, undefined]);
  });

  it('refuses payloads of another key', async () => {
    const [foreign] = await new EncryptionCodec([Buffer.alloc(32, 9)]).encode([
      { metadata: {}, data: Buffer.from('x') },
    ]);
    const wire = {
      metadata: Object.fromEntries(
        Object.entries(foreign!.metadata!).map(([k, v]) => [k, Buffer.from(v).toString('base64')]),
      ),
      data: Buffer.from(foreign!.data!).toString('base64'),
    };
    const answer = await call('decode', [wire]);
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'INVALID_INPUT']);
    expect((await call('decode', [{ data: 'not base64!' }])).statusCode).toBe(400);
  });
});

describe('the module graph of the API process', () => {
  it('reaches no AWS SDK and no worker', () => {
    const { files, packages } = moduleGraph('src/cli/serve-api.ts');
    expect(files).toContain('src/db/tenants.ts');
    expect(packages).toContain('@temporalio/client');
    expect(packages.filter((p) => /^@aws-sdk|^@smithy|^@temporalio\/worker/.test(p))).toEqual([]);
    expect(files.filter((f) => f.startsWith('src/worker/'))).toEqual([]);
  });

  it('would notice: the worker reaches the AWS SDK', () => {
    expect(moduleGraph('src/aws/cell-aws.ts').packages.some((p) => p.startsWith('@aws-sdk'))).toBe(true);
  });
});
