import {
  acceptedOrTenant,
  answers,
  type Accepted,
  type Availability,
  type CallerIdentity,
  type Freeze,
  type FreezePreview,
  type Isolated,
  type IsolationPreview,
  type SettingsHistory,
  type Tenant,
  type Preview,
  type SparseTenantPage,
  type TenantPage,
  type Status,
  type TenantDrift,
  type Operation,
  type ProductList,
  type CertificateDocument,
  type Keys,
  type TenantEvent,
} from './api-answers.ts';
import { callerOn, queryOf } from './api-exchange.ts';
import type {
  CreateRequest,
  ChangeRequest,
  HistoryRequest,
  ScaleRequest,
  ListRequest,
  ModeVerb,
  ModeRequest,
  MigrateRequest,
  FreezeRequest,
  RepairRequest,
  DeleteOptions,
} from './api-requests.ts';
import { streamOf, type StreamSigns } from './api-stream.ts';
import type { CredentialSource } from './credentials.ts';

export { certificateDocument } from './api-answers.ts';
export type * from './api-answers.ts';
export { ApiError, ApiUnreachableError, UnclearAnswerError } from './api-errors.ts';
export { callerOn, queryOf } from './api-exchange.ts';
export type * from './api-requests.ts';
export type { StreamSigns } from './api-stream.ts';

/** The HTTP API, typed; every answer is checked. */
export interface ApiClient {
  /** Whom the client's own credential stands for. */
  caller(): Promise<CallerIdentity>;
  products(): Promise<ProductList>;
  /** @param product default: any */
  availability(slug: string, product?: string): Promise<Availability>;
  freeze(request: FreezeRequest): Promise<Freeze>;
  freezes(): Promise<Freeze[]>;
  lift(freezeId: string): Promise<Freeze>;
  previewFreeze(request: FreezeRequest): Promise<FreezePreview>;
  previewLift(freezeId: string): Promise<FreezePreview>;
  /** @param key under which it is made once, when the caller may send it again */
  create(request: CreateRequest, key?: string): Promise<Accepted>;
  previewCreation(request: CreateRequest): Promise<Preview>;
  previewDeletion(tenantId: string, options?: DeleteOptions): Promise<Preview>;
  list(request: ListRequest): Promise<TenantPage>;
  /** With these fields alone, with commas between, and the ids. */
  listSparsely(request: ListRequest, fields: string): Promise<SparseTenantPage>;
  get(tenantId: string): Promise<Tenant>;
  /** With the tag of what is chosen for it; null: an API of an earlier release gives none. */
  getTagged(tenantId: string): Promise<{ readonly tenant: Tenant; readonly tag: string | null }>;
  status(tenantId: string): Promise<Status>;
  /** As the last look saw it. */
  drift(tenantId: string): Promise<TenantDrift>;
  /** Newest first. */
  operations(tenantId: string): Promise<Operation[]>;
  operation(tenantId: string, operationId: string): Promise<Operation>;
  settingsHistory(tenantId: string, page: HistoryRequest): Promise<SettingsHistory>;
  /** @param ifMatch the header; undefined: whatever it is at */
  change(tenantId: string, request: ChangeRequest, ifMatch?: string): Promise<Accepted | Tenant>;
  scale(tenantId: string, request: ScaleRequest): Promise<Accepted | Tenant>;
  previewChange(tenantId: string, request: ChangeRequest, ifMatch?: string): Promise<Preview>;
  previewScaling(tenantId: string, request: ScaleRequest): Promise<Preview>;
  changeMode(tenantId: string, verb: ModeVerb, request: ModeRequest): Promise<Accepted | Tenant>;
  previewMode(tenantId: string, verb: ModeVerb, request: ModeRequest): Promise<Preview>;
  migrate(tenantId: string, request: MigrateRequest): Promise<Accepted | Tenant>;
  previewMigration(tenantId: string, request: MigrateRequest): Promise<Preview>;
  isolate(tenantId: string, reason: string): Promise<Isolated>;
  liftIsolation(tenantId: string): Promise<Isolated>;
  previewIsolation(tenantId: string, reason: string): Promise<IsolationPreview>;
  previewLifting(tenantId: string): Promise<IsolationPreview>;
  repair(tenantId: string, request: RepairRequest): Promise<Accepted>;
  previewRepair(tenantId: string): Promise<Preview>;
  previewControl(tenantId: string, verb: 'retry' | 'cancel'): Promise<Preview>;
  previewAbandonment(tenantId: string, reason: string, by?: string): Promise<Preview>;
  retry(tenantId: string): Promise<Accepted>;
  cancel(tenantId: string): Promise<Accepted>;
  /** @param by who asks, for the audit trail */
  abandon(tenantId: string, reason: string, by?: string): Promise<Operation>;
  /** @param confirm the tenant's slug, repeated */
  delete(tenantId: string, confirm: string | undefined, options?: DeleteOptions): Promise<Accepted | Tenant>;
  certificate(tenantId: string): Promise<CertificateDocument>;
  keys(): Promise<Keys>;
  events(tenantId: string, page: { after: number; limit: number }): Promise<TenantEvent[]>;
  /** Live events after an id; ends when the connection does. */
  stream(tenantId: string, after: number, signal: AbortSignal, on?: StreamSigns): AsyncGenerator<TenantEvent>;
}

/**
 * @param baseUrl without a slash at its end
 * @param credentials of the caller; undefined: requests name nobody
 */
export function createApiClient(baseUrl: string, credentials?: CredentialSource): ApiClient {
  const tenant = (id: string) => `/api/v1/tenants/${encodeURIComponent(id)}`;
  const call = callerOn(baseUrl, credentials);
  return {
    caller: () => call(answers.caller, 'GET', '/api/v1/caller'),
    products: () => call(answers.products, 'GET', '/api/v1/products'),
    availability: (slug, product) =>
      call(
        answers.availability,
        'GET',
        `/api/v1/subdomains/${encodeURIComponent(slug)}/availability${queryOf({ product })}`,
      ),
    freeze: (body) => call(answers.freeze, 'POST', '/api/v1/freezes', body),
    freezes: async () => (await call(answers.freezes, 'GET', '/api/v1/freezes')).freezes,
    lift: (id) => call(answers.freeze, 'DELETE', `/api/v1/freezes/${encodeURIComponent(id)}`),
    previewFreeze: (body) => call(answers.freezePreview, 'POST', '/api/v1/freezes?dryRun=true', body),
    previewLift: (id) => call(answers.freezePreview, 'DELETE', `/api/v1/freezes/${encodeURIComponent(id)}?dryRun=true`),
    previewCreation: (body) => call(answers.preview, 'POST', '/api/v1/tenants?dryRun=true', body),
    previewDeletion: (id, options) =>
      call(answers.preview, 'DELETE', `${tenant(id)}${queryOf({ dryRun: 'true', ...options })}`),
    create: (body, key) => call(answers.accepted, 'POST', '/api/v1/tenants', body, { key }),
    list: (query) => call(answers.tenants, 'GET', `/api/v1/tenants${queryOf({ ...query })}`),
    listSparsely: (query, fields) =>
      call(answers.sparseTenants, 'GET', `/api/v1/tenants${queryOf({ ...query, fields })}`),
    get: (id) => call(answers.tenant, 'GET', tenant(id)),
    getTagged: async (id) => {
      let tag: string | null = null;
      const onTag = (given: string | null) => (tag = given);
      return { tenant: await call(answers.tenant, 'GET', tenant(id), undefined, { onTag }), tag };
    },
    status: (id) => call(answers.status, 'GET', `${tenant(id)}/status`),
    drift: (id) => call(answers.drift, 'GET', `${tenant(id)}/drift`),
    operations: async (id) => (await call(answers.operations, 'GET', `${tenant(id)}/operations`)).operations,
    operation: (id, operation) => call(answers.operation, 'GET', `${tenant(id)}/operations/${operation}`),
    settingsHistory: (id, page) =>
      call(answers.settingsHistory, 'GET', `${tenant(id)}/settings/history${queryOf({ ...page })}`),
    change: (id, body, ifMatch) => call(acceptedOrTenant, 'PATCH', tenant(id), body, { ifMatch }),
    scale: (id, body) => call(acceptedOrTenant, 'POST', `${tenant(id)}/scale`, body),
    previewChange: (id, body, ifMatch) =>
      call(answers.preview, 'PATCH', `${tenant(id)}?dryRun=true`, body, { ifMatch }),
    previewScaling: (id, body) => call(answers.preview, 'POST', `${tenant(id)}/scale?dryRun=true`, body),
    changeMode: (id, verb, body) => call(acceptedOrTenant, 'POST', `${tenant(id)}/${verb}`, body),
    previewMode: (id, verb, body) => call(answers.preview, 'POST', `${tenant(id)}/${verb}?dryRun=true`, body),
    migrate: (id, body) => call(acceptedOrTenant, 'POST', `${tenant(id)}/migrate`, body),
    previewMigration: (id, body) => call(answers.preview, 'POST', `${tenant(id)}/migrate?dryRun=true`, body),
    isolate: (id, reason) => call(answers.isolated, 'POST', `${tenant(id)}/isolation`, { reason }),
    liftIsolation: (id) => call(answers.isolated, 'DELETE', `${tenant(id)}/isolation`),
    previewIsolation: (id, reason) =>
      call(answers.isolationPreview, 'POST', `${tenant(id)}/isolation?dryRun=true`, { reason }),
    previewLifting: (id) => call(answers.isolationPreview, 'DELETE', `${tenant(id)}/isolation?dryRun=true`),
    repair: (id, body) => call(answers.accepted, 'POST', `${tenant(id)}/repair`, body),
    previewRepair: (id) => call(answers.preview, 'POST', `${tenant(id)}/repair?dryRun=true`, {}),
    previewControl: (id, verb) => call(answers.preview, 'POST', `${tenant(id)}/${verb}?dryRun=true`),
    previewAbandonment: (id, reason, by) =>
      call(answers.preview, 'POST', `${tenant(id)}/abandon?dryRun=true`, { reason, by }),
    retry: (id) => call(answers.accepted, 'POST', `${tenant(id)}/retry`),
    cancel: (id) => call(answers.accepted, 'POST', `${tenant(id)}/cancel`),
    abandon: (id, reason, by) => call(answers.operation, 'POST', `${tenant(id)}/abandon`, { reason, by }),
    delete: (id, confirm, options) =>
      call(acceptedOrTenant, 'DELETE', `${tenant(id)}${queryOf({ confirm, ...options })}`),
    certificate: (id) => call(answers.certificate, 'GET', `${tenant(id)}/certificate`),
    keys: () => call(answers.keys, 'GET', '/api/v1/keys'),
    events: async (id, { after, limit }) =>
      (await call(answers.events, 'GET', `${tenant(id)}/events${queryOf({ after: `${after}`, limit: `${limit}` })}`))
        .events,
    stream: (id, after, signal, on) => streamOf({ baseUrl, credentials }, `${tenant(id)}/events`, after, signal, on),
  };
}
