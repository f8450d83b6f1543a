import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTHeaderParameters } from 'jose';

/** A key pair of an issuer. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function signingKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface TestIssuer {
  /** Its name, and its address. */
  readonly url: string;
  /** Those that it publishes; a test may change them. */
  keys: SigningKey[];
  /** What it answers instead, by path. */
  readonly answers: Map<string, (response: ServerResponse) => void>;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** A token that it signs with its first key. */
  token(
    claims?: Readonly<Record<string, unknown>>,
    header?: Partial<JWTHeaderParameters>,
    key?: SigningKey,
  ): Promise<string>;
  close(): Promise<void>;
}

export const AUDIENCE = 'https://tenantry.example';

/** An identity provider that listens: discovery, keys, and tokens by the hand of the test. */
export async function startIssuer(): Promise<TestIssuer> {
  const answers = new Map<string, (response: ServerResponse) => void>();
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const answer = answers.get(path) ?? own[path];
    if (answer) answer(response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const own: Record<string, (response: ServerResponse) => void> = {
    '/.well-known/openid-configuration': json(() => ({ issuer: url, jwks_uri: `${url}/keys` })),
    '/keys': json(() => ({ keys: issuer.keys.map(({ publicJwk }) => publicJwk) })),
  };
  const issuer: TestIssuer = {
    url,
    keys: [await signingKey('first')],
    answers,
    asked,
    token: (claims = {}, header = {}, key = issuer.keys[0]) => {
      if (!key) throw new Error('the issuer has no key');
      const now = Math.floor(Date.now() / 1_000);
      const defaults = { iss: url, aud: AUDIENCE, sub: 'alice', iat: now, exp: now + 300 };
      const all: Readonly<Record<string, unknown>> = { ...defaults, ...claims };
      const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      return new SignJWT(given).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  return issuer;
}

/** Answers with JSON. */
export function json(content: () => unknown, status = 200): (response: ServerResponse) => void {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content()));
}

export function configOf({ url }: Pick<TestIssuer, 'url'>) {
  return {
    ...{ issuer: url, audience: AUDIENCE, rolesClaim: 'tenantry_roles', tenantsClaim: 'tenantry_tenants' },
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  };
}
