import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FastifyInstance } from 'fastify';
import { serviceKeyAuthenticator } from '../../src/api/access/service-keys.ts';
import { buildApp } from '../../src/api/app.ts';
import type { GivenRole } from '../../src/contracts/caller.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import {
  insertServiceKey,
  KeyNameTakenError,
  listServiceKeys,
  revokeServiceKey,
  type ServiceKeyRow,
} from '../../src/db/service-keys.ts';
import { newKeyText } from '../../src/service-key.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { testCaller } from '../support/caller.ts';
import { acme, createApiFixture, payloadKey, type ApiFixture } from './api-fixture.ts';

/* Service keys against PostgreSQL, asked for by an API that takes them. */

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
const warned: string[] = [];
let api: ApiFixture;
/** As the API has it: by way of the proxy. */
let proxied: Database;
let app: FastifyInstance;

beforeAll(async () => {
  api = await createApiFixture();
  proxied = createDatabase({ url: api.proxy.through(api.controlUrl), applicationName: 'keys' });
  const log = pino({ level: 'warn' }, { write: (line: string) => warned.push(line) });
  const authenticators = [serviceKeyAuthenticator({ database: proxied, log })];
  app = await buildApp({ client: api.client, codec: new EncryptionCodec([payloadKey]), log, authenticators });
});
afterAll(async () => {
  await app.close();
  await proxied.close();
  await api.close();
});
beforeEach(() => void (warned.length = 0));

let count = 0;
async function made(role: GivenRole = 'platform-admin', name = `key-${(count += 1)}`, tenants: string[] = []) {
  const { text, hash, prefix } = newKeyText();
  const given = { name, role, tenants, hash, prefix, lifetimeMs: 3_600_000, by: 'ann', caller: testCaller };
  return { text, ...(await insertServiceKey(api.database, given)) };
}
async function ask(key: string, url = '/api/v1/products') {
  const answer = await app.inject({ url, headers: { authorization: `Bearer ${key}` } });
  const { error } = answer.json<{ error?: { code: string; message: string; details?: object } }>();
  return { status: answer.statusCode, code: error?.code, reason: error?.details, message: error?.message };
}
async function stored(id: string): Promise<ServiceKeyRow | undefined> {
  return (await listServiceKeys(api.database, true)).find((key) => key.id === id);
}
async function expire(id: string): Promise<void> {
  await api.database.query(
    `update service_keys set created_at = now() - interval '2 hours', expires_at = now() - interval '1 second' where id = $1`,
    [id],
  );
}

describe('a service key', () => {
  it('names its caller in the record, and its use is kept', async () => {
    const key = await made('platform-admin', 'deployer');
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v1/tenants',
      payload: { ...acme, slug: 'by-key' },
      headers: { authorization: `Bearer ${key.text}` },
    });
    expect(answer.statusCode).toBe(202);
    const { rows } = await api.database.query('select caller from operations where id = $1', [
      answer.json<{ operationId: string }>().operationId,
    ]);
    expect(rows).toMatchObject([{ caller: { principal: 'key:deployer', role: 'platform-admin' } }]);
    await expect.poll(async () => (await stored(key.id))?.lastUsedAt).toBeInstanceOf(Date);
  });

  it('is refused from the request after its revocation on, by name or by id, and says so', async () => {
    for (const by of ['name', 'id'] as const) {
      const key = await made();
      expect((await ask(key.text)).status).toBe(200);
      const ended = await revokeServiceKey(api.database, { key: key[by], by: 'bob', caller: testCaller });
      expect(ended).toMatchObject({ revokedNow: true, row: { revokedBy: 'bob' } });
      expect(await ask(key.text)).toMatchObject({
        status: 401,
        code: 'UNAUTHENTICATED',
        reason: { reason: 'revoked' },
      });
      const again = await revokeServiceKey(api.database, { key: key.id, by: 'cy', caller: testCaller });
      expect(again).toMatchObject({ revokedNow: false, row: { revokedBy: 'bob' } });
    }
  });

  it('is refused once it has expired, and when it is unknown, cut short or made longer', async () => {
    const key = await made();
    await expire(key.id);
    expect(await ask(key.text)).toMatchObject({ status: 401, reason: { reason: 'expired' } });
    expect(await ask(newKeyText().text)).toMatchObject({ status: 401, reason: { reason: 'unknown' } });
    for (const text of [key.text.slice(0, -1), `${key.text}x`, key.text.slice(0, 4), `${key.text.slice(0, -1)}~`])
      expect(await ask(text)).toMatchObject({ status: 401, reason: { reason: 'malformed' } });
    expect(await ask(key.text.slice('tnk_'.length))).toMatchObject({ status: 401, reason: { reason: 'malformed' } });
  });

  it('is not refused for an outage of the database: that is a 503', async () => {
    const key = await made();
    const contains = ['from service_keys where hash'];
    const rule = api.proxy.addRule({ match: { contains }, fault: { type: 'cut', when: 'before' }, times: null });
    try {
      expect(await ask(key.text)).toMatchObject({ status: 503, code: 'DATABASE_UNAVAILABLE' });
      expect(await ask(newKeyText().text)).toMatchObject({ status: 503 });
    } finally {
      api.proxy.removeRule(rule);
    }
    expect((await ask(key.text)).status).toBe(200);
  });

  it('is taken though its use cannot be kept, which is kept once a minute at most', async () => {
    const key = await made();
    const rule = api.proxy.addRule({
      match: { contains: ['update service_keys set last_used_at'] },
      fault: { type: 'error', when: 'before', code: '25006' },
      times: null,
    });
    try {
      for (let n = 0; n < 5; n += 1) expect((await ask(key.text)).status).toBe(200);
      await expect.poll(() => warned.length).toBe(1);
      expect(api.proxy.hits(rule)).toBe(1);
      expect(warned.join()).toContain('the last use of a service key could not be kept');
      expect(warned.join()).not.toContain(key.text);
    } finally {
      api.proxy.removeRule(rule);
    }
  });

  it('gets the scope of its role', async () => {
    const { database } = api;
    const { rows } = await database.query<{ id: string }>('select id from tenants');
    const tenants = rows.map(({ id }) => id);
    expect(tenants.length).toBeGreaterThan(0);
    const { authenticate } = serviceKeyAuthenticator({ database, log: pino({ level: 'silent' }) });
    const scoped = async (role: GivenRole, reached: string[] = []) =>
      (await authenticate((await made(role, undefined, reached)).text)).scope;
    expect(await scoped('tenant-admin', tenants)).toEqual({ kind: 'tenants', ids: tenants });
    expect(await scoped('self-service')).toEqual({ kind: 'own' });
    expect(await scoped('platform-operator')).toBeUndefined();
  });
});

describe('what is stored of keys', () => {
  it('is a hash, and in no table the key', async () => {
    const key = await made();
    const { rows } = await api.database.query(
      `select (select json_agg(k) from service_keys k)::text || (select json_agg(e) from service_key_events e)::text as text`,
    );
    const text = String(rows[0]?.text);
    expect(text).toContain(key.prefix);
    expect(text).not.toContain(key.text.slice(key.prefix.length));
  });

  it('has one key in force of a name, of however many that are made at once', async () => {
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => made('platform-admin', 'only-one')));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const each of all) if (each.status === 'rejected') expect(each.reason).toBeInstanceOf(KeyNameTakenError);
  });

  it('lets a name be taken again after revocation and after expiry, and ends the newer key by it', async () => {
    const first = await made('platform-admin', 'again');
    await revokeServiceKey(api.database, { key: 'again', by: 'ann', caller: testCaller });
    const expired = await made('platform-admin', 'again');
    await expire(expired.id);
    const newest = await made('platform-admin', 'again');
    await revokeServiceKey(api.database, { key: 'again', by: 'ann', caller: testCaller });
    expect((await stored(newest.id))?.revokedAt).toBeInstanceOf(Date);
    expect((await stored(expired.id))?.revokedAt).toBeNull();
    expect((await stored(first.id))?.revokedAt).toBeInstanceOf(Date);
  });

  it('says who made and who ended it, and cannot be rewritten', async () => {
    const key = await made();
    await revokeServiceKey(api.database, { key: key.id, by: 'bob', caller: testCaller });
    const { rows } = await api.database.query(
      'select type, by, caller from service_key_events where key_id = $1 order by id',
      [key.id],
    );
    expect(rows).toEqual([
      { type: 'created', by: 'ann', caller: testCaller },
      { type: 'revoked', by: 'bob', caller: testCaller },
    ]);
    const rewriting = api.database.query('update service_key_events set by = $1', ['eve']);
    await expect(rewriting).rejects.toThrow('append-only');
  });
});

describe('tenantry keys', () => {
  const run = async (...args: string[]) => {
    const env = { ...process.env, DATABASE_URL: api.controlUrl };
    const child = spawn(process.execPath, [bin, 'keys', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const code = await new Promise<number | null>((done) => child.on('close', done));
    return { code, out, err };
  };

  it('prints the key alone on stdout, lists it without its text, and ends it', async () => {
    const created = await run('create', 'ci', '--role', 'platform-operator', '--expires', '2h', '--by', 'ann');
    expect(created).toMatchObject({ code: 0, out: expect.stringMatching(/^tnk_[\w-]{43}\n$/) as string });
    const key = created.out.trim();
    expect(created.err).not.toContain(key);
    expect((await ask(key)).status).toBe(200);
    const listed = await run('list', '--json');
    expect(listed.out).not.toContain(key);
    const { keys } = JSON.parse(listed.out) as { keys: { name: string; expiresAt: string; createdAt: string }[] };
    const found = keys.find(({ name }) => name === 'ci');
    expect(found).toMatchObject({ role: 'platform-operator', createdBy: 'ann', state: 'in-force' });
    expect(Date.parse(found?.expiresAt ?? '') - Date.parse(found?.createdAt ?? '')).toBe(7_200_000);
    expect(await run('revoke', key)).toMatchObject({ code: 3, err: expect.not.stringContaining(key) as string });
    expect(await run('revoke', 'ci')).toMatchObject({ code: 0 });
    expect(await ask(key)).toMatchObject({ status: 401 });
  });

  it.each([
    [2, 'needs --tenant', ['create', 'x', '--role', 'tenant-admin']],
    [2, 'up to 365 days', ['create', 'x', '--role', 'self-service', '--expires', '366d']],
    [
      3,
      'there is no tenant',
      ['create', 'x', '--role', 'tenant-admin', '--tenant', '00000000-0000-4000-8000-000000000000'],
    ],
  ])('exits with %d where %s', async (code, said, args) => {
    const ended = await run(...args);
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).toContain(said);
  });
});
