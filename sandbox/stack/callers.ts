import type { Credential } from '../../src/cli/credentials.ts';
import type { UserToken } from '../issuer/tokens.ts';
import { users, type User } from '../issuer/users.ts';
import type { Parts } from './parts.ts';
import { tokenFile } from './token-files.ts';

/** A token is got anew when less than this is left of it, in ms. */
const SPARE_MS = 60_000;

/** Who may call the sandbox's API, once it asks. */
export interface Callers {
  /** Settings of the API and of `tenantry login`. */
  readonly env: Readonly<Record<string, string>>;
  /** What the sandbox itself calls with: the administrator's token. */
  readonly credentials: () => Promise<Credential>;
  /** Tokens of every role, the tenant-admin's for these tenants. */
  readonly tokens: (tenantIds: readonly string[]) => Promise<readonly (readonly [User, string])[]>;
  readonly stop: () => Promise<void>;
}

/** Starts the issuer whose tokens the API is to take, beside service keys. */
export async function startCallers(): Promise<Callers> {
  // Its library warns of runtimes as soon as it is imported: whoever does not want to be asked need not read that.
  const [{ AUDIENCE, CLIENT_ID, startIssuer }, { tokenOf }] = await Promise.all([
    import('../issuer/issuer.ts'),
    import('../issuer/tokens.ts'),
  ]);
  const issuer = await startIssuer();
  let last: UserToken | undefined;
  return {
    env: {
      TENANTRY_OIDC_ISSUER: issuer.url,
      TENANTRY_OIDC_AUDIENCE: AUDIENCE,
      TENANTRY_OIDC_CLIENT_ID: CLIENT_ID,
      TENANTRY_SERVICE_KEYS: 'true',
    },
    credentials: async () => {
      if (!last || last.expiresAtMs - Date.now() < SPARE_MS) last = await tokenOf(issuer, 'platform-admin');
      return { token: last.token, from: 'sign-in' };
    },
    tokens: (tenantIds) => {
      issuer.setTenants(tenantIds);
      return Promise.all(users.map(async (user) => [user, (await tokenOf(issuer, user)).token] as const));
    },
    stop: issuer.close,
  };
}

/** The parts with an API that asks who calls. */
export function withCallers(parts: Parts, { env, credentials }: Callers): Parts {
  return { ...parts, env: { ...parts.env, ...env }, embedded: [...parts.embedded, 'identity provider'], credentials };
}

/** Whoever is told that the API asks must be able to rely on it. @throws Error when it takes a request that names nobody */
export async function assertAsks(apiUrl: string): Promise<void> {
  const { status } = await fetch(`${apiUrl}/api/v1/products`, { signal: AbortSignal.timeout(10_000) });
  if (status !== 401)
    throw new Error(`the API does not ask who calls: it answers ${status} to a request without a token`);
}

/** Ready-made tokens, and how to call with them. */
export function callersText(
  tokens: readonly (readonly [User, string])[],
  apiUrl: string,
  { envFile, directory }: { readonly envFile: string; readonly directory: string },
): string {
  const admin = tokenFile(directory, 'platform-admin');
  const lines = tokens.map(([user, token]) => `  ${user}\n    ${token}`);
  return `
  The API asks who calls. Tokens for an hour, one per role, which are in files beside ${envFile}, too:
${lines.join('\n')}

  call         curl -H "Authorization: Bearer $(cat ${admin})" ${apiUrl}/api/v1/tenants
  sign in      set -a; . ${envFile}; set +a; npx tenantry login
  service key  npx tenantry keys create NAME --role platform-operator: the API takes it as a token`;
}
