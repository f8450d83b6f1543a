import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../../src/api/app.ts';
import { defaultConnectionTimes } from '../../src/api/limits/connections.ts';
import { appendEvent } from '../../src/db/events.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { acme, createApiFixture, payloadKey, UI_ORIGIN, type ApiFixture } from './api-fixture.ts';

/* Clients that send or read slowly, or not at all; headers of every answer; pages of other origins. */

let api: ApiFixture;
/** Asked by inject, as if at its own address. */
let app: FastifyInstance;
let listening: FastifyInstance;
let port: number;
const PORTAL = 'https://portal.example';

beforeAll(async () => {
  api = await createApiFixture();
  const deps = {
    client: api.client,
    codec: new EncryptionCodec([payloadKey]),
    log: pino({ level: 'silent' }),
    uiOrigin: UI_ORIGIN,
    corsOrigins: [PORTAL],
    trustedProxies: ['127.0.0.0/8'],
    connectionTimes: { headersMs: 300, requestMs: 600, keepAliveMs: 60_000, stalledMs: 1_000, lookEveryMs: 100 },
    streamTimes: { heartbeatMs: 200, pollMs: 100 },
  };
  app = await buildApp(deps);
  listening = await buildApp(deps);
  port = Number(new URL(await listening.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(async () => {
  await app.close();
  await listening.close();
  await api.close();
});

interface Talk {
  readonly socket: Socket;
  readonly said: () => string;
  /** How long it was open, in ms; undefined: it still is after two seconds. */
  readonly endedAfter: Promise<number | undefined>;
}
function talk(bytes: string): Talk {
  const began = performance.now();
  let said = '';
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  socket.on('data', (chunk) => (said += chunk.toString()));
  socket.on('error', () => undefined);
  const closed = new Promise<number>((done) => socket.on('close', () => done(performance.now() - began)));
  const endedAfter = Promise.race([closed, sleep(2_000, undefined)]).finally(() => socket.destroy());
  return { socket, said: () => said, endedAfter };
}

describe('a client that', () => {
  it('sends a header now and then is answered 408, and cut off', async () => {
    const { socket, said, endedAfter } = talk(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`);
    const trickle = setInterval(() => socket.write('X-a: b\r\n'), 50);
    expect(await endedAfter.finally(() => clearInterval(trickle))).toBeLessThan(1_500);
    expect(said()).toMatch(/^HTTP\/1\.1 408 .*"code":"REQUEST_TIMEOUT"/s);
  });

  it('was answered already, or is being answered, gets no second answer into the first', async () => {
    const refused = talk('POST /api/v1/freezes HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000\r\n\r\n');
    expect(await refused.endedAfter).toBeLessThan(1_900);
    expect(refused.said().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
    const payload = { ...acme, slug: 'one-answer' };
    const made = await app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
    const { tenantId } = made.json<{ tenantId: string }>();
    const head = `GET /api/v1/tenants/${tenantId}/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
    const streaming = talk(`${head}Accept: text/event-stream\r\n\r\n`);
    await expect.poll(streaming.said).toContain('retry:');
    streaming.socket.write('nonsense\r\n\r\n');
    expect(await streaming.endedAfter).toBeLessThan(1_900);
    expect(streaming.said().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
  });

  it('sends nothing at all is cut off', async () => {
    expect(await talk('').endedAfter).toBeLessThan(1_500);
  });

  it('sends its body now and then is answered 408, and cut off', async () => {
    const head = `POST /api/v1/freezes HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
    const { socket, said, endedAfter } = talk(head);
    const trickle = setInterval(() => socket.write(' '), 50);
    expect(await endedAfter.finally(() => clearInterval(trickle))).toBeLessThan(1_900);
    expect(said()).toMatch(/^HTTP\/1\.1 408 .*"code":"REQUEST_TIMEOUT"/s);
  });

  it('does not read its live stream is cut off, while one that reads and hears nothing new is not', async () => {
    const payload = { ...acme, slug: 'slow-reader' };
    const { tenantId } = (await app.inject({ method: 'POST', url: '/api/v1/tenants', payload })).json<{
      tenantId: string;
    }>();
    const open = () =>
      talk(
        `GET /api/v1/tenants/${tenantId}/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`,
      );
    const reading = open();
    const quiet = await reading.endedAfter;
    expect([quiet, reading.said().includes(': heartbeat')]).toEqual([undefined, true]);
    const data = { text: 'x'.repeat(400_000) };
    for (let n = 0; n < 30; n += 1)
      await api.database.transaction((tx) =>
        appendEvent(tx, { cell: 'default', tenantId, type: 'step.started', stepId: 's', data }),
      );
    const connections = () => new Promise<number>((done) => listening.server.getConnections((_, count) => done(count)));
    await expect.poll(connections).toBe(0);
    const stalled = open();
    stalled.socket.pause();
    await expect.poll(connections).toBe(1);
    await expect.poll(connections, { timeout: 6_000, interval: 100 }).toBe(0);
    stalled.socket.destroy();
  }, 15_000);

  it('sends more headers than it may is told, and none is dropped unsaid', async () => {
    const many = Array.from({ length: 101 }, (_, n) => `X-${n}: a\r\n`).join('');
    const { said, endedAfter } = talk(
      `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n${many}\r\n`,
    );
    await endedAfter;
    expect(said()).toMatch(/^HTTP\/1\.1 431 .*"code":"HEADERS_TOO_LARGE"/s);
  });
});

it('connections are given times that a load balancer and a slow line can live with', () => {
  expect(defaultConnectionTimes).toMatchObject({ headersMs: 15_000, requestMs: 60_000 });
  expect(defaultConnectionTimes.keepAliveMs).toBeGreaterThan(60_000);
  expect(app.server.maxConnections).toBe(5_000);
});

describe('the headers of every answer', () => {
  const asks = {
    ok: { url: '/healthz' },
    'an error': { url: '/api/v1/tenants/00000000-0000-4000-8000-000000000000' },
    'no route': { url: '/nothing' },
    'no method': { method: 'DELETE', url: '/healthz' },
    'a malformed URL': { url: '/%zz' },
    'a foreign page': { method: 'POST', url: '/api/v1/freezes', headers: { origin: 'https://evil.example' } },
  } as const;

  it.each(Object.keys(asks) as (keyof typeof asks)[])('keep pages and caches off: %s', async (name) => {
    const { headers } = await app.inject(asks[name]);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect([headers.server, headers['x-powered-by'], headers['strict-transport-security']]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('are there when HTTP itself is broken', async () => {
    const { said, endedAfter } = talk('nonsense\r\n\r\n');
    await endedAfter;
    expect(said()).toContain(
      "content-security-policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(said()).toContain('cache-control: no-store');
  });

  it('hold browsers to TLS where the proxy says so, and not where somebody else does', async () => {
    const headers = { 'x-forwarded-proto': 'https' };
    const by = async (remoteAddress: string) =>
      (await app.inject({ url: '/healthz', headers, remoteAddress })).headers['strict-transport-security'];
    expect(await by('127.0.0.1')).toBe('max-age=31536000');
    expect(await by('198.51.100.7')).toBeUndefined();
  });

  it("let the page for people run its own scripts, and nobody's else", async () => {
    const { headers, statusCode } = await app.inject('/docs/');
    expect(statusCode).toBe(200);
    expect(headers['content-security-policy']).toMatch(/script-src 'self';.*frame-ancestors 'none'/);
  });
});

describe('pages of another origin', () => {
  const asked = { 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' };
  const cors = (headers: Record<string, unknown>) =>
    Object.keys(headers).filter((name) => name.startsWith('access-control-'));

  it('are let in when they are named: before the call, and with its answer and its errors', async () => {
    const before = await app.inject({
      method: 'OPTIONS',
      url: '/api/v1/products',
      headers: { origin: PORTAL, ...asked },
    });
    expect(before.statusCode).toBe(204);
    expect(before.headers).toMatchObject({ 'access-control-allow-origin': PORTAL, vary: 'Origin' });
    expect(before.headers['access-control-allow-methods']).toContain('PATCH');
    expect(before.headers['access-control-allow-headers']).toMatch(/Authorization.*Idempotency-Key/);
    for (const url of ['/api/v1/products', '/nothing']) {
      const { headers } = await app.inject({ url, headers: { origin: PORTAL } });
      expect([headers['access-control-allow-origin'], headers.vary]).toEqual([PORTAL, 'Origin']);
      expect(headers['access-control-expose-headers']).toMatch(/ETag.*RateLimit.*Retry-After/);
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }
    const change = { method: 'POST', url: '/api/v1/freezes', headers: { origin: PORTAL }, payload: {} } as const;
    expect((await app.inject(change)).json<{ error: { details: object } }>().error.details).not.toEqual({
      header: 'origin',
    });
  });

  it.each([
    'https://evil.example',
    `${PORTAL}.evil.example`,
    'http://portal.example',
    `${PORTAL}:8443`,
    'null',
    UI_ORIGIN,
  ])('are not when they are others: %s', async (origin) => {
    const before = await app.inject({ method: 'OPTIONS', url: '/api/v1/products', headers: { origin, ...asked } });
    expect([before.statusCode, cors(before.headers), before.headers.vary]).toEqual([405, [], 'Origin']);
    expect(cors((await app.inject({ url: '/api/v1/products', headers: { origin } })).headers)).toEqual([]);
    expect(
      (await app.inject({ method: 'POST', url: '/api/v1/freezes', headers: { origin }, payload: {} })).statusCode,
    ).toBe(400);
  });

  it("are not let to the codec, which is for Temporal's UI", async () => {
    const before = await app.inject({ method: 'OPTIONS', url: '/codec/decode', headers: { origin: PORTAL, ...asked } });
    expect(cors(before.headers)).toEqual([]);
    const decode = { method: 'POST', url: '/codec/decode', headers: { origin: PORTAL }, payload: {} } as const;
    expect((await app.inject(decode)).statusCode).toBe(400);
  });
});
