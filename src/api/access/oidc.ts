import type { FastifyBaseLogger } from 'fastify';
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTHeaderParameters,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { RequestError } from '../../client/request-error.ts';
import type { OidcConfig } from '../../access-config.ts';
import type { Authenticator } from './authenticator.ts';
import { issuerKeys, type IssuerTimes } from './issuer-keys.ts';
import { unauthenticated, type RefusalReason } from './refusals.ts';
import { identityOfClaims } from './token-claims.ts';

/** How far the clocks of issuer and API may differ, in seconds. */
export const SKEW_SECONDS = 30;

/** Takes the access tokens of one issuer: signed JWT (RFC 9068), made for this API. */
export function oidcAuthenticator(
  config: OidcConfig,
  { log, times }: { readonly log: Pick<FastifyBaseLogger, 'warn'>; readonly times?: IssuerTimes | undefined },
): Authenticator {
  const keys = issuerKeys(config.issuer, log, times);
  const claimsOf = async (token: string): Promise<JWTPayload> => {
    // A token of another issuer is no reason to look for new keys of this one.
    if (issuerIn(token) !== config.issuer)
      throw unauthenticated('issuer', 'the token is not of the issuer whose tokens this API takes');
    const known = await keys.known();
    const verified = await verify(token, known, config);
    if (verified !== 'no-key') return verified;
    const newer = await keys.anew(known);
    const again = newer && (await verify(token, newer, config));
    if (again === undefined || again === 'no-key')
      throw unauthenticated('key', 'the issuer publishes no key of the name and type that the token has');
    return again;
  };
  /** Whether the issuer still publishes the key that signed a token. */
  const refuseWithdrawn = async (signedBy: JWTHeaderParameters): Promise<void> => {
    const known = await keys.known();
    if (await holds(known, signedBy)) return;
    const newer = await keys.anew(known);
    if (!newer || !(await holds(newer, signedBy)))
      throw unauthenticated('key', 'the issuer does not publish the key any more that signed the token');
  };
  return {
    takes: (token) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token),
    authenticate: async (token) => identityOfClaims(await claimsOf(token), config),
    traces: {
      kind: 'token',
      of: (token) => {
        const { alg = '', kid } = decodeProtectedHeader(token);
        return { kind: 'token', alg, ...(typeof kid === 'string' && { kid }) };
      },
      again: async (trace, before) => {
        if (trace.kind !== 'token') throw unauthenticated('unknown', 'that is no token');
        const { expiresAt } = before;
        if (expiresAt && expiresAt.getTime() + SKEW_SECONDS * 1_000 <= Date.now())
          throw unauthenticated('expired', 'the token has expired');
        const { alg, kid } = trace;
        await refuseWithdrawn({ alg, ...(kid !== undefined && { kid }) });
        return before;
      },
    },
  };
}

async function holds(keys: JWTVerifyGetKey, header: JWTHeaderParameters): Promise<boolean> {
  try {
    await keys(header, { payload: '', signature: '' });
    return true;
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return true;
    if (error instanceof errors.JWKSNoMatchingKey) return false;
    throw refusalOf(error);
  }
}

/** As the token says, which nothing vouches for yet. */
function issuerIn(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch (cause) {
    throw unauthenticated('malformed', 'the token is not a signed JWT', cause);
  }
}

async function verify(token: string, keys: JWTVerifyGetKey, config: OidcConfig): Promise<JWTPayload | 'no-key'> {
  try {
    return await payloadOf(token, keys, config);
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'no-key';
    if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithAny(token, error, config);
    throw refusalOf(error);
  }
}

/** The token names no key, and several are of its type. */
async function verifyWithAny(
  token: string,
  candidates: errors.JWKSMultipleMatchingKeys,
  config: OidcConfig,
): Promise<JWTPayload | 'no-key'> {
  for await (const key of candidates) {
    try {
      return await payloadOf(token, () => key, config);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw refusalOf(error);
    }
  }
  return 'no-key';
}

async function payloadOf(token: string, keys: JWTVerifyGetKey, config: OidcConfig): Promise<JWTPayload> {
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    issuer: config.issuer,
    audience: config.audience,
    algorithms: [...config.algorithms],
    clockTolerance: SKEW_SECONDS,
    requiredClaims: ['exp', 'sub'],
  });
  const { iat } = payload;
  if (iat !== undefined && iat > Date.now() / 1_000 + SKEW_SECONDS)
    throw unauthenticated('not-yet-valid', 'the token was issued in the future: compare the clocks');
  refuseOtherUse(payload, protectedHeader.typ);
  return payload;
}

/** RFC 8725, section 3.11; RFC 9449 and RFC 8705 bind a token to a key that this API does not ask for. */
/** The header is what its sender made it: `jose` does not look at the type of `typ`. */
function refuseOtherUse({ cnf }: JWTPayload, typ: unknown): void {
  if (typ !== undefined && !(typeof typ === 'string' && /^(application\/)?(at\+)?jwt$/i.test(typ)))
    throw unauthenticated('malformed', 'the type of the token (typ) is not that of an access token');
  if (cnf !== undefined)
    throw unauthenticated('claims', 'the token is bound to a key (cnf): this API takes bearer tokens only');
}

function refusalOf(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof errors.JWTExpired) return unauthenticated('expired', 'the token has expired', error);
  if (error instanceof errors.JWTClaimValidationFailed) return claimRefusal(error);
  const [reason, message] = refusals.find(([type]) => error instanceof type)?.[1] ?? unusableKey;
  return unauthenticated(reason, message, error);
}

const refusals: readonly (readonly [abstract new (...given: never[]) => Error, readonly [RefusalReason, string]])[] = [
  [errors.JOSEAlgNotAllowed, ['algorithm', 'the token is not signed with an algorithm that this API takes']],
  [errors.JWSSignatureVerificationFailed, ['signature', 'the signature of the token is wrong']],
  [errors.JWSInvalid, ['malformed', 'the token is not a signed JWT']],
  [errors.JWTInvalid, ['malformed', 'the claims of the token are not a JSON object']],
  [errors.JOSENotSupported, ['malformed', 'the token has a critical header that this API does not know']],
];
const unusableKey = ['key', "the token cannot be verified with the issuer's key of that name"] as const;

function claimRefusal(error: errors.JWTClaimValidationFailed): RequestError {
  const { claim, reason } = error;
  if (claim === 'aud') return unauthenticated('audience', 'the token was not made for this API', error);
  if (claim === 'iss') return unauthenticated('issuer', 'the token is of another issuer', error);
  if (claim === 'nbf' && reason === 'check_failed')
    return unauthenticated('not-yet-valid', 'the token is not valid yet: compare the clocks', error);
  const problem = reason === 'missing' ? 'is missing' : 'is not what it must be';
  return unauthenticated('claims', `the claim ${claim} of the token ${problem}`, error);
}
