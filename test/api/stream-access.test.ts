import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import { serviceKeyAuthenticator } from '../../src/api/access/service-keys.ts';
import { SKEW_SECONDS } from '../../src/api/access/oidc.ts';
import { insertServiceKey, revokeServiceKey } from '../../src/db/service-keys.ts';
import { appendEvent } from '../../src/db/events.ts';
import { createApiClient } from '../../src/cli/api-client.ts';
import { followOperation } from '../../src/cli/following.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { newKeyText } from '../../src/service-key.ts';
import type { GivenRole } from '../../src/contracts/caller.ts';
import { testCaller } from '../support/caller.ts';
import { seedTenant } from '../db/fixtures.ts';
import { acme, createApiFixture, type ApiFixture } from './api-fixture.ts';
import { configOf, json, signingKey, startIssuer, type TestIssuer } from './issuer.ts';
import { openStream, until, type OpenStream } from './stream-reader.ts';

/* What ends a live stream: its credential, a refusal, the process. */

let issuer: TestIssuer;
let api: ApiFixture;
let keys: Database;
let base: string;
beforeAll(async () => {
  issuer = await startIssuer();
  const log = pino({ level: 'silent' });
  api = await createApiFixture({
    authenticators: [
      serviceKeyAuthenticator({ database: { query: (...asked) => keys.query(...asked) }, log }),
      oidcAuthenticator(configOf(issuer), { log, times: { freshMs: 0, betweenReadsMs: 0, longestUseMs: 1_000 } }),
    ],
    streamTimes: { recheckMs: 100, unknownMs: 700 },
  });
  keys = createDatabase({ url: api.proxy.through(api.controlUrl), applicationName: 'keys' });
  base = (await api.listen()).url;
});
afterAll(async () => {
  await keys.close();
  await api.close();
  await issuer.close();
});
const open: OpenStream[] = [];
afterEach(() => open.splice(0).forEach((stream) => stream.close()));

async function stream(token: string, tenantId: string, after?: number): Promise<OpenStream> {
  const query = after === undefined ? '' : `?after=${after}`;
  const opened = await openStream(`${base}/api/v1/tenants/${tenantId}/events${query}`, {
    authorization: `Bearer ${token}`,
  });
  open.push(opened);
  return opened;
}
const tokenOf = (role: GivenRole, claims: object = {}) =>
  issuer.token({ sub: randomUUID(), tenantry_roles: [role], ...claims });
async function key(role: GivenRole, tenants: string[] = []) {
  const { text, hash, prefix } = newKeyText();
  const name = `key-${randomUUID()}`;
  const given = { name, role, tenants, hash, prefix, lifetimeMs: 3_600_000, by: 'ann', caller: testCaller };
  return { text, ...(await insertServiceKey(api.database, given)) };
}
const refusals = async (principal: string) =>
  (
    await api.database.query(
      'select code, reason, operation, tenant_id as tenant from access_refusals where principal = $1',
      [principal],
    )
  ).rows;
const nowSeconds = () => Math.floor(Date.now() / 1_000);

describe('a stream ends with its credential', () => {
  it('at the moment at which a token expires, and not before', async () => {
    const { tenantId } = await seedTenant(api.database);
    const exp = nowSeconds() + 2;
    const opened = await stream(await tokenOf('platform-operator', { exp }), tenantId);
    await opened.over;
    const lateMs = Date.now() - exp * 1_000;
    expect(opened.end()).toMatchObject({ reason: 'token-expired' });
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(1_500);
    expect(opened.events.length).toBeGreaterThan(0);
    // The end is no event of the tenant: it must not move the id from which a client goes on.
    expect(opened.frames.at(-1)).toMatchObject({ event: 'end', id: undefined });
  });

  it('where it was opened within the time by which clocks may differ, at the end of that', async () => {
    const { tenantId } = await seedTenant(api.database);
    const exp = nowSeconds() - SKEW_SECONDS + 2;
    const opened = await stream(await tokenOf('platform-operator', { exp }), tenantId);
    await until(() => opened.events.length > 0, 'events');
    await opened.over;
    expect(opened.end()).toMatchObject({ reason: 'token-expired' });
    expect(Date.now()).toBeGreaterThanOrEqual((exp + SKEW_SECONDS) * 1_000);
  });

  it('when a service key is revoked, which is audited', async () => {
    const { tenantId } = await seedTenant(api.database);
    const made = await key('tenant-admin', [tenantId]);
    const opened = await stream(made.text, tenantId);
    await until(() => opened.beats() > 1, 'heartbeats');
    expect(opened.end()).toBeUndefined();
    await revokeServiceKey(api.database, { key: made.id, by: 'bob', caller: testCaller });
    await opened.over;
    expect(opened.end()).toEqual({ reason: 'access-lost', message: expect.stringContaining('revoked') as string });
    expect(await refusals(`key:${made.name}`)).toEqual([
      { code: 'UNAUTHENTICATED', reason: 'revoked', operation: 'listEvents', tenant: tenantId },
    ]);
    expect((await stream(made.text, tenantId)).response.status).toBe(401);
  });

  it('when the tenant is not among those of its key any more', async () => {
    const [mine, other] = [await seedTenant(api.database), await seedTenant(api.database)];
    const made = await key('tenant-admin', [mine.tenantId]);
    const opened = await stream(made.text, mine.tenantId);
    await until(() => opened.events.length > 0, 'events');
    await api.database.query('update service_keys set tenants = $2 where id = $1', [made.id, [other.tenantId]]);
    await opened.over;
    expect(opened.end()).toMatchObject({ reason: 'access-lost' });
    expect(await refusals(`key:${made.name}`)).toMatchObject([{ code: 'TENANT_MISMATCH', tenant: mine.tenantId }]);
  });

  it('when the issuer withdraws the key that signed its token', async () => {
    const { tenantId } = await seedTenant(api.database);
    const opened = await stream(await tokenOf('platform-operator'), tenantId);
    await until(() => opened.beats() > 1, 'heartbeats');
    const before = issuer.keys;
    issuer.keys = [await signingKey('second')];
    await opened.over;
    issuer.keys = before;
    expect(opened.end()).toMatchObject({ reason: 'access-lost' });
  });
});

describe('what cannot be told', () => {
  it('ends nobody at once, and a stream goes on when it can be told again', async () => {
    const { tenantId } = await seedTenant(api.database);
    const opened = await stream(await tokenOf('platform-operator'), tenantId);
    await until(() => opened.beats() > 1, 'heartbeats');
    const told = () => api.logged.filter((line) => line.includes('whether a stream may go on cannot be told')).length;
    const toldBefore = told();
    issuer.answers.set(
      '/keys',
      json(() => ({}), 503),
    );
    await until(() => told() > toldBefore, 'a check that could not be made');
    issuer.answers.clear();
    const beats = opened.beats();
    await until(() => opened.beats() > beats + 8, 'heartbeats for longer than the unknown may last');
    expect(opened.end()).toBeUndefined();
  });

  it('ends it after a while, without calling that a refusal', async () => {
    const { tenantId } = await seedTenant(api.database);
    const sub = randomUUID();
    const opened = await stream(await tokenOf('platform-operator', { sub }), tenantId);
    await until(() => opened.beats() > 1, 'heartbeats');
    issuer.answers.set(
      '/keys',
      json(() => ({}), 503),
    );
    await opened.over;
    issuer.answers.clear();
    expect(opened.end()).toMatchObject({ reason: 'unavailable' });
    expect(await refusals(`${new URL(issuer.url).host}|${sub}`)).toEqual([]);
  });
});

it('a process that ends says so, and nothing is lost or doubled at the next one', async () => {
  const { tenantId } = await seedTenant(api.database);
  const append = (stepId: string) =>
    api.database.transaction((tx) => appendEvent(tx, { cell: 'default', tenantId, type: 'step.started', stepId }));
  const token = await tokenOf('platform-operator');
  const headers = { authorization: `Bearer ${token}` };
  const [first, second] = [await api.listen(), await api.another()];
  const next = await second.app.listen({ host: '127.0.0.1', port: 0 });
  const one = await openStream(`${first.url}/api/v1/tenants/${tenantId}/events`, headers);
  open.push(one);
  await append('before');
  await until(() => one.events.some((e) => e.stepId === 'before'), 'the first event');
  const appending = (async () => {
    for (let n = 0; n < 50; n += 1) await append(`step-${n}`);
  })();
  await first.close();
  await one.over;
  expect(one.end()).toMatchObject({ reason: 'shutting-down' });
  const lastId = `${one.events.at(-1)!.id}`;
  const two = await openStream(`${next}/api/v1/tenants/${tenantId}/events`, { ...headers, 'last-event-id': lastId });
  open.push(two);
  await appending;
  await until(() => two.events.some((e) => e.stepId === 'step-49'), 'the last event');
  const told = [...one.events, ...two.events].map(({ id }) => id);
  const { rows } = await api.database.query<{ id: string }>('select id from events where tenant_id = $1 order by id', [
    tenantId,
  ]);
  expect(told).toEqual(rows.map(({ id }) => Number(id)));
  await second.close();
});

describe('the command line that follows an operation', () => {
  async function accepted(slug: string) {
    const payload = { ...acme, slug };
    const headers = { authorization: `Bearer ${await tokenOf('platform-admin')}` };
    const answer = await api.app.inject({ method: 'POST', url: '/api/v1/tenants', payload, headers });
    return answer.json<{ tenantId: string; operationId: string }>();
  }

  it('comes again with a new token when its own expires, and sees each event once', async () => {
    const made = await accepted('followed');
    const tokens = [await tokenOf('platform-operator', { exp: nowSeconds() + 1 }), await tokenOf('platform-operator')];
    const asked: string[] = [];
    const client = createApiClient(base, () => {
      const token = tokens[Math.min(asked.length, 1)]!;
      asked.push(token);
      return Promise.resolve({ token, from: 'sign-in' });
    });
    const seen: number[] = [];
    const following = followOperation(client, {
      ...{ ...made, after: 0, workersEveryMs: 60_000, untilHold: true },
      onEvent: ({ id }) => void seen.push(id),
    });
    await expect.poll(() => asked.length).toBe(2);
    await api.move(made.tenantId, ['running', 'holding']);
    expect(await following).toBe('holding');
    const { rows } = await api.database.query<{ id: string }>(
      'select id from events where operation_id = $1 order by id',
      [made.operationId],
    );
    expect(seen).toEqual(rows.map(({ id }) => Number(id)));
  });

  it('stops when its key is revoked, and says why', async () => {
    const made = await accepted('left-behind');
    const { id, text } = await key('platform-operator');
    const client = createApiClient(base, () => Promise.resolve({ token: text, from: 'TENANTRY_API_TOKEN' }));
    const seen: number[] = [];
    const following = followOperation(client, {
      ...{ ...made, after: 0, workersEveryMs: 60_000 },
      onEvent: (event) => void seen.push(event.id),
    });
    const outcome = following.catch((error: unknown) => error);
    await until(() => seen.length > 0, 'events');
    await revokeServiceKey(api.database, { key: id, by: 'bob', caller: testCaller });
    expect(await outcome).toMatchObject({
      name: 'UnknownOutcomeError',
      cause: { name: 'AccessLostError', message: expect.stringContaining('was revoked') as string },
    });
  });
});
