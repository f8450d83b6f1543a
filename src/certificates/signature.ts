import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  flattenedVerify,
  FlattenedSign,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import type { SignedJson } from '../contracts/certificate.ts';
import { isSameJson } from '../contracts/stable-json.ts';

/** Node 20 calls Ed25519 experimental, in a warning of each process. */
const ALGORITHM = 'ES256';
const TYPE = 'tenantry-deletion+json';

export interface SigningKey {
  /** Thumbprint of the public part (RFC 7638). */
  readonly kid: string;
  readonly publicJwk: JWK & { readonly kty: string; readonly kid: string };
  readonly privateJwk: JWK;
}

export async function makeSigningKey(): Promise<SigningKey> {
  const pair = await generateKeyPair(ALGORITHM, { extractable: true });
  const [publicPart, privateJwk] = await Promise.all([exportJWK(pair.publicKey), exportJWK(pair.privateKey)]);
  const kid = await calculateJwkThumbprint(publicPart);
  return {
    kid,
    publicJwk: { ...publicPart, kty: publicPart.kty ?? 'EC', kid, alg: ALGORITHM, use: 'sig' },
    privateJwk,
  };
}

export async function sign(
  content: unknown,
  { kid, privateJwk }: Pick<SigningKey, 'kid' | 'privateJwk'>,
): Promise<SignedJson> {
  const signed = await new FlattenedSign(new TextEncoder().encode(JSON.stringify(content)))
    .setProtectedHeader({ alg: ALGORITHM, kid, typ: TYPE })
    .sign(await importJWK(privateJwk, ALGORITHM));
  return { payload: signed.payload, protected: signed.protected ?? '', signature: signed.signature };
}

/** The content of what was signed, read without a look at the signature. */
export function contentOf({ payload }: Pick<SignedJson, 'payload'>): unknown {
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}

/** Why a certificate is not what one of the keys signed, as a sentence; undefined when it is. */
export async function forgeryIn(
  { certificate, jws }: { readonly certificate: unknown; readonly jws: SignedJson },
  keys: JSONWebKeySet,
): Promise<string | undefined> {
  try {
    const options = { algorithms: [ALGORITHM] };
    const { protectedHeader } = await flattenedVerify(jws, createLocalJWKSet(keys), options);
    if (protectedHeader?.typ !== TYPE) return `what is signed is no certificate, but ${String(protectedHeader?.typ)}`;
  } catch (error) {
    return `the signature does not fit: ${error instanceof Error ? error.message : String(error)}`;
  }
  return isSameJson(certificate, contentOf(jws)) ? undefined : 'its text is not what was signed';
}
