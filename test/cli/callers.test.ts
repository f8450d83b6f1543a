import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serviceKeyAuthenticator } from '../../src/api/access/service-keys.ts';
import { startApiServer, type ApiServer } from '../../src/api/server.ts';
import { createApiClient } from '../../src/cli/api-client.ts';
import { isOutage } from '../../src/cli/outages.ts';
import { insertServiceKey, revokeServiceKey } from '../../src/db/service-keys.ts';
import { newKeyText } from '../../src/service-key.ts';
import { EncryptionCodec } from '../../src/temporal/codec.ts';
import { acme, createApiFixture, payloadKey, type ApiFixture } from '../api/api-fixture.ts';
import { testCaller } from '../support/caller.ts';

/* What the command line shows an API that asks who calls, and what it says of the answers. */

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'tenantry-callers-'));
let api: ApiFixture;
let server: ApiServer;
beforeAll(async () => {
  api = await createApiFixture();
  const log = pino({ level: 'silent' });
  const authenticators = [serviceKeyAuthenticator({ database: api.database, log })];
  const codec = new EncryptionCodec([payloadKey]);
  server = await startApiServer({ client: api.client, codec, log, authenticators, port: 0 });
});
afterAll(async () => {
  rmSync(home, { recursive: true });
  await server.close();
  await api.close();
});

const others: Server[] = [];
afterEach(() => {
  for (const other of others.splice(0)) other.close();
});
async function listening(answer: RequestListener): Promise<string> {
  const other = createServer(answer).listen(0, '127.0.0.1');
  await once(other, 'listening');
  others.push(other);
  const address = other.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

async function made(name: string): Promise<string> {
  const { text, hash, prefix } = newKeyText();
  const given = { name, role: 'platform-admin', tenants: [], hash, prefix, by: 'ann' } as const;
  await insertServiceKey(api.database, { ...given, lifetimeMs: 3_600_000, caller: testCaller });
  return text;
}

async function run(env: Readonly<Record<string, string>>, ...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { ...process.env, TENANTRY_API_URL: server.url, XDG_STATE_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, out, err };
}

describe('TENANTRY_API_TOKEN', () => {
  it('is shown with every request, of a stream too, and nothing else of it is', async () => {
    const TENANTRY_API_TOKEN = await made('command');
    const listed = await run({ TENANTRY_API_TOKEN }, 'products', '--json');
    expect(listed).toMatchObject({ code: 0, err: '' });
    const client = createApiClient(server.url, () =>
      Promise.resolve({ token: TENANTRY_API_TOKEN, from: 'TENANTRY_API_TOKEN' }),
    );
    const { tenantId } = await client.create({ ...acme, slug: 'streamed' });
    const stop = new AbortController();
    for await (const event of client.stream(tenantId, 0, stop.signal)) {
      expect(event.type).toBe('tenant.accepted');
      break;
    }
    stop.abort();
    const { rows } = await api.database.query('select caller from operations where tenant_id = $1', [tenantId]);
    expect(rows).toMatchObject([{ caller: { principal: 'key:command' } }]);
  });

  it('that is missing, or is not taken, is told with what to do, and is in no message', async () => {
    const missing = await run({}, 'products');
    expect(missing).toMatchObject({ code: 4, out: '' });
    expect(missing.err).toContain('what to do: Sign in with `tenantry login`, or set TENANTRY_API_TOKEN');
    const TENANTRY_API_TOKEN = await made('ended');
    await revokeServiceKey(api.database, { key: 'ended', by: 'ann', caller: testCaller });
    const refused = await run({ TENANTRY_API_TOKEN }, 'products');
    expect(refused.code).toBe(4);
    expect(refused.err).toMatch(/the service key ended was revoked[^]*Set TENANTRY_API_TOKEN to another token/);
    expect(refused.err).not.toContain(TENANTRY_API_TOKEN);
  });

  it.each([
    ['with a line break', { TENANTRY_API_TOKEN: 'tnk_secret-part\nx' }, 'has characters that no token has'],
    [
      'over plain http to another machine',
      { TENANTRY_API_TOKEN: 'tnk_secret-part', TENANTRY_API_URL: 'http://192.0.2.1' },
      'would be readable on the way',
    ],
  ])('%s is refused before anything is sent', async (_, env, said) => {
    const began = Date.now();
    const refused = await run(env, 'tenants', 'list', '--json');
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(JSON.parse(refused.err)).toMatchObject({ error: { code: 'CONFIGURATION_INVALID' } });
    expect(refused.err).toContain(said);
    expect(refused.err).not.toContain('secret-part');
    expect(Date.now() - began).toBeLessThan(15_000);
  });
});

describe('a token', () => {
  const credentials = () => Promise.resolve({ token: 'tnk_secret-part', from: 'sign-in' } as const);

  it('goes nowhere that the API would lead on to', async () => {
    const led: (string | undefined)[] = [];
    const elsewhere = await listening(({ headers }, response) => {
      led.push(headers.authorization);
      response.end('{"products":[]}');
    });
    const leading = await listening((_, response) => response.writeHead(307, { location: elsewhere }).end());
    await expect(createApiClient(leading, credentials).products()).rejects.toThrow('answers with status 307');
    expect(led).toEqual([]);
  });

  it('that an answer repeats is in no error', async () => {
    const repeating = await listening(({ headers }, response) => {
      const error = { code: 'INTERNAL', message: `saw ${headers.authorization}`, requestId: 'x' };
      response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
    });
    await expect(createApiClient(repeating, credentials).products()).rejects.toThrow('saw Bearer [token]');
  });
});

it('who asks too often is told how long to wait; what follows an operation asks again', async () => {
  const limiting = await listening((_, response) => {
    const error = { code: 'RATE_LIMITED', message: 'too many requests', requestId: 'x' };
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' }).end(JSON.stringify({ error }));
  });
  const told = await run({ TENANTRY_API_URL: limiting }, 'products');
  expect(told).toMatchObject({ code: 5, out: '' });
  expect(told.err).toContain('what to do: Wait 7 s, then try again.');
  const refused = await createApiClient(limiting)
    .products()
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(isOutage(refused)).toBe(true);
});
