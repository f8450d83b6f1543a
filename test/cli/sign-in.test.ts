import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { confirmAs } from '../../sandbox/issuer/browser.ts';
import { AUDIENCE, CLIENT_ID, startIssuer, type Issuer } from '../../sandbox/issuer/issuer.ts';
import { sessionToken } from '../../src/cli/session.ts';
import { readSession, sessionFile, writeSession, type Session } from '../../src/cli/session-file.ts';
import { refreshed } from '../../src/cli/sign-in.ts';

/* Signing in and out of the command line, at the sandbox's issuer. */

const bin = fileURLToPath(new URL('../../bin/tenantry.js', import.meta.url));
const apiUrl = 'http://127.0.0.1:3006';
const home = mkdtempSync(join(tmpdir(), 'tenantry-sign-in-'));
const place = { directory: join(home, 'tenantry'), apiUrl };
let issuer: Issuer;
let first: Session;

beforeAll(async () => {
  // Shorter than what a command wants to have left of a token: each asks for a new one.
  issuer = await startIssuer({ accessSeconds: 20 });
  const signedIn = await run('login');
  expect(signedIn).toMatchObject({ code: 0, out: `signed in as platform-operator at ${issuer.url}, for ${apiUrl}\n` });
  first = kept();
});
afterAll(async () => {
  await issuer.close();
  rmSync(home, { recursive: true });
});

/** `tenantry ...`; the code that it shows is confirmed as by a person in a browser. */
async function run(...args: string[]) {
  return running(args, (url) => confirmAs('platform-operator', url));
}

async function running(
  args: readonly string[],
  onPrompt: (url: string, child: ChildProcess) => Promise<void> | undefined,
) {
  const env = {
    ...process.env,
    XDG_STATE_HOME: home,
    TENANTRY_API_URL: apiUrl,
    TENANTRY_OIDC_ISSUER: issuer.url,
    TENANTRY_OIDC_CLIENT_ID: CLIENT_ID,
    TENANTRY_OIDC_AUDIENCE: AUDIENCE,
  };
  const child = spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  let prompted = false;
  let confirmed: Promise<void> | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    const url = /^Open (\S+)\n/m.exec(err)?.[1];
    if (url === undefined || prompted) return;
    prompted = true;
    confirmed = onPrompt(url, child);
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  await confirmed;
  return { code, out, err };
}

function kept(): Session {
  const found = readSession(place);
  if (!found) throw new Error('nothing is kept');
  return found;
}

async function claimsOf(token: string) {
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(`${issuer.url}/jwks`)), {
    issuer: issuer.url,
    audience: AUDIENCE,
  });
  return payload;
}

describe('a sign-in', () => {
  it('is kept for its user alone, with a token that the issuer signed for the API', async () => {
    const file = sessionFile(place);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'tenantry', 'sessions')).mode & 0o777).toBe(0o700);
    expect(readFileSync(file, 'utf8')).toContain(first.accessToken);
    expect(await claimsOf(first.accessToken)).toMatchObject({
      sub: 'platform-operator',
      tenantry_roles: ['platform-operator'],
    });
  });

  it('is for its API alone', async () => {
    const elsewhere = { ...place, apiUrl: 'http://127.0.0.1:3007' };
    expect(await sessionToken(elsewhere)).toBeUndefined();
  });

  it('gets a new token when it ends, one command after the other, however many ask at once', async () => {
    const tokens = await Promise.all([1, 2, 3].map(() => sessionToken(place)));
    // The issuer takes each refresh token once: the sign-in still goes on.
    expect(await sessionToken(place)).not.toBe(first.accessToken);
    for (const token of tokens) expect(await claimsOf(token ?? '')).toMatchObject({ sub: 'platform-operator' });
    await expect(refreshed(first)).rejects.toThrow('has ended');
  });

  it('that another user could read is refused', async () => {
    chmodSync(sessionFile(place), 0o640);
    await expect(sessionToken(place)).rejects.toThrow('can be read or changed by other users');
    chmodSync(sessionFile(place), 0o600);
  });
});

it('Ctrl-C leaves a sign-in with a word, and what is kept as it was', async () => {
  const before = kept();
  const left = await running(['login'], (_url, child) => {
    child.kill('SIGINT');
    return undefined;
  });
  expect(left).toMatchObject({ code: 130, out: '' });
  expect(left.err).toMatch(/\nthe sign-in was left: nothing of it is kept\n$/);
  expect(kept()).toEqual(before);
});

describe('tenantry logout', () => {
  it('ends the sign-in at the issuer and removes it', async () => {
    // The issuer ended it in the test before, because its first refresh token came twice.
    const again = await run('login');
    expect(again.code).toBe(0);
    const session = kept();
    expect(await run('logout')).toMatchObject({ code: 0, out: `signed out of ${apiUrl}\n` });
    expect(readSession(place)).toBeUndefined();
    await expect(refreshed(session)).rejects.toThrow('has ended');
    expect(await run('logout')).toMatchObject({ code: 0, out: `nobody is signed in for ${apiUrl}\n` });
  });

  it('removes it also when the issuer cannot be asked, and says that it goes on there', async () => {
    const gone = await startIssuer();
    await gone.close();
    writeSession(place, { ...first, issuer: gone.url });
    const ended = await run('logout');
    expect(ended).toMatchObject({ code: 1, out: '' });
    expect(ended.err).toContain(`not ended at the identity provider: no usable answer from the issuer ${gone.url}`);
    expect(readSession(place)).toBeUndefined();
  });
});
