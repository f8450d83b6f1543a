import { z } from 'zod';
import {
  acceptedAnswer,
  certificateAnswer,
  freezeAnswer,
  freezePreviewAnswer,
  freezesAnswer,
  errorAnswer,
  eventAnswer,
  eventsAnswer,
  isolatedAnswer,
  isolationPreviewAnswer,
  keysAnswer,
  operationAnswer,
  operationsAnswer,
  settingsHistoryAnswer,
  statusAnswer,
  previewAnswer,
  tenantAnswer,
  tenantDriftAnswer,
  tenantsAnswer,
} from '../api/schemas.ts';
import { productsAnswer } from '../api/routes/products.ts';
import { ConfigError } from '../config.ts';
import { errorInfo } from '../contracts/errors.ts';
import type { Settings } from '../contracts/settings.ts';
import { ApiError, ApiUnreachableError, UnclearAnswerError } from './api-errors.ts';
import { refuseOpenWay, type Credential, type CredentialSource } from './credentials.ts';
import { underKey } from './keyed-request.ts';
import { open, type Open } from './open-answers.ts';
import { bodyOf } from './request-body.ts';

export { ApiError, ApiUnreachableError, UnclearAnswerError } from './api-errors.ts';

export type Accepted = Open<z.infer<typeof acceptedAnswer>>;
export type Freeze = Open<z.infer<typeof freezeAnswer>>;
export type FreezePreview = Open<z.infer<typeof freezePreviewAnswer>>;
export type Isolated = Open<z.infer<typeof isolatedAnswer>>;
export type IsolationPreview = Open<z.infer<typeof isolationPreviewAnswer>>;
export type SettingsHistory = Open<z.infer<typeof settingsHistoryAnswer>>;
export type Tenant = Open<z.infer<typeof tenantAnswer>>;
export type Preview = Open<z.infer<typeof previewAnswer>>;
export type TenantPage = Open<z.infer<typeof tenantsAnswer>>;
export type ListedTenant = TenantPage['tenants'][number];
export type Status = Open<z.infer<typeof statusAnswer>>;
export type TenantDrift = Open<z.infer<typeof tenantDriftAnswer>>;
export type Operation = Open<z.infer<typeof operationAnswer>>;
export type ProductList = Open<z.infer<typeof productsAnswer>>;
export type CertificateDocument = z.infer<typeof certificateDocument>;
export type TenantEvent = Open<z.infer<typeof eventAnswer>>;

/** As it is: what a later release adds was signed too. */
export const certificateDocument = z.object({ certificate: z.unknown(), jws: certificateAnswer.shape.jws });

const answers = {
  accepted: open(acceptedAnswer),
  preview: open(previewAnswer),
  tenant: open(tenantAnswer),
  tenants: open(tenantsAnswer),
  status: open(statusAnswer),
  operation: open(operationAnswer),
  operations: open(operationsAnswer),
  drift: open(tenantDriftAnswer),
  products: open(productsAnswer),
  isolated: open(isolatedAnswer),
  isolationPreview: open(isolationPreviewAnswer),
  freeze: open(freezeAnswer),
  settingsHistory: open(settingsHistoryAnswer),
  freezes: open(freezesAnswer),
  freezePreview: open(freezePreviewAnswer),
  event: open(eventAnswer),
  events: open(eventsAnswer),
  certificate: certificateDocument,
};

export interface CreateRequest {
  readonly product: string;
  /** Left out where the product gives its tenants their ids for slugs. */
  readonly slug?: string | undefined;
  readonly displayName: string;
  readonly contactEmail: string;
  readonly tier?: string | undefined;
  readonly cell?: string | undefined;
  readonly onFailure?: string | undefined;
  readonly settings?: Settings | undefined;
}

export interface ChangeRequest {
  readonly displayName?: string | undefined;
  readonly contactEmail?: string | undefined;
  readonly settings?: Settings | undefined;
  readonly refresh?: boolean | undefined;
  readonly onFailure?: string | undefined;
}

export interface HistoryRequest {
  readonly limit?: string | undefined;
  readonly cursor?: string | undefined;
}

export interface ScaleRequest {
  readonly service?: string | undefined;
  readonly count: number;
  readonly onFailure?: string | undefined;
}

export interface ListRequest {
  readonly product?: string | undefined;
  readonly slug?: string | undefined;
  readonly status?: string | undefined;
  readonly operation?: string | undefined;
  readonly includeGone?: 'true' | undefined;
  readonly limit?: string | undefined;
  readonly cursor?: string | undefined;
}

/** Of the open operation. */
export type ControlVerb = 'retry' | 'cancel';
export type ModeVerb = 'suspend' | 'resume' | 'rotate';
export interface ModeRequest {
  readonly reason?: string | undefined;
  readonly onFailure?: string | undefined;
}

export interface MigrateRequest extends ModeRequest {
  readonly tier: string;
}

export interface FreezeRequest {
  readonly product?: string | undefined;
  readonly cell?: string | undefined;
  readonly reason: string;
}

export interface RepairRequest {
  readonly reason?: string | undefined;
}

export interface DeleteOptions {
  /** How long to wait before anything is removed, such as `2d`. */
  readonly grace?: string | undefined;
  /** `true`: refuse unless a final dump is kept, which may be handed out. */
  readonly export?: 'true' | undefined;
}

/** The HTTP API, typed; every answer is checked. */
export interface ApiClient {
  products(): Promise<ProductList>;
  freeze(request: FreezeRequest): Promise<Freeze>;
  freezes(): Promise<Freeze[]>;
  lift(freezeId: string): Promise<Freeze>;
  previewFreeze(request: FreezeRequest): Promise<FreezePreview>;
  previewLift(freezeId: string): Promise<FreezePreview>;
  create(request: CreateRequest): Promise<Accepted>;
  previewCreation(request: CreateRequest): Promise<Preview>;
  previewDeletion(tenantId: string, options?: DeleteOptions): Promise<Preview>;
  list(request: ListRequest): Promise<TenantPage>;
  get(tenantId: string): Promise<Tenant>;
  status(tenantId: string): Promise<Status>;
  /** As the last look saw it. */
  drift(tenantId: string): Promise<TenantDrift>;
  /** Newest first. */
  operations(tenantId: string): Promise<Operation[]>;
  operation(tenantId: string, operationId: string): Promise<Operation>;
  settingsHistory(tenantId: string, page: HistoryRequest): Promise<SettingsHistory>;
  change(tenantId: string, request: ChangeRequest): Promise<Accepted | Tenant>;
  scale(tenantId: string, request: ScaleRequest): Promise<Accepted | Tenant>;
  previewChange(tenantId: string, request: ChangeRequest): Promise<Preview>;
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
  keys(): Promise<z.infer<typeof keysAnswer>>;
  events(tenantId: string, page: { after: number; limit: number }): Promise<TenantEvent[]>;
  /** Live events after an id; ends when the connection does. */
  stream(tenantId: string, after: number, signal: AbortSignal, on?: StreamSigns): AsyncGenerator<TenantEvent>;
}

/** What a stream shows besides its events. */
export interface StreamSigns {
  /** The API has answered. */
  readonly onOpen?: () => void;
  /** An event or a heartbeat came. */
  readonly onSign?: () => void;
}

/** A tenant: nothing had to be carried out. */
const acceptedOrTenant = z.union([answers.accepted, answers.tenant]);

const TIMEOUT_MS = 20_000;

/**
 * @param baseUrl without a slash at its end
 * @param credentials of the caller; undefined: requests name nobody
 */
export function createApiClient(baseUrl: string, credentials?: CredentialSource): ApiClient {
  const tenant = (id: string) => `/api/v1/tenants/${encodeURIComponent(id)}`;
  const call = callerOn(baseUrl, credentials);
  return {
    products: () => call(answers.products, 'GET', '/api/v1/products'),
    freeze: (body) => call(answers.freeze, 'POST', '/api/v1/freezes', body),
    freezes: async () => (await call(answers.freezes, 'GET', '/api/v1/freezes')).freezes,
    lift: (id) => call(answers.freeze, 'DELETE', `/api/v1/freezes/${encodeURIComponent(id)}`),
    previewFreeze: (body) => call(answers.freezePreview, 'POST', '/api/v1/freezes?dryRun=true', body),
    previewLift: (id) => call(answers.freezePreview, 'DELETE', `/api/v1/freezes/${encodeURIComponent(id)}?dryRun=true`),
    previewCreation: (body) => call(answers.preview, 'POST', '/api/v1/tenants?dryRun=true', body),
    previewDeletion: (id, options) =>
      call(answers.preview, 'DELETE', `${tenant(id)}${queryOf({ dryRun: 'true', ...options })}`),
    create: (body) => call(answers.accepted, 'POST', '/api/v1/tenants', body),
    list: (query) => call(answers.tenants, 'GET', `/api/v1/tenants${queryOf({ ...query })}`),
    get: (id) => call(answers.tenant, 'GET', tenant(id)),
    status: (id) => call(answers.status, 'GET', `${tenant(id)}/status`),
    drift: (id) => call(answers.drift, 'GET', `${tenant(id)}/drift`),
    operations: async (id) => (await call(answers.operations, 'GET', `${tenant(id)}/operations`)).operations,
    operation: (id, operation) => call(answers.operation, 'GET', `${tenant(id)}/operations/${operation}`),
    settingsHistory: (id, page) =>
      call(answers.settingsHistory, 'GET', `${tenant(id)}/settings/history${queryOf({ ...page })}`),
    change: (id, body) => call(acceptedOrTenant, 'PATCH', tenant(id), body),
    scale: (id, body) => call(acceptedOrTenant, 'POST', `${tenant(id)}/scale`, body),
    previewChange: (id, body) => call(answers.preview, 'PATCH', `${tenant(id)}?dryRun=true`, body),
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
    keys: () => call(keysAnswer, 'GET', '/api/v1/keys'),
    events: async (id, { after, limit }) =>
      (await call(answers.events, 'GET', `${tenant(id)}/events${queryOf({ after: `${after}`, limit: `${limit}` })}`))
        .events,
    stream: (id, after, signal, on) => streamOf({ baseUrl, credentials }, `${tenant(id)}/events`, after, signal, on),
  };
}

/** Sends requests to the API at an address, and checks their answers. */
export function callerOn(
  baseUrl: string,
  credentials?: CredentialSource,
): <T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown) => Promise<T> {
  return async (schema, method, path, body) => {
    const credential = await credentialFor({ baseUrl, credentials });
    return request(schema, { method, url: `${baseUrl}${path}`, body, credential });
  };
}

interface Door {
  readonly baseUrl: string;
  readonly credentials: CredentialSource | undefined;
}

/** @throws ConfigError when it would be readable on the way */
async function credentialFor({ baseUrl, credentials }: Door): Promise<Credential | undefined> {
  const credential = await credentials?.();
  if (credential) refuseOpenWay(baseUrl);
  return credential;
}

interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
  readonly credential: Credential | undefined;
  /** Under which it is carried out once. */
  readonly key?: string;
}

export function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

async function request<T>(schema: z.ZodType<T>, asked: ApiRequest): Promise<T> {
  const { method, url } = asked;
  if (method === 'GET') return exchange(schema, asked);
  // A dry run changes nothing: it needs no key.
  if (new URL(url).searchParams.get('dryRun') === 'true') return change(schema, asked);
  return underKey((key) => change(schema, { ...asked, key }));
}

/** @throws UnclearAnswerError when no answer says what became of it */
async function change<T>(schema: z.ZodType<T>, asked: ApiRequest): Promise<T> {
  const { url } = asked;
  try {
    return await exchange(schema, asked);
  } catch (error) {
    if (error instanceof ApiError && !isOurs(error))
      throw new UnclearAnswerError(
        `${url} answers with status ${error.status}, but not as Tenantry's API does: ${error.code}: ${error.message}`,
        { status: error.status },
      );
    if (!(error instanceof ApiUnreachableError) || wasNotSent(error)) throw error;
    throw new UnclearAnswerError(error.message, { cause: error.cause, status: error.status });
  }
}

/**
 * Whether our API gave the answer, for certain: with a code of the table, its status, and an id of the request. A code of a later
 * release is no proof: another program may have answered.
 */
function isOurs({ code, status, requestId }: ApiError): boolean {
  return errorInfo(code)?.httpStatus === status && z.uuid().safeParse(requestId).success;
}

/**
 * Whether no connection could be made. An answer that is not our API's says nothing, whatever its status: a proxy may have
 * passed the request on before it gave up waiting.
 */
function wasNotSent({ cause }: ApiUnreachableError): boolean {
  const reason = cause instanceof Error ? cause.cause : undefined;
  // Several addresses of a host, each tried in vain.
  const reasons: unknown[] = reason instanceof AggregateError ? reason.errors : [reason];
  return reasons.length > 0 && reasons.every(isOfConnecting);
}

/** A connection that is open can end with the same codes: its error then names another system call. */
function isOfConnecting(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === 'UND_ERR_CONNECT_TIMEOUT') return true;
  return 'syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo');
}

async function exchange<T>(schema: z.ZodType<T>, { method, url, body, credential, key }: ApiRequest): Promise<T> {
  const sent = body === undefined ? undefined : bodyOf(body);
  const init = {
    method,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(sent === undefined ? {} : { body: sent }),
  };
  const headers = {
    accept: 'application/json',
    ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  };
  const response = await send(url, init, headersOf(headers, credential));
  const answer = await answerOf(response, credential).catch((cause: unknown) => {
    throw new ApiUnreachableError(`${url} answers with status ${response.status}, but not with JSON`, {
      cause,
      status: response.status,
    });
  });
  if (!response.ok) throw refusal(response, answer, url, credential);
  const parsed = schema.safeParse(answer);
  if (!parsed.success)
    throw new ApiUnreachableError(`${url} does not answer as Tenantry's API does: ${wrongPlace(parsed.error)}`, {
      status: response.status,
    });
  return parsed.data;
}

/** The first thing that is wrong, in one sentence: the API may be of another release, or something else answers. */
function wrongPlace({ issues: [first] }: z.ZodError): string {
  const path = first?.path.map(String).join('.') ?? '';
  return path === '' ? 'the answer has another form' : `the field ${path} of its answer is missing or has another form`;
}

/** An answer that repeats the token, as some proxies do, ends up in terminals and logs. */
async function answerOf(response: Response, credential: Credential | undefined): Promise<unknown> {
  const text = await response.text();
  return JSON.parse(credential ? text.replaceAll(credential.token, '[token]') : text);
}

type Headed = Pick<RequestInit, 'headers' | 'redirect'>;

/** A token is for the address that the caller named: where that would lead on to gets none. */
function headersOf(headers: Readonly<Record<string, string>>, credential: Credential | undefined): Headed {
  if (!credential) return { headers };
  return { headers: { ...headers, authorization: `Bearer ${credential.token}` }, redirect: 'manual' };
}

async function send(url: string, init: RequestInit, headed: Headed): Promise<Response> {
  try {
    return await fetch(url, { ...init, ...headed });
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    // What `fetch` says of the ports that the Fetch standard blocks: nothing was sent.
    if (reason === 'bad port')
      throw new ConfigError([
        `TENANTRY_API_URL names port ${new URL(url).port}, to which HTTP clients refuse to connect`,
      ]);
    throw new ApiUnreachableError(`no answer from ${url}: ${reason}`, { cause });
  }
}

function refusal(
  { status, headers }: Response,
  answer: unknown,
  url: string,
  credential: Credential | undefined,
): Error {
  const { data } = errorAnswer.safeParse(answer);
  if (data)
    return new ApiError(status, data.error, {
      answeredAtMs: timeOf(headers),
      retryAfterSeconds: secondsOf(headers.get('retry-after')),
      credentialFrom: credential?.from,
    });
  const message = `${url} answers with status ${status}, but not as Tenantry's API does`;
  return new ApiUnreachableError(message, { status });
}

function secondsOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function timeOf(headers: Headers): number | undefined {
  const atMs = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(atMs) ? undefined : atMs;
}

async function* streamOf(
  door: Door,
  path: string,
  after: number,
  signal: AbortSignal,
  { onOpen, onSign }: StreamSigns = {},
): AsyncGenerator<TenantEvent> {
  const url = `${door.baseUrl}${path}`;
  const credential = await credentialFor(door);
  const headers = { accept: 'text/event-stream', 'last-event-id': `${after}` };
  const response = await send(url, { signal }, headersOf(headers, credential));
  if (!response.ok)
    throw refusal(response, await answerOf(response, credential).catch(() => undefined), url, credential);
  onOpen?.();
  if (!response.body) return;
  const decoder = new TextDecoder();
  let buffered = '';
  for await (const chunk of response.body) {
    buffered += decoder.decode(chunk as Uint8Array, { stream: true });
    const frames = buffered.split('\n\n');
    buffered = frames.pop() ?? '';
    for (const frame of frames) {
      const data = frame.split('\n').find((line) => line.startsWith('data: '));
      if (data !== undefined || frame.startsWith(':')) onSign?.();
      if (data !== undefined) yield answers.event.parse(JSON.parse(data.slice('data: '.length)));
    }
  }
}
