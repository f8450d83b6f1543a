import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { isIssuerUrl } from './access-config.ts';

/** How a person signs in from the command line. */
export interface SignInConfig {
  readonly issuer: string;
  readonly clientId: string;
  /** What the access token is to be for; undefined: the issuer knows by the client. */
  readonly audience: string | undefined;
  readonly scope: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A credential as it stands in a header: RFC 6750, section 2.1. */
export const bearerToken = z.string().regex(/^[\w\-.~+/]+=*$/);

const variables = z.object({
  TENANTRY_OIDC_ISSUER: z
    .string({ error: 'is not set: give the URL of the identity provider' })
    .refine(isIssuerUrl, 'must be an https:// URL (http:// on this machine only) without user name, query or fragment'),
  TENANTRY_OIDC_CLIENT_ID: z
    .string({ error: 'is not set: give the id of the client that the identity provider knows the command line by' })
    .max(500),
  TENANTRY_OIDC_AUDIENCE: z.string().max(500).optional(),
  // A refresh token comes with offline_access: else the sign-in ends with its first token.
  TENANTRY_OIDC_SCOPE: z.string().max(1_000).default('openid offline_access'),
});

/** @returns what is wrong, a line each, when it cannot be used */
export function signInConfigOf(env: Environment): SignInConfig | readonly string[] {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const { data, error } = variables.safeParse(given);
  if (!data) return error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  return {
    issuer: data.TENANTRY_OIDC_ISSUER,
    clientId: data.TENANTRY_OIDC_CLIENT_ID,
    audience: data.TENANTRY_OIDC_AUDIENCE,
    scope: data.TENANTRY_OIDC_SCOPE,
  };
}

/** `TENANTRY_API_TOKEN`; undefined when it is not set. The problem does not show it. */
export function apiTokenOf({
  TENANTRY_API_TOKEN: token,
}: Environment): { token: string } | { problem: string } | undefined {
  if (token === undefined || token === '') return undefined;
  if (bearerToken.safeParse(token).success) return { token };
  return { problem: 'TENANTRY_API_TOKEN has characters that no token has: is there a space or a line break in it?' };
}

/** Where sign-ins are kept (XDG Base Directory Specification); undefined: the user has no home. */
export function stateDirectoryOf({ XDG_STATE_HOME: given = '' }: Environment): string | undefined {
  // The specification ignores a relative one.
  if (isAbsolute(given)) return join(given, 'tenantry');
  try {
    return join(homedir(), '.local', 'state', 'tenantry');
  } catch {
    return undefined;
  }
}
