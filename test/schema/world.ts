import { oidcAuthenticator } from '../../src/api/access/oidc.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { GivenRole } from '../../src/contracts/caller.ts';
import { AUDIENCE, configOf, startIssuer, type TestIssuer } from '../api/issuer.ts';
import { acme, createApiFixture, type ApiFixture } from '../api/api-fixture.ts';
import { accountsInExample, examplePlatform } from '../support/platform.ts';
import { startTurns } from './turns.ts';

/** An API that listens, asks who calls, and has something to tell of. */
export interface SchemaWorld {
  readonly url: string;
  /** A token of the caller whose requests are tried. */
  readonly token: string;
  /** Ids of tenants that it reaches, in several states. */
  readonly tenants: readonly string[];
  readonly webhooks: readonly string[];
  readonly accounts: readonly string[];
  close(): Promise<void>;
}

/** Told with every answer, and never reached. */
const wide = { requests: 1_000_000, windowMs: 60_000 };
/** A token outlives the run. */
const TOKEN_SECONDS = 3_600;

/** @param catalog what is installed; the products with doors of their own are served too where it has them */
export async function startSchemaWorld({ catalog, role }: { catalog: Catalog; role: GivenRole }): Promise<SchemaWorld> {
  const issuer = await startIssuer();
  const api = await createApiFixture({
    platform: examplePlatform({ ...accountsInExample, products: Object.keys(catalog.products) }),
    catalog,
    door: { limits: { reads: wide, changes: wide, tenantReads: wide, tenantChanges: wide, refused: wide } },
    authenticators: [oidcAuthenticator(configOf(issuer), { log: { warn: () => undefined } })],
  });
  const turns = startTurns(api);
  const { url } = await api.listen();
  const admin = await tokenOf(issuer, 'platform-admin');
  const made = await fill({ url, admin, api, hasAccounts: catalog.products['accounts'] !== undefined });
  return {
    url,
    token: role === 'platform-admin' ? admin : await tokenOf(issuer, role, made.tenants),
    ...made,
    close: async () => {
      await turns.stop();
      await api.close();
      await issuer.close();
    },
  };
}

function tokenOf(issuer: TestIssuer, role: GivenRole, tenants: readonly string[] = []): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + TOKEN_SECONDS;
  return issuer.token({ sub: `the-${role}`, aud: AUDIENCE, tenantry_roles: [role], tenantry_tenants: tenants, exp });
}

interface Filling {
  readonly url: string;
  readonly admin: string;
  readonly api: ApiFixture;
  readonly hasAccounts: boolean;
}

async function fill({ url, admin, hasAccounts }: Filling) {
  const post = async (path: string, body: object): Promise<Record<string, string>> => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as Record<string, string>;
  };
  const tenants: string[] = [];
  for (const n of [1, 2, 3, 4])
    tenants.push((await post('/api/v1/tenants', { ...acme, slug: `seed-${n}` }))['tenantId'] ?? '');
  const webhooks = [
    (await post('/api/v1/webhooks', { url: 'https://hooks.example.com/', tenantId: tenants[0] }))['webhookId'] ?? '',
  ];
  const accounts: string[] = [];
  if (hasAccounts)
    accounts.push(
      (
        await post('/accounts?wait=false', {
          ...{ name: 'Seed', masterAccountName: 'seed', cloudType: 'public' },
          technicalUser: { name: 'Ada Lovelace', email: 'ada@acme.example' },
        })
      )['id'] ?? '',
    );
  return { tenants, webhooks, accounts };
}
