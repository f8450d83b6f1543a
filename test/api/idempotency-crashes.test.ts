import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findOperation } from '../../src/db/operations.ts';
import { examplePlatform } from '../support/platform.ts';
import { acme, createApiFixture, payloadKey, type ApiFixture } from './api-fixture.ts';

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tenantry-crashes-'));
const children: ChildProcess[] = [];
const rules: string[] = [];

let api: ApiFixture;
beforeAll(async () => {
  api = await createApiFixture();
  writeFileSync(join(directory, 'platform.json'), JSON.stringify(examplePlatform()));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await api.close();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const rule of rules.splice(0)) api.proxy.removeRule(rule);
});

let counter = 0;
const fresh = () => ({ ...acme, slug: `crash-${(counter += 1)}` });
const tenants = '/api/v1/tenants';

/** Of the API that lives, and whose Temporal is there. */
async function create(key: string, payload: object) {
  const answer = await api.app.inject({ method: 'POST', url: tenants, headers: { 'idempotency-key': key }, payload });
  return {
    status: answer.statusCode,
    replayed: answer.headers['idempotency-replayed'] === 'true',
    body: answer.json<{ operationId: string; error?: { code: string } }>(),
  };
}
async function tenantsOf(slug: string) {
  const { rows } = await api.database.query<{ status: string }>('select status from tenants where slug = $1', [slug]);
  return rows.map(({ status }) => status);
}

/** An API of its own process, whose Temporal does not answer: a start takes it seconds. */
async function startProcess() {
  const child = spawn(process.execPath, [bin, 'api'], {
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      DATABASE_URL: api.proxy.through(api.controlUrl),
      // Nobody listens there.
      TEMPORAL_ADDRESS: '127.0.0.1:9',
      PLATFORM_CONFIG: join(directory, 'platform.json'),
      TENANTRY_PAYLOAD_KEY: payloadKey.toString('base64'),
      TENANTRY_API_PORT: '0',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  const url = await new Promise<string>((done, failed) => {
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
      const found = /"url":"(http:[^"]+)","msg":"the API listens"/.exec(err)?.[1];
      if (found !== undefined) done(found);
    });
    child.once('close', (code) => failed(new Error(`the API ended with ${code}: ${err}`)));
  });
  return {
    /** Never answered: the process is killed before. */
    send: (key: string, request: object) =>
      void fetch(`${url}${tenants}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(request),
      }).catch(() => undefined),
    kill: async () => {
      const gone = once(child, 'close');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** The next statement of the process that is like this waits, and never arrives. */
function park(startsWith: string, contains: string[] = [], application = 'tenantry-api') {
  const rule = api.proxy.addRule({ match: { application, startsWith, contains }, fault: { type: 'park' } });
  rules.push(rule);
  return expect.poll(() => api.proxy.hits(rule)).toBe(1);
}
const inUse = { status: 409, body: { error: { code: 'IDEMPOTENCY_KEY_IN_USE' } } };

describe('an API that is killed', () => {
  it('before its transaction ends has changed nothing: the repeat is carried out', async () => {
    const [key, request, dying] = ['before', fresh(), await startProcess()];
    const parked = park('commit', ['insert into tenants']);
    dying.send(key, request);
    await parked;
    expect(await create(key, request)).toMatchObject(inUse);
    await dying.kill();
    await expect.poll(async () => (await create(key, request)).status).toBe(202);
    expect(await tenantsOf(request.slug)).toEqual(['pending']);
  });

  it('after it, before the start, has accepted: the repeat is told what', async () => {
    const [key, request, dying] = ['after', fresh(), await startProcess()];
    dying.send(key, request);
    await expect.poll(() => tenantsOf(request.slug), { interval: 20 }).toEqual(['pending']);
    expect(await create(key, request)).toMatchObject({ status: 202, replayed: true });
    await dying.kill();
    await expect.poll(async () => (await create(key, request)).status).toBe(202);
    const { replayed, body } = await create(key, request);
    expect(replayed).toBe(true);
    expect((await findOperation(api.database, body.operationId))?.state).toBe('accepted');
    expect(await tenantsOf(request.slug)).toEqual(['pending']);
  });

  it('while it withdraws has accepted; once it has, the key is free', async () => {
    const [request, other, dying] = [fresh(), fresh(), await startProcess()];
    const [withdrawing, withdrawn] = [
      park('commit', ['withdrawn', request.slug]),
      park('select pg_advisory_unlock', ['the other'], 'tenantry-api-locks'),
    ];
    dying.send('this', request);
    dying.send('the other', other);
    await Promise.all([withdrawing, withdrawn]);
    expect(await tenantsOf(other.slug)).toEqual(['deleted']);
    for (const [key, of] of [['this', request] as const, ['the other', other] as const])
      expect(await create(key, of)).toMatchObject(inUse);
    await dying.kill();
    await expect.poll(async () => (await create('this', request)).status).toBe(202);
    expect((await create('this', request)).replayed).toBe(true);
    expect(await tenantsOf(request.slug)).toEqual(['pending']);
    expect(await create('the other', other)).toMatchObject({ status: 202, replayed: false });
    expect((await tenantsOf(other.slug)).toSorted()).toEqual(['deleted', 'pending']);
  });
});

describe('a connection that ends between acceptance and answer', () => {
  it('leaves one tenant, which the repeat is told of', async () => {
    const [key, request] = ['cut', fresh()];
    const { url } = await api.listen();
    const { port } = new URL(url);
    const parked = park('select pg_advisory_unlock', [key], 'api-locks');
    const body = JSON.stringify(request);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST ${tenants} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
        `Idempotency-Key: ${key}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await parked;
    socket.destroy();
    api.proxy.release();
    await expect.poll(async () => (await create(key, request)).status).toBe(202);
    expect((await create(key, request)).replayed).toBe(true);
    expect(await tenantsOf(request.slug)).toEqual(['pending']);
  });
});
