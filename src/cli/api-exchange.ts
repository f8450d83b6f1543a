import { z } from 'zod';
import { errorAnswer } from '../api/schemas/answers.ts';
import { ConfigError } from '../config.ts';
import { errorInfo } from '../contracts/errors.ts';
import { ApiError, ApiUnreachableError, UnclearAnswerError } from './api-errors.ts';
import { refuseOpenWay, type Credential, type CredentialSource } from './credentials.ts';
import { underKey } from './keyed-request.ts';
import { bodyOf } from './request-body.ts';
import { onceThereIsRoom } from './room.ts';

const TIMEOUT_MS = 20_000;

/**
 * Sends requests to the API at an address, and checks their answers. What changes something goes under a key of its own, unless one is
 * given.
 */
export function callerOn(
  baseUrl: string,
  credentials?: CredentialSource,
): <T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown, about?: About) => Promise<T> {
  return async (schema, method, path, body, { key, ...tags } = {}) => {
    const credential = await credentialFor({ baseUrl, credentials });
    return request(schema, { method, url: `${baseUrl}${path}`, body, credential, tags, key });
  };
}

/** Entity tags of a request and its answer. */
export interface Tags {
  /** The header `If-Match`. */
  readonly ifMatch?: string | undefined;
  /** Told of the header `ETag`; null: the answer has none. */
  readonly onTag?: ((tag: string | null) => void) | undefined;
}

/** What a request says besides its body, and what is heard of its answer. */
export interface About extends Tags {
  /** Under which it is carried out once; one of its own by default. */
  readonly key?: string | undefined;
}

/** Lines of an answer, as they come. @throws ApiUnreachableError also when it breaks off */
export async function* linesOn(door: Door, path: string): AsyncGenerator<string> {
  const url = `${door.baseUrl}${path}`;
  const credential = await credentialFor(door);
  const response = await send(url, { method: 'GET' }, headersOf({ accept: 'application/x-ndjson' }, credential));
  if (!response.ok)
    throw refusal(response, await answerOf(response, credential).catch(() => undefined), url, credential);
  if (!response.body) return;
  try {
    let rest = '';
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } catch (cause) {
    throw new ApiUnreachableError(`the answer of ${url} broke off: it is not whole`, { cause });
  }
}

/** Where the API is, and what its requests say of their caller. */
export interface Door {
  readonly baseUrl: string;
  readonly credentials: CredentialSource | undefined;
}

/** @throws ConfigError when it would be readable on the way */
export async function credentialFor({ baseUrl, credentials }: Door): Promise<Credential | undefined> {
  const credential = await credentials?.();
  if (credential) refuseOpenWay(baseUrl);
  return credential;
}

interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
  readonly credential: Credential | undefined;
  readonly tags?: Tags | undefined;
  /** Under which it is carried out once. */
  readonly key?: string | undefined;
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
  return underKey((key) => change(schema, { ...asked, key }), asked.key);
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

function exchange<T>(schema: z.ZodType<T>, asked: ApiRequest): Promise<T> {
  return onceThereIsRoom(() => exchangeOnce(schema, asked));
}

async function exchangeOnce<T>(schema: z.ZodType<T>, asked: ApiRequest): Promise<T> {
  const { method, url, body, credential, key, tags } = asked;
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
    ...(tags?.ifMatch === undefined ? {} : { 'if-match': tags.ifMatch }),
  };
  const response = await send(url, init, headersOf(headers, credential));
  const answer = await answerOf(response, credential).catch((cause: unknown) => {
    throw new ApiUnreachableError(`${url} answers with status ${response.status}, but not with JSON`, {
      cause,
      status: response.status,
    });
  });
  if (!response.ok) throw refusal(response, answer, url, credential);
  tags?.onTag?.(response.headers.get('etag'));
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
export async function answerOf(response: Response, credential: Credential | undefined): Promise<unknown> {
  const text = await response.text();
  return JSON.parse(credential ? text.replaceAll(credential.token, '[token]') : text);
}

type Headed = Pick<RequestInit, 'headers' | 'redirect'>;

/** A token is for the address that the caller named: where that would lead on to gets none. */
export function headersOf(headers: Readonly<Record<string, string>>, credential: Credential | undefined): Headed {
  if (!credential) return { headers };
  return { headers: { ...headers, authorization: `Bearer ${credential.token}` }, redirect: 'manual' };
}

export async function send(url: string, init: RequestInit, headed: Headed): Promise<Response> {
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

export function refusal(
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
