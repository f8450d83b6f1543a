import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Authenticator } from '../../src/api/access/authenticator.ts';
import type { IssuerTimes } from '../../src/api/access/issuer-keys.ts';
import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import { RequestError } from '../../src/client/request-error.ts';
import { createApiFixture, type ApiFixture } from './api-fixture.ts';
import { AUDIENCE, configOf, json, signingKey, startIssuer, type TestIssuer } from './issuer.ts';

const admin = { tenantry_roles: ['platform-admin'] };
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;
const warned: unknown[] = [];
const log = { warn: (...given: unknown[]) => void warned.push(given) };
const times: IssuerTimes = { freshMs: 60_000, betweenReadsMs: 0, longestUseMs: 3_600_000 };
const keysPath = '/keys';
const discoveryPath = '/.well-known/openid-configuration';

let issuer: TestIssuer;
beforeEach(async () => {
  issuer = await startIssuer();
});
afterEach(() => issuer.close());

const authenticator = (given: Partial<IssuerTimes> = {}): Authenticator =>
  oidcAuthenticator(configOf(issuer), { log, times: { ...times, ...given } });
const outcome = (one: Authenticator, token: string): Promise<unknown> =>
  one.authenticate(token).then(
    ({ role }) => role,
    (error: unknown) => (error instanceof RequestError ? (error.details?.reason ?? error.code) : error),
  );
/** Times are those of the test, not of the file's. */
const given = (claims: object | (() => object)): object =>
  typeof claims === 'function' ? (claims as () => object)() : claims;
const base64 = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64url');

describe('a token', () => {
  it('of the issuer, for this API, is taken: whose it is, in which role, until when', async () => {
    const exp = inSeconds(60);
    expect(await authenticator().authenticate(await issuer.token({ ...admin, exp, sub: 'ada' }))).toEqual({
      principal: `${new URL(issuer.url).host}|ada`,
      role: 'platform-admin',
      expiresAt: new Date(exp * 1_000),
    });
  });

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('signed with %s is taken', async (alg) => {
    issuer.keys = [await signingKey('of-its-own', alg)];
    expect(await outcome(authenticator(), await issuer.token(admin))).toBe('platform-admin');
  });

  it.each<[string, object | (() => object), string]>([
    ['has expired', () => ({ exp: inSeconds(-31) }), 'expired'],
    ['never expires', { exp: undefined }, 'claims'],
    ['expires in no number of seconds', { exp: '2030-01-01' }, 'claims'],
    ['expires after all time', { exp: 1e300 }, 'claims'],
    ['is not valid yet', () => ({ nbf: inSeconds(60) }), 'not-yet-valid'],
    ['was issued in the future', () => ({ iat: inSeconds(60) }), 'not-yet-valid'],
    ['was made for another API', { aud: 'https://other.example' }, 'audience'],
    ['was made for several others', { aud: ['a', `${AUDIENCE}/`] }, 'audience'],
    ['was made for nobody', { aud: undefined }, 'audience'],
    ['names another issuer', { iss: 'https://evil.example' }, 'issuer'],
    ['names no issuer', { iss: undefined }, 'issuer'],
    ['names nobody', { sub: undefined }, 'claims'],
    ['names somebody with a NUL', { sub: 'a\0b' }, 'claims'],
    ['names somebody with no name', { sub: '' }, 'claims'],
    ['is bound to a key', { cnf: { jkt: 'x' } }, 'claims'],
    ['names tenants that are no ids', { tenantry_roles: ['tenant-admin'], tenantry_tenants: ['*'] }, 'claims'],
    ['names roles in no list', { tenantry_roles: { admin: true } }, 'claims'],
    ['names no role', { tenantry_roles: undefined }, 'FORBIDDEN'],
    ['names other roles', { tenantry_roles: ['system', 'owner', 'Platform-Admin'] }, 'FORBIDDEN'],
  ])('that %s is refused', async (_what, claims, reason) => {
    expect(await outcome(authenticator(), await issuer.token({ ...admin, ...given(claims) }))).toBe(reason);
  });

  it.each<[string, object | (() => object), string]>([
    ['a second after its end', () => ({ exp: inSeconds(-5) }), 'platform-admin'],
    ['a second before its begin', () => ({ nbf: inSeconds(5), iat: inSeconds(5) }), 'platform-admin'],
    ['for several APIs', { aud: ['https://other.example', AUDIENCE] }, 'platform-admin'],
    [
      'with several roles, as the highest',
      { tenantry_roles: 'self-service platform-operator tenant-admin' },
      'platform-operator',
    ],
  ])('is taken %s', async (_what, claims, role) => {
    expect(await outcome(authenticator(), await issuer.token({ ...admin, ...given(claims) }))).toBe(role);
  });

  it.each([[['at+jwt']], [[]], [{}], [1], [null]])('whose type is no text (%j) is refused', async (typ) => {
    const token = await issuer.token(admin, JSON.parse(JSON.stringify({ typ })) as object);
    expect(await outcome(authenticator(), token)).toBe('malformed');
  });

  it('signed by another key of the same name is refused', async () => {
    const stranger = await signingKey('first');
    expect(await outcome(authenticator(), await issuer.token(admin, {}, stranger))).toBe('signature');
  });

  it('changed after it was signed is refused', async () => {
    const [head, , signature] = (await issuer.token({ tenantry_roles: ['self-service'] })).split('.');
    const claims = { iss: issuer.url, aud: AUDIENCE, sub: 'alice', exp: inSeconds(60), ...admin };
    expect(await outcome(authenticator(), `${head}.${base64(claims)}.${signature}`)).toBe('signature');
  });

  it.each(['none', 'None', 'NONE'])('without a signature, of the algorithm %s, is refused', async (alg) => {
    const claims = { iss: issuer.url, aud: AUDIENCE, sub: 'alice', exp: inSeconds(60), ...admin };
    expect(await outcome(authenticator(), `${base64({ alg, kid: 'first' })}.${base64(claims)}.`)).toBe('algorithm');
  });

  it("signed by HS256 with the issuer's public key is refused", async () => {
    issuer.keys = [await signingKey('first', 'RS256')];
    const [key] = issuer.keys;
    if (!key) throw new Error('no key');
    const claims = { iss: issuer.url, aud: AUDIENCE, sub: 'alice', exp: inSeconds(60), ...admin };
    const publicKey = await importJWK({ ...key.publicJwk, ext: true }, 'RS256', { extractable: true });
    if (publicKey instanceof Uint8Array) throw new Error('no public key');
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(key.publicJwk)]) {
      const signed = `${base64({ alg: 'HS256', kid: 'first', typ: 'JWT' })}.${base64(claims)}`;
      const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
      expect(await outcome(authenticator(), token)).toBe('algorithm');
    }
  });

  it('signed with an algorithm that is not configured is refused, though the issuer publishes the key', async () => {
    issuer.keys = [await signingKey('first', 'ES384')];
    expect(await outcome(authenticator(), await issuer.token(admin))).toBe('algorithm');
  });

  it('that brings its own key is held against those of the issuer', async () => {
    const stranger = await signingKey('first');
    const headers = { jwk: stranger.publicJwk, jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1/x5u' };
    expect(await outcome(authenticator(), await issuer.token(admin, headers, stranger))).toBe('signature');
  });

  it.each<[string, object]>([
    ['of another type', { typ: 'logout+jwt' }],
    ['with a critical header that nobody knows', { crit: ['exp2'], exp2: 1 }],
  ])('%s is refused', async (_what, header) => {
    const [key] = issuer.keys;
    if (!key) throw new Error('no key');
    const claims = { iss: issuer.url, aud: AUDIENCE, sub: 'alice', exp: inSeconds(60), ...admin };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: key.alg, kid: 'first', ...header })
      .sign(key.privateKey, { crit: { exp2: true } });
    expect(await outcome(authenticator(), token)).toBe('malformed');
  });

  it('without the name of its key is tried with each of its type', async () => {
    issuer.keys = [await signingKey('a'), await signingKey('b'), await signingKey('c', 'EdDSA')];
    const one = authenticator();
    for (const key of issuer.keys)
      expect(await outcome(one, await issuer.token(admin, { kid: undefined }, key))).toBe('platform-admin');
    const stranger = await signingKey('a');
    expect(await outcome(one, await issuer.token(admin, { kid: undefined }, stranger))).toBe('key');
  });

  it('names roles by a path too, and a name with dots is a name first', async () => {
    const by = (rolesClaim: string) => oidcAuthenticator({ ...configOf(issuer), rolesClaim }, { log, times });
    const nested = await issuer.token({ realm_access: { roles: ['platform-operator'] } });
    expect(await outcome(by('realm_access.roles'), nested)).toBe('platform-operator');
    const named = await issuer.token({ 'https://a.example/roles': ['self-service'] });
    expect(await outcome(by('https://a.example/roles'), named)).toBe('self-service');
    expect(await outcome(by('constructor.name'), named)).toBe('FORBIDDEN');
  });
});

describe("the issuer's keys", () => {
  it('are read once for many requests, and anew for a key that is new', async () => {
    const one = authenticator();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => issuer.token(admin)));
    await Promise.all(tokens.map(async (token) => expect(await outcome(one, token)).toBe('platform-admin')));
    expect(issuer.asked).toEqual([discoveryPath, keysPath]);
    const second = await signingKey('second');
    issuer.keys = [second, ...issuer.keys];
    expect(await outcome(one, await issuer.token(admin))).toBe('platform-admin');
    expect(issuer.asked).toHaveLength(4);
  });

  it('that were withdrawn are taken no more once they were read anew', async () => {
    const one = authenticator({ freshMs: 0 });
    const before = await issuer.token(admin);
    expect(await outcome(one, before)).toBe('platform-admin');
    issuer.keys = [await signingKey('second')];
    expect(await outcome(one, await issuer.token(admin))).toBe('platform-admin');
    expect(await outcome(one, before)).toBe('key');
  });

  it('are not read for each token that names one that is not known', async () => {
    const one = authenticator({ betweenReadsMs: 60_000 });
    await outcome(one, await issuer.token(admin));
    const stranger = await signingKey('unknown');
    for (let i = 0; i < 20; i += 1) expect(await outcome(one, await issuer.token(admin, {}, stranger))).toBe('key');
    expect(issuer.asked).toHaveLength(2);
  });

  it('that are known go on while the issuer is down; of others it is not known', async () => {
    const one = authenticator({ freshMs: 0 });
    expect(await outcome(one, await issuer.token(admin))).toBe('platform-admin');
    issuer.answers.set(
      keysPath,
      json(() => ({}), 500),
    );
    expect(await outcome(one, await issuer.token(admin))).toBe('platform-admin');
    const stranger = await signingKey('unknown');
    expect(await outcome(one, await issuer.token(admin, {}, stranger))).toBe('ISSUER_UNAVAILABLE');
    expect(await outcome(authenticator(), await issuer.token(admin))).toBe('ISSUER_UNAVAILABLE');
  });

  it('are not used for longer than a while without the issuer', async () => {
    const one = authenticator({ longestUseMs: 0 });
    expect(await outcome(one, await issuer.token(admin))).toBe('ISSUER_UNAVAILABLE');
  });

  const other = 'http://127.0.0.1:1/keys';
  it.each<[string, string, Parameters<Map<string, ReturnType<typeof json>>['set']>[1]]>([
    ['names another issuer', discoveryPath, json(() => ({ issuer: `${issuer.url}/`, jwks_uri: `${issuer.url}/keys` }))],
    [
      'names keys behind plain HTTP',
      discoveryPath,
      json(() => ({ issuer: issuer.url, jwks_uri: 'http://keys.example' })),
    ],
    ['names keys in a file', discoveryPath, json(() => ({ issuer: issuer.url, jwks_uri: 'file:///etc/passwd' }))],
    ['names keys by no URL', discoveryPath, json(() => ({ issuer: issuer.url, jwks_uri: 7 }))],
    ['redirects', discoveryPath, (r) => r.writeHead(302, { location: `${issuer.url}/elsewhere` }).end()],
    ['redirects to its keys', keysPath, (r) => r.writeHead(307, { location: other }).end()],
    ['answers without JSON', keysPath, (r) => r.writeHead(200).end('<html>')],
    ['answers with something else', keysPath, json(() => ({ keys: 'none' }))],
    ['answers without end', keysPath, (r) => r.writeHead(200).end(`{"keys":[${' '.repeat(300 * 1024)}]}`)],
    ['has too many keys', keysPath, json(() => ({ keys: Array.from({ length: 101 }, () => ({ kty: 'RSA' })) }))],
    [
      'has no key that can be used',
      keysPath,
      json(() => ({ keys: [{ kty: 'RSA', kid: 'first', n: 'AQ', e: 'AQAB' }] })),
    ],
  ])('are not had from one that %s', async (_what, path, answer) => {
    issuer.answers.set(path, answer);
    expect(['ISSUER_UNAVAILABLE', 'key']).toContain(await outcome(authenticator(), await issuer.token(admin)));
  });

  it('are not looked for on this machine because an issuer elsewhere says so', async () => {
    const { readKeySet } = await import('../../src/api/access/issuer-documents.ts');
    const elsewhere = 'https://id.example.com';
    const before = globalThis.fetch;
    const asked: string[] = [];
    globalThis.fetch = (url) => {
      asked.push(String(url instanceof Request ? url.url : url));
      return Promise.resolve(Response.json({ issuer: elsewhere, jwks_uri: 'https://127.0.0.1:8443/keys' }));
    };
    try {
      await expect(readKeySet(elsewhere)).rejects.toThrow('on the loopback');
    } finally {
      globalThis.fetch = before;
    }
    expect(asked).toEqual([`${elsewhere}${discoveryPath}`]);
  });
});

describe('the door', () => {
  let api: ApiFixture;
  let door: TestIssuer;
  beforeAll(async () => {
    door = await startIssuer();
    api = await createApiFixture({ authenticators: [oidcAuthenticator(configOf(door), { log, times })] });
  });
  afterAll(async () => {
    await api.close();
    await door.close();
  });
  const ask = (authorization: string | undefined) =>
    api.app.inject({ url: '/api/v1/tenants', headers: authorization === undefined ? {} : { authorization } });

  it.each<[string, (token: string) => string | undefined]>([
    ['missing', () => undefined],
    ['malformed', () => ''],
    ['malformed', () => 'Bearer'],
    ['malformed', () => 'Bearer garbage'],
    ['malformed', () => 'Bearer a.b.c'],
    ['malformed', () => 'Bearer ....'],
    ['malformed', (token) => `Bearer ${token} ${token}`],
    ['malformed', (token) => `Basic ${token}`],
    ['malformed', (token) => `Bearer "${token}"`],
    ['malformed', (token) => `Bearer ${token}.${token}`],
    ['malformed', (token) => `Bearer ${token}${'a'.repeat(8_192)}`],
    ['signature', (token) => `Bearer ${token.slice(0, -8)}AAAAAAAA`],
  ])('answers 401 and leaves a row: %s', async (reason, authorizationOf) => {
    const answer = await ask(authorizationOf(await door.token(admin)));
    expect([answer.statusCode, answer.json<{ error: object }>().error]).toMatchObject([
      401,
      { code: 'UNAUTHENTICATED', details: { reason } },
    ]);
    expect(answer.headers['www-authenticate']).toMatch(
      reason === 'missing' ? /^Bearer realm="tenantry"$/ : /^Bearer realm="tenantry", error="invalid_token", error_d/,
    );
    const { rows } = await api.database.query(
      `select code, reason, principal, address from access_refusals where request_id = $1`,
      [answer.headers['x-request-id']],
    );
    expect(rows).toEqual([{ code: 'UNAUTHENTICATED', reason, principal: null, address: '127.0.0.1' }]);
  });

  it('takes the scheme in any letters, as HTTP has it', async () => {
    expect((await ask(`bEaReR ${await door.token(admin)}`)).statusCode).toBe(200);
  });

  it('keeps the token out of its log and its answers', async () => {
    const tokens = [await door.token(admin), await door.token({ ...admin, exp: inSeconds(-60) })];
    const answers = await Promise.all(tokens.map((token) => ask(`Bearer ${token}`)));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 401]);
    for (const token of tokens) {
      expect(api.logged.join()).not.toContain(token.split('.')[2]);
      for (const answer of answers) expect(answer.body).not.toContain(token.split('.')[2]);
    }
  });

  it('says in its log who asked for what was answered', async () => {
    const answer = await ask(`Bearer ${await door.token(admin)}`);
    const ofRequest = api.logged.filter((line) => line.includes(String(answer.headers['x-request-id'])));
    const last = JSON.parse(ofRequest.at(-1) ?? '{}') as object;
    const principal = `${new URL(door.url).host}|alice`;
    expect(last).toMatchObject({ msg: 'request completed', caller: { principal, role: 'platform-admin' } });
  });

  it('asks before it looks at a path or a body', async () => {
    const answer = await api.app.inject({ method: 'POST', url: '/nowhere', payload: 'not json' });
    expect(answer.statusCode).toBe(401);
  });
});

it('a flood of refusals leaves a bounded number of rows, and says how many it left out', async () => {
  const api = await createApiFixture({ authenticators: [authenticator()] });
  try {
    for (let i = 0; i < 150; i += 1) await api.app.inject('/api/v1/tenants');
    const { rows } = await api.database.query<{ rows: string }>('select count(*) as rows from access_refusals');
    expect(Number(rows[0]?.rows)).toBe(100);
  } finally {
    await api.close();
  }
});
