import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serviceKeyAuthenticator } from '../../src/api/access/service-keys.ts';
import { buildApp, type ApiDeps } from '../../src/api/app.ts';
import type { GivenRole } from '../../src/contracts/caller.ts';
import { insertServiceKey, revokeServiceKey } from '../../src/db/service-keys.ts';
import type { GivenLimits } from '../../src/limits-config.ts';
import { newKeyText } from '../../src/service-key.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { testCaller } from '../support/caller.ts';
import { acme, createApiFixture, payloadKey, type ApiFixture } from './api-fixture.ts';

/* Rates and numbers of callers, tenants and addresses, with real keys against PostgreSQL. */

let api: ApiFixture;
/** How often a credential was looked up. */
let lookedUp = 0;
const apps: FastifyInstance[] = [];
beforeAll(async () => (api = await createApiFixture()));
afterAll(() => api.close());
afterEach(async () => {
  lookedUp = 0;
  for (const app of apps.splice(0)) await app.close();
});

async function limited(limits: GivenLimits, more: Partial<ApiDeps> = {}): Promise<FastifyInstance> {
  const log = pino({ level: 'silent' });
  const keys = serviceKeyAuthenticator({ database: api.database, log });
  const counting = {
    takes: keys.takes,
    authenticate: (token: string) => {
      lookedUp += 1;
      return keys.authenticate(token);
    },
  };
  const codec = new EncryptionCodec([payloadKey]);
  const app = await buildApp({ client: api.client, codec, log, authenticators: [counting], limits, ...more });
  apps.push(app);
  return app;
}

let count = 0;
async function key(role: GivenRole = 'platform-admin', tenants: string[] = []) {
  const { text, hash, prefix } = newKeyText();
  const name = `limits-${(count += 1)}`;
  const given = { name, role, tenants, hash, prefix, lifetimeMs: 3_600_000, by: 'ann', caller: testCaller };
  const { id } = await insertServiceKey(api.database, given);
  return { id, name, headers: { authorization: `Bearer ${text}` } };
}
async function tenant(): Promise<string> {
  const payload = { ...acme, slug: `limits-${(count += 1)}` };
  const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload });
  return answer.json<{ tenantId: string }>().tenantId;
}
const per = (requests: number) => ({ requests, windowMs: 60_000 });
const products = '/api/v1/products';
const codeOf = (answer: { json<T>(): T }) => answer.json<{ error: { code: string } }>().error.code;

describe('the rate of a caller', () => {
  it('is told with every answer, and refuses what is beyond it, with when to come again', async () => {
    const app = await limited({ reads: per(3), tenantReads: 'off' });
    const { headers } = await key();
    const left = [];
    for (let n = 0; n < 3; n += 1) {
      const answer = await app.inject({ url: products, headers });
      expect([answer.statusCode, answer.headers['ratelimit-policy']]).toEqual([200, '"caller-reads";q=3;w=60']);
      left.push(answer.headers.ratelimit);
    }
    expect(left).toEqual(['"caller-reads";r=2;t=20', '"caller-reads";r=1;t=40', '"caller-reads";r=0;t=60']);
    const refused = await app.inject({ url: products, headers });
    expect([refused.statusCode, codeOf(refused)]).toEqual([429, 'RATE_LIMITED']);
    expect(refused.body).toMatch(/:"key:\S+ has sent more than 3 requests \(caller-reads\) within 60 s/);
    expect(refused.headers).toMatchObject({ 'retry-after': '20', ratelimit: '"caller-reads";r=0;t=20' });
    expect(refused.headers['ratelimit-policy']).toBe('"caller-reads";q=3;w=60');
  });

  it('is its own: others, and probes, are answered', async () => {
    const app = await limited({ reads: per(1) });
    const [first, second] = [await key(), await key()];
    await app.inject({ url: products, headers: first.headers });
    expect((await app.inject({ method: 'HEAD', url: products, headers: first.headers })).statusCode).toBe(429);
    expect((await app.inject({ url: '/nothing', headers: first.headers })).statusCode).toBe(429);
    expect((await app.inject({ url: products, headers: second.headers })).statusCode).toBe(200);
    const probe = await app.inject({ url: '/healthz', headers: first.headers });
    expect([probe.statusCode, probe.headers.ratelimit]).toEqual([200, undefined]);
  });

  it('is the same for reading and for what the codec converts, another for changes', async () => {
    const app = await limited({ reads: per(2), changes: per(1), tenantReads: 'off', tenantChanges: 'off' });
    const { headers } = await key();
    const send = async (method: 'GET' | 'POST', url: string) =>
      (await app.inject({ method, url, headers, ...(method === 'POST' && { payload: {} }) })).statusCode;
    expect(await send('POST', '/api/v1/freezes')).toBe(400);
    expect(await send('POST', '/api/v1/freezes')).toBe(429);
    expect(await send('POST', '/codec/decode')).toBe(200);
    expect(await send('GET', products)).toBe(200);
    expect(await send('GET', products)).toBe(429);
    expect(await send('POST', '/codec/decode')).toBe(429);
  });

  it('counts what is refused for its role or its tenant', async () => {
    const app = await limited({ reads: per(1) });
    const { headers } = await key('tenant-admin', [await tenant()]);
    expect((await app.inject({ url: `/api/v1/tenants/${await tenant()}`, headers })).statusCode).toBe(403);
    expect((await app.inject({ url: products, headers })).statusCode).toBe(429);
  });

  it('is looked at before its credential is: a flood costs no look into the database', async () => {
    const app = await limited({ reads: per(2) });
    const { headers } = await key();
    for (let n = 0; n < 50; n += 1) await app.inject({ url: products, headers });
    expect(lookedUp).toBe(2);
  });

  it('fills again as time goes by', async () => {
    const app = await limited({ reads: { requests: 2, windowMs: 1_000 } });
    const { headers } = await key();
    const ask = async () => (await app.inject({ url: products, headers })).statusCode;
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 429]);
    await expect.poll(ask, { timeout: 2_000, interval: 100 }).toBe(200);
  });

  it('is not held where nobody is asked, unless it is told', async () => {
    const open = await limited({}, { authenticators: [] });
    const answer = await open.inject(products);
    expect([answer.statusCode, answer.headers.ratelimit]).toEqual([200, undefined]);
    const told = await limited({ reads: per(1) }, { authenticators: [] });
    expect([(await told.inject(products)).statusCode, (await told.inject(products)).statusCode]).toEqual([200, 429]);
  });
});

describe('credentials that are not taken', () => {
  const bad = (n: number) => ({ authorization: `Bearer tnk_${`${n}`.padStart(43, 'x')}` });

  it('are looked up for a while, then their address is refused before; a caller that is known goes on', async () => {
    const app = await limited({ refused: per(3) });
    const { headers } = await key();
    expect((await app.inject({ url: products, headers })).statusCode).toBe(200);
    lookedUp = 0;
    const statuses = [];
    for (let n = 0; n < 6; n += 1) statuses.push((await app.inject({ url: products, headers: bad(n) })).statusCode);
    expect([statuses, lookedUp]).toEqual([[401, 401, 401, 429, 429, 429], 3]);
    expect((await app.inject({ url: products, headers })).statusCode).toBe(200);
    const elsewhere = await app.inject({ url: products, headers: bad(7), remoteAddress: '198.51.100.7' });
    expect(elsewhere.statusCode).toBe(401);
  });

  it('count by the network of an address of IPv6', async () => {
    const app = await limited({ refused: per(2) });
    const from = async (remoteAddress: string) =>
      (await app.inject({ url: products, headers: bad(1), remoteAddress })).statusCode;
    expect([await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8::3')]).toEqual([401, 401, 429]);
    expect(await from('2001:db8:0:1::1')).toBe(401);
  });

  it('do not count when they were good', async () => {
    const app = await limited({ refused: per(2) });
    for (let n = 0; n < 5; n += 1)
      expect((await app.inject({ url: products, headers: (await key()).headers })).statusCode).toBe(200);
  });

  it('are not let in for having been good before', async () => {
    const app = await limited({});
    const { id, headers } = await key();
    expect((await app.inject({ url: products, headers })).statusCode).toBe(200);
    await revokeServiceKey(api.database, { key: id, by: 'ann', caller: testCaller });
    expect((await app.inject({ url: products, headers })).statusCode).toBe(401);
  });
});

describe('the rate of a tenant', () => {
  it('is shared by its callers, told beside theirs, and leaves others alone', async () => {
    const app = await limited({ reads: per(100), tenantReads: per(2) });
    const [one, other] = [await tenant(), await tenant()];
    const [first, second] = [await key('tenant-admin', [one, other]), await key('tenant-admin', [one])];
    const get = (id: string, { headers }: typeof first) => app.inject({ url: `/api/v1/tenants/${id}`, headers });
    expect((await get(one, first)).headers['ratelimit-policy']).toBe(
      '"caller-reads";q=100;w=60, "tenant-reads";q=2;w=60',
    );
    expect((await get(one.toUpperCase(), second)).statusCode).toBe(200);
    const refused = await get(one, second);
    expect([refused.statusCode, codeOf(refused), refused.headers['retry-after']]).toEqual([429, 'RATE_LIMITED', '30']);
    expect((await get(other, first)).statusCode).toBe(200);
  });

  it('is not used up by those who may not reach it, nor does it keep the platform from acting', async () => {
    const app = await limited({ tenantReads: per(1) });
    const id = await tenant();
    const [stranger, own, platform] = [
      await key('tenant-admin', [await tenant()]),
      await key('tenant-admin', [id]),
      await key(),
    ];
    const get = async ({ headers }: typeof own) =>
      (await app.inject({ url: `/api/v1/tenants/${id}`, headers })).statusCode;
    expect(await get(stranger)).toBe(403);
    expect([await get(own), await get(own), await get(platform)]).toEqual([200, 429, 200]);
  });

  it('counts what names the tenant in query or body', async () => {
    const app = await limited({ tenantReads: per(1), tenantChanges: per(1) });
    const id = await tenant();
    const [own, stranger] = [await key('tenant-admin', [id]), await key('tenant-admin', [await tenant()])];
    const list = async ({ headers }: typeof own) =>
      (await app.inject({ url: `/api/v1/webhooks?tenantId=${id}`, headers })).statusCode;
    expect(await list(stranger)).not.toBe(429);
    expect([await list(own), await list(own)]).toEqual([200, 429]);
  });
});

describe('what one caller has at work', () => {
  it('goes on at its pace beyond what it may at once, and what is refused no faster', async () => {
    const app = await limited({ pace: { requests: 5, windowMs: 250 }, reads: per(10) });
    const [fast, other] = [await key(), await key()];
    const began = performance.now();
    const asked = Array.from({ length: 15 }, () => app.inject({ url: products, headers: fast.headers }));
    const quick = await app.inject({ url: products, headers: other.headers });
    const quickMs = performance.now() - began;
    const statuses = (await Promise.all(asked)).map(({ statusCode }) => statusCode).sort();
    expect(performance.now() - began).toBeGreaterThan(490);
    expect(statuses).toEqual([...Array<number>(10).fill(200), ...Array<number>(5).fill(429)]);
    expect([quick.statusCode, quickMs < 450]).toEqual([200, true]);
  });

  it('is bounded, and the rest of it waits: it does not take all connections of the database', async () => {
    const app = await limited({ inFlight: 2 });
    const [busy, other] = [await key(), await key()];
    const answers = await api.database.transaction(async (tx) => {
      await tx.query('lock table tenants in access exclusive mode');
      const asked = Array.from({ length: 30 }, () => app.inject({ url: '/api/v1/tenants', headers: busy.headers }));
      const waiting = async () =>
        (await tx.query(`select from pg_locks where not granted and relation = 'tenants'::regclass`)).rowCount;
      await expect.poll(waiting).toBe(2);
      const quick = app.inject({ url: '/api/v1/freezes', headers: other.headers });
      expect((await Promise.race([quick, sleep(2_000)]))?.statusCode).toBe(200);
      expect(await waiting()).toBe(2);
      return asked;
    });
    expect(new Set((await Promise.all(answers)).map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  });
});

describe('live streams of one caller', () => {
  it('are bounded, by a code of their own, and one that ends makes room', async () => {
    const app = await limited({ streams: 2, inFlight: 1 });
    const id = await tenant();
    const { headers } = await key();
    const base = await app.listen({ host: '127.0.0.1', port: 0 });
    const open = async (who = headers) => {
      const connection = new AbortController();
      const sent = { ...who, accept: 'text/event-stream' };
      const answer = await fetch(`${base}/api/v1/tenants/${id}/events`, { headers: sent, signal: connection.signal });
      return { answer, end: () => connection.abort() };
    };
    const streams = [await open(), await open()];
    expect(streams.map(({ answer }) => [answer.status, answer.headers.get('x-content-type-options')])).toEqual(
      Array(2).fill([200, 'nosniff']),
    );
    const { answer } = await open();
    const body = (await answer.json()) as { error: { code: string } };
    expect([answer.status, body.error.code, answer.headers.get('retry-after')]).toEqual([429, 'TOO_MANY_STREAMS', '5']);
    const others = await open((await key()).headers);
    expect(others.answer.status).toBe(200);
    streams[0]?.end();
    const again = async () => {
      const { answer: next, end } = await open();
      if (next.status === 200) end();
      return next.status;
    };
    await expect.poll(again).toBe(200);
    for (const { end } of [...streams, others]) end();
  });
});
