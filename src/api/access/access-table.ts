import type { GivenRole } from '../../contracts/caller.ts';

/** What is checked of the thing that a request is about, for callers that may not reach all tenants. */
export type ObjectCheck =
  /** The tenant that the path names must be one that the caller reaches; another, and one that there is not, are the same 403. */
  | 'its tenant'
  /** The answer holds only tenants that the caller reaches. */
  | 'only its tenants are listed'
  /** What it makes is its own from then on. */
  | 'what it makes is its own'
  /** The webhook must be of a tenant that the caller reaches; another, and one that there is not, are the same 404. */
  | 'its webhook'
  | 'none';

export interface AccessRow {
  /** Method and path, as the route has them. */
  readonly route: string;
  /** Who may; `anybody`: also without credentials. */
  readonly roles: readonly GivenRole[] | 'anybody';
  readonly check: ObjectCheck;
  /** What a role may not do all the same, for people. */
  readonly except?: string;
  /** Also taken: a ticket in the URL, in the place of a credential. */
  readonly takesTicket?: boolean;
}

const admins = ['platform-admin'] as const;
const platform = ['platform-admin', 'platform-operator'] as const;
const tenants = [...platform, 'tenant-admin'] as const;
const requesters = [...platform, 'self-service'] as const;
const makers = [...platform, 'canary', 'self-service'] as const;
const all = [...tenants, 'canary', 'self-service'] as const;
/** Of accounts by their own door; a canary uses that of tenants, as for any product. */
const accounts = [...tenants, 'self-service'] as const;

const row = (route: string, roles: AccessRow['roles'], check: ObjectCheck = 'none', except?: string): AccessRow => ({
  route,
  roles,
  check,
  ...(except !== undefined && { except }),
});

const tenant = '/api/v1/tenants/:tenantId';
const webhook = '/api/v1/webhooks/:webhookId';
/** Of webhooks that tell of more than one tenant. */
const manyTenants = 'webhooks of a product or of all tenants are for platform-admins';

/** Who may call what, by the operation's id. A route that has no row here keeps the API from starting. */
export const accessTable = {
  getHealth: row('GET /healthz', 'anybody'),
  getReadiness: row('GET /readyz', 'anybody'),
  getStart: row('GET /', all),
  getDescription: row('GET /openapi.json', all),
  readDocs: row('GET /docs', all),
  listProducts: row('GET /api/v1/products', all),
  listKeys: row('GET /api/v1/keys', all),
  getMetrics: row('GET /metrics', platform),
  getCaller: row('GET /api/v1/caller', all),

  createTenant: row('POST /api/v1/tenants', makers, 'what it makes is its own'),
  getAvailability: row('GET /api/v1/subdomains/:slug/availability', requesters),
  listTenants: row('GET /api/v1/tenants', all, 'only its tenants are listed'),
  getTenant: row(`GET ${tenant}`, all, 'its tenant'),
  getTenantStatus: row(`GET ${tenant}/status`, all, 'its tenant'),
  listEvents: { ...row(`GET ${tenant}/events`, all, 'its tenant'), takesTicket: true },
  createStreamTicket: row(`POST ${tenant}/events/tickets`, all, 'its tenant'),
  listSettings: row(`GET ${tenant}/settings/history`, all, 'its tenant'),
  listOperations: row(`GET ${tenant}/operations`, all, 'its tenant'),
  getOperation: row(`GET ${tenant}/operations/:operationId`, all, 'its tenant'),
  getCertificate: row(`GET ${tenant}/certificate`, all, 'its tenant'),
  getTenantDrift: row(`GET ${tenant}/drift`, platform, 'its tenant'),

  changeTenant: row(`PATCH ${tenant}`, tenants, 'its tenant', '`refresh` is for platform roles'),
  scaleTenant: row(`POST ${tenant}/scale`, tenants, 'its tenant'),
  suspendTenant: row(`POST ${tenant}/suspend`, tenants, 'its tenant'),
  resumeTenant: row(`POST ${tenant}/resume`, tenants, 'its tenant'),
  migrateTenant: row(`POST ${tenant}/migrate`, platform, 'its tenant'),
  rotateTenant: row(`POST ${tenant}/rotate`, platform, 'its tenant'),
  repairTenant: row(`POST ${tenant}/repair`, platform, 'its tenant'),
  cancelOperation: row(`POST ${tenant}/cancel`, makers, 'its tenant'),
  retryOperation: row(`POST ${tenant}/retry`, requesters, 'its tenant'),
  abandonOperation: row(`POST ${tenant}/abandon`, admins, 'its tenant'),
  deleteTenant: row(`DELETE ${tenant}`, [...admins, 'canary'], 'its tenant'),
  isolateTenant: row(`POST ${tenant}/isolation`, platform, 'its tenant'),
  liftIsolation: row(`DELETE ${tenant}/isolation`, platform, 'its tenant'),

  createAccount: row('POST /accounts', requesters, 'what it makes is its own'),
  listAccounts: row('GET /accounts', accounts, 'only its tenants are listed'),
  getAccount: row('GET /accounts/:accountId', accounts, 'its tenant'),
  getAccountStatus: row('GET /accounts/:accountId/status', accounts, 'its tenant'),
  getAccountCertificate: row('GET /accounts/:accountId/certificate', accounts, 'its tenant'),
  changeAccount: row('PATCH /accounts/:accountId', tenants, 'its tenant'),
  retryAccount: row('POST /accounts/:accountId/retry', requesters, 'its tenant'),
  cancelAccount: row('POST /accounts/:accountId/cancel', requesters, 'its tenant'),
  moveAccount: row('POST /accounts/:accountId/move', platform, 'its tenant'),
  deleteAccount: row('DELETE /accounts/:accountId', admins, 'its tenant'),

  listFreezes: row('GET /api/v1/freezes', platform),
  freeze: row('POST /api/v1/freezes', admins),
  liftFreeze: row('DELETE /api/v1/freezes/:freezeId', admins),

  listAudit: row('GET /api/v1/audit', platform),
  exportAudit: row('GET /api/v1/audit/export', admins),

  createWebhook: row('POST /api/v1/webhooks', tenants, 'its webhook', manyTenants),
  listWebhooks: row('GET /api/v1/webhooks', tenants, 'only its tenants are listed', manyTenants),
  getWebhook: row(`GET ${webhook}`, tenants, 'its webhook', manyTenants),
  changeWebhook: row(`PATCH ${webhook}`, tenants, 'its webhook', manyTenants),
  deleteWebhook: row(`DELETE ${webhook}`, tenants, 'its webhook', manyTenants),
  rotateWebhook: row(`POST ${webhook}/rotate`, tenants, 'its webhook', manyTenants),
  listDeliveries: row(`GET ${webhook}/deliveries`, tenants, 'its webhook', manyTenants),
  replayDelivery: row(`POST ${webhook}/deliveries/:deliveryId/replay`, tenants, 'its webhook', manyTenants),
  replayDeadLetters: row(`POST ${webhook}/replay`, tenants, 'its webhook', manyTenants),

  encodePayloads: row('POST /codec/encode', admins),
  decodePayloads: row('POST /codec/decode', admins),
  /** What a browser asks before it sends credentials. */
  preflight: row('OPTIONS /codec/*', 'anybody'),
} as const satisfies Readonly<Record<string, AccessRow>>;

/** What of a route tells its row. */
export interface RouteName {
  readonly method: string;
  readonly url: string;
  readonly operationId?: string | undefined;
}

/** @returns undefined where the table has none for the route */
export function accessRowOf({ method, url, operationId = hiddenId(method, url) }: RouteName): AccessRow | undefined {
  const found = Object.entries<AccessRow>(accessTable).find(([id]) => id === operationId)?.[1];
  return found && isRoute(found.route, method, url) ? found : undefined;
}

/** Of routes that the description leaves out. */
function hiddenId(method: string, url: string): string | undefined {
  if (method === 'OPTIONS') return 'preflight';
  return url === '/docs' || url.startsWith('/docs/') ? 'readDocs' : undefined;
}

/** HEAD is answered wherever GET is; what lies under `/docs` is part of it. */
function isRoute(route: string, method: string, url: string): boolean {
  const [ofRow = '', path = ''] = route.split(' ');
  if ((method === 'HEAD' ? 'GET' : method) !== ofRow) return false;
  if (path === '/docs') return true;
  return path.endsWith('/*') ? url.startsWith(path.slice(0, -1)) : url === path;
}
