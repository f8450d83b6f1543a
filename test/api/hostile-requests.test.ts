import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
let port: number;
beforeAll(async () => {
  api = await createApiFixture();
  port = Number(new URL((await api.listen()).url).port);
});
afterAll(() => api.close());

type Answer = Awaited<ReturnType<ApiFixture['app']['inject']>>;
interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  readonly details?: { readonly fields?: readonly { readonly field: string }[] };
}
const errorOf = (answer: Answer) => answer.json<{ error: ErrorBody }>().error;
const refusal = (answer: Answer) => [answer.statusCode, errorOf(answer).code];

async function created(slug: string): Promise<string> {
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload: { ...acme, slug } });
  expect(answer.statusCode).toBe(202);
  return answer.json<{ tenantId: string }>().tenantId;
}

/** Sends bytes as they are. @returns status and body of the answer */
function send(bytes: string): Promise<{ status: number; body: string; head: string }> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', ...rest] = text.split('\r\n\r\n');
      resolve({ status: Number(head.split(' ')[1]), head, body: rest.join('\r\n\r\n') });
    });
  });
}

describe('text that PostgreSQL cannot store', () => {
  it('is refused with 400 and the name of its field, in the query and the path', async () => {
    for (const name of ['slug', 'product', 'cursor', 'status', 'nobody-knows-this'])
      for (const bad of ['%00', 'a%00b']) {
        const answer = await api.app.inject(`/api/v1/tenants?${name}=${bad}`);
        expect([name, ...refusal(answer)]).toEqual([name, 400, 'INVALID_INPUT']);
        expect(errorOf(answer).details?.fields?.map((f) => f.field)).toEqual([`querystring.${name}`]);
      }
    expect(refusal(await api.app.inject('/api/v1/tenants?%00=a'))).toEqual([400, 'INVALID_INPUT']);
    for (const path of ['/api/v1/tenants/%00', '/api/v1/tenants/a%00b/events'])
      expect([path, ...refusal(await api.app.inject(path))]).toEqual([path, 400, 'INVALID_INPUT']);
    const tenantId = await created('nul-confirm');
    const answer = await api.app.inject({ method: 'DELETE', url: `/api/v1/tenants/${tenantId}?confirm=%00` });
    expect(refusal(answer)).toEqual([400, 'INVALID_INPUT']);
  });

  it('is refused in a body, however deep and in keys too', async () => {
    const texts = ['\0', 'a\0b', '\ud800', 'x\udc00y'];
    const fields = ['product', 'slug', 'tier', 'displayName', 'contactEmail', 'onFailure', 'unknown'];
    for (const text of texts)
      for (const field of fields) {
        const payload = { ...acme, slug: 'nul-body', [field]: text };
        const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
        expect([field, ...refusal(answer)]).toEqual([field, 400, 'INVALID_INPUT']);
        expect(errorOf(answer).details?.fields?.map((f) => f.field)).toEqual([`body.${field}`]);
      }
    const tenantId = await created('nul-abandon');
    const abandon = { method: 'POST', url: `/api/v1/tenants/${tenantId}/abandon` } as const;
    for (const payload of [{ reason: 'a\0' }, { reason: 'a', by: '\udfff' }])
      expect(refusal(await api.app.inject({ ...abandon, payload }))).toEqual([400, 'INVALID_INPUT']);
  });

  it('is no fault of payloads, which are stored nowhere', async () => {
    for (const verb of ['decode', 'encode'])
      for (const payload of [
        { payloads: [{ metadata: { 'key\0': '' } }] },
        { payloads: [], 'unknown\0': '\0\ud800' },
      ]) {
        const answer = await api.app.inject({ method: 'POST', url: `/codec/${verb}`, payload });
        expect([verb, payload, answer.statusCode]).toEqual([verb, payload, 200]);
      }
  });

  it('is looked for in a body that is nested deeper than a stack', async () => {
    const deep = `${'['.repeat(30_000)}"\\u0000"${']'.repeat(30_000)}`;
    const answer = await api.app.inject({
      method: 'POST',
      url: '/api/v1/tenants',
      headers: { 'content-type': 'application/json' },
      payload: deep,
    });
    expect(refusal(answer)).toEqual([400, 'INVALID_INPUT']);
  });

  it('does not get in as bytes that are not UTF-8', async () => {
    for (const query of ['slug=%ff', 'slug=%ed%a0%80', 'slug=%zz', 'slug=%'])
      expect([query, ...refusal(await api.app.inject(`/api/v1/tenants?${query}`))]).toEqual([
        query,
        400,
        'INVALID_INPUT',
      ]);
    const latin1 = Buffer.from(JSON.stringify({ ...acme, slug: 'latin', displayName: 'José' }), 'latin1');
    const answer = await api.app.inject({
      method: 'POST',
      url: '/api/v1/tenants',
      headers: { 'content-type': 'application/json' },
      payload: latin1,
    });
    expect([...refusal(answer), errorOf(answer).message]).toEqual([
      400,
      'INVALID_INPUT',
      'the body is not valid UTF-8',
    ]);
  });
});

describe('parameters', () => {
  it('are refused with 400 when they are no such value, and never reach the database', async () => {
    const tenantId = await created('parameters');
    const bad = ['', ' 5', '5 ', '0x10', '1e2', '-1', '1.5', 'NaN', 'Infinity', '9'.repeat(30), '５', 'true'];
    for (const limit of [...bad, '0', '201', '501'])
      expect([limit, ...refusal(await api.app.inject(`/api/v1/tenants?limit=${encodeURIComponent(limit)}`))]).toEqual([
        limit,
        400,
        'INVALID_INPUT',
      ]);
    for (const after of [...bad, '9007199254740992', '9223372036854775807', '9223372036854775808'])
      expect([
        after,
        ...refusal(await api.app.inject(`/api/v1/tenants/${tenantId}/events?after=${encodeURIComponent(after)}`)),
      ]).toEqual([after, 400, 'INVALID_INPUT']);
    const events = await api.app.inject(`/api/v1/tenants/${tenantId}/events?after=9007199254740991&limit=500`);
    expect([events.statusCode, events.json()]).toEqual([200, { events: [], nextAfter: 9007199254740991 }]);
    for (const lastEventId of ['x', '-1', '1.5', '9'.repeat(16), '1, 2'])
      expect([
        lastEventId,
        ...refusal(
          await api.app.inject({
            url: `/api/v1/tenants/${tenantId}/events`,
            headers: { accept: 'text/event-stream', 'last-event-id': lastEventId },
          }),
        ),
      ]).toEqual([lastEventId, 400, 'INVALID_INPUT']);
  });

  it('are refused with 400 when they come twice, or have no meaning for the route', async () => {
    const tenantId = await created('unknown-parameters');
    const at = `/api/v1/tenants/${tenantId}`;
    for (const url of [
      '/api/v1/tenants?slug=a&slug=b',
      '/api/v1/tenants?limit=5&limit=5',
      '/api/v1/tenants?cursor=a&cursor=a',
      '/api/v1/tenants?slugs=a',
      '/api/v1/tenants?limit[]=5',
      '/api/v1/tenants?__proto__=5',
      '/api/v1/tenants?dryRun=false',
      `${at}?verbose=1`,
      `${at}/status?verbose`,
      `${at}/operations?limit=5`,
      `${at}/events?from=5`,
      '/healthz?x=1',
      '/readyz?x=1',
      '/metrics?x=1',
      '/openapi.json?x=1',
    ])
      expect([url, ...refusal(await api.app.inject(url))]).toEqual([url, 400, 'INVALID_INPUT']);
  });

  it('that promise what is not supported are refused, whatever their value', async () => {
    for (const url of ['/codec/encode', '/codec/decode']) {
      for (const value of ['true', 'false', '', '0', 'true&dryRun=false'])
        expect([url, ...refusal(await api.app.inject({ method: 'POST', url: `${url}?dryRun=${value}` }))]).toEqual([
          url,
          400,
          'NOT_SUPPORTED',
        ]);
    }
  });

  it('dryRun of an operation that is neither true nor false is refused, and changes nothing', async () => {
    const id = await created('half-dry');
    for (const verb of ['retry', 'cancel', 'abandon'])
      for (const value of ['', '0', 'TRUE', 'true&dryRun=false']) {
        const url = `/api/v1/tenants/${id}/${verb}?dryRun=${value}`;
        const payload = verb === 'abandon' ? { reason: 'x' } : undefined;
        const answer = await api.app.inject({ method: 'POST', url, ...(payload && { payload }) });
        expect([url, ...refusal(answer)]).toEqual([url, 400, 'INVALID_INPUT']);
      }
    expect((await api.app.inject(`/api/v1/tenants/${id}`)).json()).toMatchObject({ status: 'pending' });
  });

  it.each([
    ['not base64', 'x'],
    ['another shape', Buffer.from('{}').toString('base64url')],
    ['a day that does not exist', cursorOf('2026-02-31T10:00:00.000000Z')],
    ['a time that does not exist', cursorOf('2026-01-31T25:61:00.000000Z')],
    ['the year 0', cursorOf('0000-01-01T00:00:00.000000Z')],
    ['a month 99', cursorOf('9999-99-99T99:99:99.000000Z')],
    ['a time in words', cursorOf('infinity')],
    ['an id that is none', Buffer.from(JSON.stringify(['2026-01-31T10:00:00.000000Z', 'x'])).toString('base64url')],
    ['something long', 'a'.repeat(5_000)],
  ])('a cursor that no page ended with is refused with 400: %s', async (_name, cursor) => {
    expect(refusal(await api.app.inject(`/api/v1/tenants?cursor=${cursor}`))).toEqual([400, 'INVALID_INPUT']);
  });

  it('ids are the same tenant and operation in upper case', async () => {
    const tenantId = await created('upper-case');
    const { operations } = (await api.app.inject(`/api/v1/tenants/${tenantId}/operations`)).json<{
      operations: { operationId: string }[];
    }>();
    const path = `/api/v1/tenants/${tenantId}/operations/${operations[0]!.operationId}`;
    const answer = await api.app.inject(path.replaceAll(/[a-f0-9-]{36}/g, (id) => id.toUpperCase()));
    expect([answer.statusCode, answer.json<{ tenantId: string }>().tenantId]).toEqual([200, tenantId]);
  });

  it('of any length get an answer in the one shape', async () => {
    for (const url of [`/api/v1/tenants/${'a'.repeat(5_000)}`, `/api/v1/tenants?slug=${'a'.repeat(5_000)}`])
      expect(refusal(await api.app.inject(url))).toEqual([400, 'INVALID_INPUT']);
  });
});

describe('what is wrong with a request', () => {
  const fieldsOf = (answer: Answer) =>
    (errorOf(answer).details?.fields ?? []).map((one) => Object.values(one).join(': ')).sort();
  const post = (payload: object) => api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });

  it('is said of all fields at once, in plain sentences', async () => {
    expect(fieldsOf(await post({}))).toEqual([
      'body.contactEmail: is required',
      'body.displayName: is required',
      'body.product: is required',
    ]);
    // Whether a tenant has one is its product's to say.
    expect(fieldsOf(await post({ ...acme, slug: undefined }))).toEqual(['body.slug: is required']);
    expect(
      fieldsOf(await post({ ...acme, slug: 'A b', contactEmail: 'x', onFailure: 'no', tier: 5, size: 1 })),
    ).toEqual([
      'body.contactEmail: must be an email address (domains in other scripts as punycode: xn--...)',
      'body.onFailure: must be one of hold, rollback',
      'body.slug: must consist of letters a-z, digits and hyphens, and begin and end with a letter or digit',
      'body.tier: must be a string',
      'body: unknown field "size"; known: product, tier, slug, displayName, contactEmail, onFailure, settings, cell',
    ]);
    const both = await post({ ...acme, slug: 'www', contactEmail: 'x' });
    expect(fieldsOf(both)).toHaveLength(2);
    expect(errorOf(both).message).toContain('body.slug: "www" is reserved');
  });

  it('is said in plain sentences of parameters and ids', async () => {
    const get = async (url: string) => fieldsOf(await api.app.inject(url));
    expect(await get('/api/v1/tenants/x')).toEqual([
      "params.tenantId: must be a tenant's id, its slug, or product~slug",
    ]);
    expect(await get('/api/v1/tenants?limit=500&includeGone=x')).toEqual([
      'querystring.includeGone: must be true or false',
      'querystring.limit: must be at most 200',
    ]);
    expect(await get('/healthz?x=1')).toEqual(['querystring: unknown field "x"; none is taken here']);
    for (const url of [
      '/api/v1/tenants?status=x',
      '/api/v1/tenants?limit=x',
      '/api/v1/tenants?slug=',
      '/healthz?x=1&y=2',
    ])
      expect((await get(url)).join()).not.toMatch(/Invalid|expected|received|Unrecognized|Too /);
  });
});

function cursorOf(position: string): string {
  return Buffer.from(JSON.stringify([position, crypto.randomUUID()])).toString('base64url');
}

describe('methods', () => {
  it('that a path does not take are answered 405 with Allow, on every path', async () => {
    const at = `/api/v1/tenants/${crypto.randomUUID()}`;
    for (const [method, url, allow] of [
      ['PUT', '/api/v1/tenants', 'GET, HEAD, POST'],
      ['PUT', at, 'DELETE, GET, HEAD, PATCH'],
      ['OPTIONS', at, 'DELETE, GET, HEAD, PATCH'],
      ['PATCH', `${at}/scale`, 'POST'],
      ['PUT', `${at}/repair?dryRun=true`, 'POST'],
      ['GET', `${at}/retry`, 'POST'],
      ['DELETE', `${at}/status`, 'GET, HEAD'],
      ['POST', '/healthz', 'GET, HEAD'],
      ['TRACE', '/metrics', 'GET, HEAD'],
      ['QUERY', '/readyz', 'GET, HEAD'],
      ['GET', '/codec/decode', 'OPTIONS, POST'],
      ['POST', '/docs/', 'GET, HEAD'],
    ] as const) {
      const answer = await api.app.inject({ method: method as 'GET', url });
      expect([method, url, ...refusal(answer), answer.headers.allow]).toEqual([
        method,
        url,
        405,
        'METHOD_NOT_ALLOWED',
        allow,
      ]);
    }
    const absent = await api.app.inject({ method: 'PUT', url: '/api/v1/nope' });
    expect([...refusal(absent), absent.headers.allow]).toEqual([404, 'NOT_FOUND', undefined]);
  });

  it('HEAD answers what GET does, without the body', async () => {
    const tenantId = await created('head');
    const { operations } = (await api.app.inject(`/api/v1/tenants/${tenantId}/operations`)).json<{
      operations: { operationId: string }[];
    }>();
    const paths = api.routes
      .filter((route) => [route.method].flat().includes('GET') && !route.url.startsWith('/docs'))
      .map((route) => route.url.replace(':tenantId', tenantId).replace(':operationId', operations[0]!.operationId));
    expect(paths.length).toBeGreaterThan(8);
    for (const url of paths) {
      const [head, get] = [await api.app.inject({ method: 'HEAD', url }), await api.app.inject(url)];
      expect([url, head.statusCode, head.body, head.headers['content-type']]).toEqual([
        url,
        get.statusCode,
        '',
        get.headers['content-type'],
      ]);
    }
    const absent = await api.app.inject({ method: 'HEAD', url: `/api/v1/tenants/${crypto.randomUUID()}` });
    expect([absent.statusCode, absent.body]).toEqual([404, '']);
  });

  it('HEAD of a live stream answers and ends', async () => {
    const tenantId = await created('head-stream');
    const answer = await api.app.inject({
      method: 'HEAD',
      url: `/api/v1/tenants/${tenantId}/events`,
      headers: { accept: 'text/event-stream' },
    });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });
});

describe('what is refused before any route', () => {
  const asRefusal = ({ status, body, head }: { status: number; body: string; head: string }) => {
    const { error } = JSON.parse(body) as { error: ErrorBody };
    expect(error.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(head.toLowerCase()).toContain(`x-request-id: ${error.requestId}`);
    return [status, error.code];
  };

  it('has the one shape: malformed HTTP, headers that are too large, no Host', async () => {
    expect(asRefusal(await send('NONSENSE\r\n\r\n'))).toEqual([400, 'INVALID_INPUT']);
    expect(asRefusal(await send('GET / HTTP/1.1\r\nhost: localhost\r\nbad header\r\n\r\n'))).toEqual([
      400,
      'INVALID_INPUT',
    ]);
    const large = `GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`;
    expect(asRefusal(await send(large))).toEqual([431, 'HEADERS_TOO_LARGE']);
    const longUrl = `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`;
    expect(asRefusal(await send(longUrl))).toEqual([431, 'HEADERS_TOO_LARGE']);
    const close = 'connection: close\r\n\r\n';
    expect(asRefusal(await send(`GET /healthz HTTP/1.1\r\n${close}`))).toEqual([400, 'INVALID_INPUT']);
    const expecting = `GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nexpect: wonders\r\n${close}`;
    expect((await send(expecting)).status).toBe(200);
  });

  it('has the one shape: a request that does not arrive in time', async () => {
    const listening = await createApiFixture();
    try {
      const url = await listening.app.listen({ host: '127.0.0.1', port: 0 });
      const { server } = listening.app;
      const late = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      server.once('connection', (socket) => server.emit('clientError', late, socket));
      const answer = new Promise<string>((resolve) => {
        const socket = connect(Number(new URL(url).port), '127.0.0.1');
        socket.on('data', (chunk) => resolve(chunk.toString()));
      });
      const [head, body] = (await answer).split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 408 /);
      expect(asRefusal({ status: 408, body: body!, head: head! })).toEqual([408, 'REQUEST_TIMEOUT']);
    } finally {
      await listening.close();
    }
  });

  it('names its request in a header as in the body, whatever is wrong', async () => {
    const json = { 'content-type': 'application/json' };
    const post = { method: 'POST', url: '/api/v1/tenants' } as const;
    for (const [status, request] of [
      [400, { url: '/api/v1/tenants/%zz' }],
      [400, { url: '/%zz' }],
      [400, { url: '/api/v1/tenants/x' }],
      [400, { ...post, headers: json, payload: '{' }],
      [400, { url: '/healthz', headers: { host: 'evil.example' } }],
      [404, { url: '/nope' }],
      [405, { method: 'PUT', url: '/healthz' }],
      [413, { ...post, headers: json, payload: `"${'a'.repeat(70_000)}"` }],
      [415, { ...post, headers: { 'content-type': 'text/plain' }, payload: 'x' }],
    ] as const) {
      const answer = await api.app.inject(request);
      expect([request, answer.statusCode, answer.headers['x-request-id']]).toEqual([
        request,
        status,
        errorOf(answer).requestId,
      ]);
      expect(answer.headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('of a body that is too large leaves the connection to a client that still writes: closed, it would lose the answer', async () => {
    const length = 16_000_000;
    const head = (line: string) => `${line} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n`;
    const post = `${head('POST /api/v1/tenants')}content-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
    const next = `${head('GET /healthz')}connection: close\r\n\r\n`;
    const answers = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(post));
      socket.once('data', () => socket.write('x'.repeat(length) + next));
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
    });
    expect([...answers.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)).toEqual(['413', '200']);
  });

  it('has the one shape: bodies that are too large, of another type, or no JSON', async () => {
    const post = (contentType: string, payload: string) =>
      api.app.inject({ method: 'POST', url: '/api/v1/tenants', headers: { 'content-type': contentType }, payload });
    expect(refusal(await post('application/json', `"${'a'.repeat(70_000)}"`))).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'json', 'nonsense/'])
      expect([type, ...refusal(await post(type, '{}'))]).toEqual([type, 415, 'UNSUPPORTED_MEDIA_TYPE']);
    for (const text of ['{', '', 'undefined', '{"a":1}x', '{"__proto__":{}}', '\ufeff{', 'null', '[]', '1'])
      expect([text, ...refusal(await post('application/json', text))]).toEqual([text, 400, 'INVALID_INPUT']);
  });
});
