import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { oidcAuthenticator, SKEW_SECONDS } from '../../src/api/access/oidc.ts';
import { serviceKeyAuthenticator } from '../../src/api/access/service-keys.ts';
import type { GivenRole } from '../../src/contracts/caller.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { insertServiceKey, revokeServiceKey } from '../../src/db/service-keys.ts';
import { sweepExpiredTickets } from '../../src/db/stream-tickets.ts';
import { newKeyText } from '../../src/service-key.ts';
import { seedTenant } from '../db/fixtures.ts';
import { testCaller } from '../support/caller.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { configOf, signingKey, startIssuer, type TestIssuer } from './issuer.ts';
import { openStream, until, type OpenStream } from './stream-reader.ts';

/* Tickets: what a browser opens a stream with. */

let issuer: TestIssuer;
let api: ApiFixture;
let keys: Database;
let base: string;
let tenantId: string;
beforeAll(async () => {
  issuer = await startIssuer();
  const log = pino({ level: 'silent' });
  api = await createApiFixture({
    authenticators: [
      serviceKeyAuthenticator({ database: { query: (...asked) => keys.query(...asked) }, log }),
      oidcAuthenticator(configOf(issuer), { log, times: { freshMs: 0, betweenReadsMs: 0, longestUseMs: 60_000 } }),
    ],
    streamTimes: { recheckMs: 100 },
  });
  keys = createDatabase({ url: api.controlUrl, applicationName: 'keys' });
  base = (await api.listen()).url;
  ({ tenantId } = await seedTenant(api.database));
});
afterAll(async () => {
  await keys.close();
  await api.close();
  await issuer.close();
});
const open: OpenStream[] = [];
afterEach(() => open.splice(0).forEach((stream) => stream.close()));

interface Ticket {
  readonly ticket: string;
  readonly expiresAt: string;
  readonly url: string;
}
const tokenOf = (role: GivenRole, claims: object = {}) =>
  issuer.token({ sub: randomUUID(), tenantry_roles: [role], ...claims });
async function key(role: GivenRole, tenants: string[] = []) {
  const { text, hash, prefix } = newKeyText();
  const given = { name: `key-${randomUUID()}`, role, tenants, hash, prefix, lifetimeMs: 3_600_000 };
  return { text, ...(await insertServiceKey(api.database, { ...given, by: 'ann', caller: testCaller })) };
}
const ask = (token: string, of = tenantId, headers: Record<string, string> = {}, query = '') =>
  api.app.inject({
    method: 'POST',
    url: `/api/v1/tenants/${of}/events/tickets${query}`,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
async function ticketOf(token: string, of = tenantId): Promise<Ticket> {
  const answer = await ask(token, of);
  expect(answer.statusCode, answer.body).toBe(201);
  return answer.json<Ticket>();
}
async function openBy(url: string, headers: Record<string, string> = {}): Promise<OpenStream> {
  const opened = await openStream(`${base}${url}`, headers);
  open.push(opened);
  return opened;
}
async function refusalOf(url: string, method: 'GET' | 'HEAD' = 'GET') {
  const answer = await api.app.inject({ method, url });
  return { status: answer.statusCode, body: answer.body.replaceAll(/"requestId":"[^"]*"/g, '') };
}
const count = async () =>
  (await api.database.query<{ n: number }>('select count(*)::int as n from stream_tickets')).rows[0]?.n;

describe('a ticket', () => {
  it('opens one stream, as who asked for it, and no second one', async () => {
    const made = await ticketOf(await tokenOf('tenant-admin', { tenantry_tenants: [tenantId] }));
    expect(made.url).toBe(`/api/v1/tenants/${tenantId}/events?ticket=${made.ticket}`);
    const leftMs = Date.parse(made.expiresAt) - Date.now();
    expect(leftMs).toBeGreaterThan(25_000);
    expect(leftMs).toBeLessThanOrEqual(30_500);
    const opened = await openBy(made.url);
    expect(opened.response.status).toBe(200);
    await until(() => opened.events.length > 0, 'events');
    expect((await openBy(made.url)).response.status).toBe(401);
    expect(opened.end()).toBeUndefined();
  });

  it('is taken by one of many that try at once, in whatever process', async () => {
    const other = await api.another();
    const url = await other.app.listen({ host: '127.0.0.1', port: 0 });
    const made = await ticketOf(await tokenOf('platform-operator'));
    const tries = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const opened = await openStream(`${n % 2 === 0 ? base : url}${made.url}`);
        open.push(opened);
        return opened.response.status;
      }),
    );
    expect(tries.toSorted()).toEqual([200, ...Array<number>(11).fill(401)]);
    open.splice(0).forEach((stream) => stream.close());
    await other.close();
  });

  it('goes on from an id, as any stream does', async () => {
    const token = await tokenOf('platform-operator');
    const first = await openBy((await ticketOf(token)).url);
    await until(() => first.events.length > 0, 'events');
    const last = first.events.at(-1)!.id;
    const second = await openBy(`${(await ticketOf(token)).url}&after=${last}`);
    await until(() => second.beats() > 0, 'a heartbeat');
    expect(second.events).toEqual([]);
  });

  it('is refused in the same words when it is used, unknown, malformed, expired or of another tenant', async () => {
    const token = await tokenOf('platform-admin');
    const other = await seedTenant(api.database);
    const [used, expired, foreign] = [
      await ticketOf(token),
      await ticketOf(token),
      await ticketOf(token, other.tenantId),
    ];
    (await openBy(used.url)).close();
    await api.database.query(
      `update stream_tickets set expires_at = now() - interval '1 second' where hash = sha256($1::bytea)`,
      [expired.ticket],
    );
    const at = `/api/v1/tenants/${tenantId}/events`;
    const said = await Promise.all(
      [used.ticket, expired.ticket, foreign.ticket, `tnt_${'A'.repeat(43)}`, 'x', '', `a&ticket=b`].map((ticket) =>
        refusalOf(`${at}?ticket=${ticket}`),
      ),
    );
    expect(new Set(said.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(said[0]).toMatchObject({ status: 401, body: expect.stringContaining('UNAUTHENTICATED') as string });
    const { rows } = await api.database.query(
      `select distinct code, reason, operation from access_refusals where principal is null and tenant_id = $1`,
      [tenantId],
    );
    expect(rows).toEqual([{ code: 'UNAUTHENTICATED', reason: 'ticket', operation: 'listEvents' }]);
  });

  it('is good for nothing else, and a HEAD does not use it up', async () => {
    const { ticket, url } = await ticketOf(await tokenOf('platform-admin'));
    for (const path of ['', '/status', '/operations', '/settings/history'])
      expect((await refusalOf(`/api/v1/tenants/${tenantId}${path}?ticket=${ticket}`)).status).toBe(401);
    expect((await refusalOf(url, 'HEAD')).status).toBe(401);
    const posted = await api.app.inject({ method: 'POST', url: url.replace('/events', '/events/tickets') });
    expect(posted.statusCode).toBe(401);
    const beside = await api.app.inject({ url, headers: { authorization: `Bearer ${ticket}` } });
    expect([beside.statusCode, beside.body]).toEqual([400, expect.stringContaining('not both') as string]);
    expect((await openBy(url)).response.status).toBe(200);
  });

  it('is held to the credential that asked for it: revoked before it is used, or after', async () => {
    const made = await key('tenant-admin', [tenantId]);
    const [before, after] = [await ticketOf(made.text), await ticketOf(made.text)];
    const opened = await openBy(after.url);
    await until(() => opened.events.length > 0, 'events');
    await revokeServiceKey(api.database, { key: made.id, by: 'bob', caller: testCaller });
    await opened.over;
    expect(opened.end()).toMatchObject({ reason: 'access-lost' });
    expect(await refusalOf(before.url)).toMatchObject({
      status: 401,
      body: expect.not.stringContaining('revoked') as string,
    });
  });

  it('ends its stream with the token that asked for it', async () => {
    const exp = Math.floor(Date.now() / 1_000) + 2;
    const { url } = await ticketOf(await tokenOf('platform-operator', { exp }));
    const opened = await openBy(url);
    await opened.over;
    expect(opened.end()).toMatchObject({ reason: 'token-expired' });
    expect(Date.now() - exp * 1_000).toBeGreaterThanOrEqual(0);
    expect(Date.now() - exp * 1_000).toBeLessThan(1_500);
  });

  it('ends its stream when the issuer withdraws the key that signed that token, or the token is over', async () => {
    const { url } = await ticketOf(await tokenOf('platform-operator'));
    const late = await ticketOf(await tokenOf('platform-operator'));
    const opened = await openBy(url);
    await until(() => opened.beats() > 1, 'heartbeats');
    await api.database.query(
      `update stream_tickets set credential_expires_at = now() - $2::float8 * interval '1 second' where hash = sha256($1::bytea)`,
      [late.ticket, SKEW_SECONDS + 1],
    );
    expect((await openBy(late.url)).response.status).toBe(401);
    const before = issuer.keys;
    issuer.keys = [await signingKey('second')];
    await opened.over;
    issuer.keys = before;
    expect(opened.end()).toMatchObject({ reason: 'access-lost' });
  });

  it('has the scope of who asked: another tenant takes none, and what a person made stays theirs', async () => {
    const token = await tokenOf('self-service');
    expect((await ask(token)).statusCode).toBe(403);
    const payload = { ...acme, slug: 'ticketed' };
    const headers = { authorization: `Bearer ${token}` };
    const created = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload, headers });
    const own = created.json<{ tenantId: string }>().tenantId;
    const opened = await openBy((await ticketOf(token, own)).url);
    await until(() => opened.events.length > 0, 'events');
    expect((await ask(await tokenOf('platform-admin'), randomUUID())).statusCode).toBe(404);
  });

  it('stands nowhere in clear: not in the log, the database or an answer', async () => {
    const token = await tokenOf('platform-admin');
    const { ticket, url } = await ticketOf(token);
    (await openBy(url)).close();
    const texts = [
      await refusalOf(url),
      await refusalOf(url.replace('ticket=', '%74icket=')),
      await refusalOf(`${url}&after=x`),
      await refusalOf(`/api/v1/nothing?ticket=${ticket}`),
      await refusalOf(`/api/v1/%zz?ticket=${ticket}`),
      await refusalOf(`/api/v1/tenants/${ticket}`),
    ].map(({ body }) => body);
    expect(texts.slice(0, 4).join()).not.toContain(ticket);
    const logged = api.logged.join('\n');
    expect(logged).toContain('ticket=[masked]');
    expect(logged).not.toContain(ticket);
    const tables = ['stream_tickets', 'access_refusals', 'events', 'operations', 'idempotency_keys'];
    for (const table of tables) {
      const { rows } = await api.database.query(
        `select t::text as text from ${table} t where t::text like '%' || $1 || '%'`,
        [ticket],
      );
      expect([table, rows]).toEqual([table, []]);
    }
  });
});

it('nothing of a request that cannot be read is logged, byte for byte neither', async () => {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.end('GET /?ticket=tnt_unread HTTP/1.1\r\nbad header\r\n\r\n');
  await expect.poll(() => api.logged.some((line) => line.includes('it cannot be read'))).toBe(true);
  const line = api.logged.find((each) => each.includes('it cannot be read')) ?? '';
  expect(line).toContain('HPE_');
  expect(line).not.toMatch(/rawPacket|tnt_unread/);
});

describe('asking for a ticket', () => {
  it('again under one key gives the same one, kept encrypted', async () => {
    const token = await tokenOf('platform-admin');
    const first = await ask(token, tenantId, { 'idempotency-key': 'page-1' });
    const again = await ask(token, tenantId, { 'idempotency-key': 'page-1' });
    expect(again.json()).toEqual(first.json());
    const { rows } = await api.database.query<{ text: string }>(
      `select encode(answer, 'escape') as text from idempotency_keys`,
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { text } of rows) expect(text).not.toContain(first.json<Ticket>().ticket);
  });

  it('as a dry run makes none', async () => {
    const before = await count();
    const answer = await ask(await tokenOf('platform-admin'), tenantId, {}, '?dryRun=true');
    expect([answer.statusCode, Object.keys(answer.json<object>()).toSorted()]).toEqual([200, ['dryRun', 'expiresAt']]);
    expect(await count()).toBe(before);
  });

  it('leaves nothing behind: expired ones are cleared, others stay', async () => {
    const token = await tokenOf('platform-admin');
    const [gone, kept] = [await ticketOf(token), await ticketOf(token)];
    await api.database.query(`update stream_tickets set expires_at = now() where hash = sha256($1::bytea)`, [
      gone.ticket,
    ]);
    expect(await sweepExpiredTickets(api.database)).toBeGreaterThan(0);
    const { rows } = await api.database.query(
      `select (hash = sha256($1::bytea)) as kept from stream_tickets where expires_at <= now() or hash = sha256($1::bytea)`,
      [kept.ticket],
    );
    expect(rows).toEqual([{ kept: true }]);
  });
});
