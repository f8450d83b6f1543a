// openid-client: the OpenID Foundation's certified client, typed and kept by the author of jose; RFC 8628, 7009 and 8414 are its business.
import * as oidc from 'openid-client';
import { isPrivateWay } from '../access-config.ts';
import type { SignInConfig } from '../sign-in-config.ts';
import { ApiUnreachableError } from './api-client.ts';
import type { Session } from './session-file.ts';

/** In seconds: two requests of a refresh stay below the time after which its lock counts as left behind. */
const TIMEOUT_SECONDS = 15;

/** The identity provider does not sign the caller in, or not any more. */
export class SignInError extends Error {
  override readonly name = 'SignInError';
}

/** The identity provider gives no answer, or none that can be used. */
export class IssuerUnreachableError extends ApiUnreachableError {
  override readonly name = 'IssuerUnreachableError';
}

/** What a person has to do to sign in. */
export interface SignInPrompt {
  /** Where to; with the code in it, when the issuer takes it so. */
  readonly url: string;
  /** What is shown there. */
  readonly code: string;
  readonly validSeconds: number;
}

/** Whom an issuer signed in, and what for. */
export type SignedIn = Omit<Session, 'apiUrl'> & { readonly subject: string | undefined };

/** Signs in by device flow: resolves once the person has confirmed. @throws SignInError, IssuerUnreachableError */
export async function signIn(config: SignInConfig, onPrompt: (prompt: SignInPrompt) => void): Promise<SignedIn> {
  const { issuer, clientId, audience, scope } = config;
  return toldOf(issuer, async () => {
    const client = await clientOf(config);
    if (client.serverMetadata().device_authorization_endpoint === undefined)
      throw new SignInError(`the issuer ${issuer} offers no device flow (RFC 8628)`);
    const begun = await oidc.initiateDeviceAuthorization(client, { scope, ...audienceOf(audience) });
    onPrompt({
      url: begun.verification_uri_complete ?? begun.verification_uri,
      code: begun.user_code,
      validSeconds: begun.expires_in,
    });
    const tokens = await oidc.pollDeviceAuthorizationGrant(client, begun, audienceOf(audience));
    const kept = { issuer, clientId, ...(audience !== undefined && { audience }) };
    return { ...kept, ...partsOf(tokens, issuer), subject: tokens.claims()?.sub };
  });
}

/** The sign-in with a new token. @throws SignInError when the issuer has ended it, IssuerUnreachableError */
export async function refreshed(session: Session): Promise<Session> {
  const { issuer, refreshToken, audience } = session;
  if (refreshToken === undefined) throw new SignInError(`the sign-in at ${issuer} has ended`);
  return toldOf(issuer, async () => {
    const tokens = await oidc.refreshTokenGrant(await clientOf(session), refreshToken, audienceOf(audience));
    // Without a new one the old one goes on.
    return { ...session, ...partsOf(tokens, issuer) };
  });
}

/** Has the issuer end a sign-in. @returns false when it offers no way to @throws SignInError, IssuerUnreachableError */
export async function revoked(session: Session): Promise<boolean> {
  return toldOf(session.issuer, async () => {
    const client = await clientOf(session);
    if (client.serverMetadata().revocation_endpoint === undefined) return false;
    await oidc.tokenRevocation(client, session.refreshToken ?? session.accessToken);
    return true;
  });
}

function clientOf({ issuer, clientId }: Pick<Session, 'issuer' | 'clientId'>): Promise<oidc.Configuration> {
  const url = new URL(issuer);
  const isPlain = url.protocol === 'http:' && isPrivateWay(url);
  return oidc.discovery(url, clientId, undefined, oidc.None(), {
    timeout: TIMEOUT_SECONDS,
    // Marked as deprecated to stand out: on this machine nobody is on the way.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    execute: isPlain ? [oidc.allowInsecureRequests] : [],
  });
}

/** RFC 8707 has `resource`, which must be a URI; several issuers have `audience`. */
function audienceOf(audience: string | undefined): Record<string, string> {
  if (audience === undefined) return {};
  return URL.canParse(audience) ? { audience, resource: audience } : { audience };
}

function partsOf(tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers, issuer: string) {
  const { access_token: accessToken, refresh_token: refreshToken } = tokens;
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(accessToken))
    throw new SignInError(
      `${issuer} gave a token that is no signed JWT, which the API does not take: is TENANTRY_OIDC_AUDIENCE that of the API?`,
    );
  const expiresAt = new Date(Date.now() + (tokens.expiresIn() ?? 300) * 1_000).toISOString();
  return { accessToken, expiresAt, ...(refreshToken !== undefined && { refreshToken }) };
}

/** What the library throws says nothing secret, but its causes may. */
async function toldOf<T>(issuer: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (error instanceof SignInError) throw error;
    if (error instanceof oidc.ResponseBodyError) throw new SignInError(refusalText(issuer, error));
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error);
    throw new IssuerUnreachableError(`no usable answer from the issuer ${issuer}: ${reason}`);
  }
}

function refusalText(issuer: string, { error, error_description: why }: oidc.ResponseBodyError): string {
  const known: Readonly<Record<string, string>> = {
    access_denied: 'the sign-in was refused',
    expired_token: 'the code was not confirmed in time',
    invalid_grant: `the sign-in at ${issuer} has ended`,
  };
  return known[error] ?? `the issuer ${issuer} refuses: ${error}${why === undefined ? '' : `: ${why}`}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
