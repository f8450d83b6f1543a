import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { interactionPolicy, type Configuration, type ResourceServer } from 'oidc-provider';
import { startOnFreePort } from '../parts/ports.ts';
import { memoryAdapters } from './memory-adapter.ts';
import { answerInteraction, page } from './pages.ts';
import { isUser } from './users.ts';

/** What tokens of the sandbox are made for. */
export const AUDIENCE = 'urn:tenantry:sandbox';
/** The public client that the command line signs in with. */
export const CLIENT_ID = 'tenantry-cli';
const ACCESS_SECONDS = 3_600;

/** A real issuer of OpenID Connect on the loopback, with a user per role and keys that end with it. */
export interface Issuer {
  readonly url: string;
  /** Which tenants the user `tenant-admin` reaches, by the tokens made from then on. */
  readonly setTenants: (ids: readonly string[]) => void;
  readonly close: () => Promise<void>;
}

/** @param options.accessSeconds how long an access token works; default an hour */
export function startIssuer({
  accessSeconds = ACCESS_SECONDS,
}: { readonly accessSeconds?: number } = {}): Promise<Issuer> {
  return startOnFreePort(undefined, async (port) => {
    const url = `http://127.0.0.1:${port}`;
    const reached: { tenants: readonly string[] } = { tenants: [] };
    const provider = new Provider(url, await configuration(accessSeconds, () => reached.tenants));
    const answer = provider.callback();
    const server = createServer((request, response) => {
      const isInteraction = request.url?.startsWith('/interaction/') === true;
      void (isInteraction ? answerInteraction(provider, request, response) : answer(request, response)).catch(
        (error: unknown) =>
          response.writeHead(400).end(page(`<p>${error instanceof Error ? error.name : 'failed'}</p>`)),
      );
    });
    server.listen({ host: '127.0.0.1', port });
    await once(server, 'listening');
    return {
      url,
      setTenants: (ids) => (reached.tenants = ids),
      close: async () => {
        server.close();
        server.closeAllConnections();
        if (server.listening) await once(server, 'close');
      },
    };
  });
}

async function configuration(accessSeconds: number, tenants: () => readonly string[]): Promise<Configuration> {
  const api: ResourceServer = {
    scope: '',
    audience: AUDIENCE,
    accessTokenFormat: 'jwt',
    accessTokenTTL: accessSeconds,
    jwt: { sign: { alg: 'ES256' } },
  };
  return {
    adapter: memoryAdapters(),
    jwks: { keys: [await signingKey()] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clients: [
      {
        client_id: CLIENT_ID,
        client_name: 'Tenantry command line',
        token_endpoint_auth_method: 'none',
        id_token_signed_response_alg: 'ES256',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        response_types: [],
        redirect_uris: [],
      },
    ],
    scopes: ['openid', 'offline_access'],
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true, ...devicePages },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => api,
      },
    },
    interactions: { policy: loginAlone(), url: (_ctx, { uid }) => `/interaction/${uid}` },
    ttl: {
      AccessToken: accessSeconds,
      DeviceCode: 600,
      Grant: 86_400,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 60,
    },
    findAccount: (_ctx, sub) => (isUser(sub) ? { accountId: sub, claims: () => ({ sub }) } : undefined),
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    loadExistingGrant: async ({ oidc }) => {
      const { provider, client, session } = oidc;
      const grant = new provider.Grant({ clientId: client?.clientId, accountId: session?.accountId });
      grant.addOIDCScope('openid offline_access');
      grant.addResourceScope(AUDIENCE, '');
      await grant.save();
      return grant;
    },
    extraTokenClaims: (_ctx, token) => {
      const user = 'accountId' in token ? token.accountId : '';
      return { tenantry_roles: [user], ...(user === 'tenant-admin' && { tenantry_tenants: tenants() }) };
    },
  };
}

/** The command line is the sandbox's own: whoever signs in is not asked whether it may act for them. */
function loginAlone(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.remove('consent');
  return policy;
}

const devicePages: Pick<
  NonNullable<NonNullable<Configuration['features']>['deviceFlow']>,
  'userCodeInputSource' | 'userCodeConfirmSource' | 'successSource'
> = {
  userCodeInputSource: (ctx, form) => {
    ctx.body = page(
      `<p>The code that the command line shows:</p>${form}<button form="op.deviceInputForm">Continue</button>`,
    );
  },
  userCodeConfirmSource: (ctx, form, _client, _device, code) => {
    ctx.body = page(
      `<p>Does the command line show <b>${code}</b>?</p>${form}<button form="op.deviceConfirmForm">Yes</button> ` +
        '<button form="op.deviceConfirmForm" name="abort" value="yes">No</button>',
    );
  },
  successSource: (ctx) => {
    ctx.body = page('<p>You are signed in. The command line goes on; this page can be closed.</p>');
  },
};

async function signingKey() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: randomBytes(8).toString('hex') };
}
