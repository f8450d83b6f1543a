import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { actionOf, isReadAction } from './actions.ts';
import { callerOf, resourceOf, tokenOf, type Caller } from './subject.ts';

/** Whose resources a call means: emulators keep accounts and regions apart, as AWS does. */
export interface Scope {
  readonly accountId: string;
  readonly region: string;
}

/** Who signed a call, by its SigV4 credential scope. */
export interface Signer {
  readonly accessKeyId: string;
  readonly region: string;
}

/** Finds the account behind a signer; several keys (of roles, for one) may mean the same one. */
export type ResolveAccount = (signer: Signer) => Promise<string>;

/** One call of an AWS API, as far as the gateway needs to understand it. */
export interface Call {
  readonly requestId: string;
  readonly receivedAtMs: number;
  readonly method: string;
  /** Path with query, as received. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** SigV4 service name: `ecs`, `elasticloadbalancing`, `route53`, `secretsmanager`, `ses`, ...; `unknown` without one. */
  readonly service: string;
  /** Operation name where the protocol tells it, else `METHOD /path`. */
  readonly action: string;
  readonly scope: Scope;
  readonly kind: 'read' | 'change';
  readonly caller: Caller;
  /** The main name or ARN that the call is about. */
  readonly resource?: string | undefined;
  /** The idempotency token that it carries. */
  readonly token?: string | undefined;
  /** Aborted when the caller closes its connection before it has its answer. */
  readonly givenUp: AbortSignal;
}

/** One answer on the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** No answer: the connection is destroyed (`cut`), or stays open until the caller gives up (`hang`). */
export interface Silence {
  readonly silence: 'cut' | 'hang';
}

/** What a caller gets. */
export type Reply = Answer | Silence;

/** Raised for a request that cannot be read at all. */
export class MalformedRequest extends Error {
  override readonly name = 'MalformedRequest';
}

const maxBodyBytes = 16 * 1024 * 1024;

/** Reads an HTTP request into a call. @throws MalformedRequest when its body is larger than 16 MiB. */
export async function readCall(
  request: IncomingMessage,
  response: ServerResponse,
  resolveAccount: ResolveAccount,
): Promise<Call> {
  const receivedAtMs = Date.now();
  const givenUp = givenUpSignal(response);
  const body = await readBody(request);
  const headers = flatHeaders(request);
  const method = request.method ?? 'GET';
  const path = request.url ?? '/';
  const { service, signer } = credentialScope(headers['authorization'] ?? '');
  const scope = { accountId: await resolveAccount(signer), region: signer.region };
  const parts = { service, method, path, headers, body };
  const action = actionOf(parts);
  return {
    ...parts,
    requestId: randomUUID(),
    receivedAtMs,
    scope,
    action,
    kind: isReadAction(action) ? 'read' : 'change',
    caller: callerOf(headers['user-agent'] ?? ''),
    resource: resourceOf({ ...parts, action }),
    token: tokenOf(parts),
    givenUp,
  };
}

function givenUpSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** Scope key, for maps. */
export function scopeKey(scope: Scope): string {
  return `${scope.accountId}/${scope.region}`;
}

/** Parameters of a query-protocol call (`elasticloadbalancing`). */
export function queryParams(call: Call): URLSearchParams {
  return new URLSearchParams(call.body.toString('utf8'));
}

/** The same call with other parameters. */
export function withParams(call: Call, params: URLSearchParams): Call {
  return { ...call, body: Buffer.from(params.toString(), 'utf8') };
}

/** The same call with another JSON body. */
export function withJson(call: Call, body: unknown): Call {
  return { ...call, body: Buffer.from(JSON.stringify(body), 'utf8') };
}

/** Values of `<name>.member.N` in order; `undefined` ends the list. */
export function memberList(params: URLSearchParams, name: string): string[] {
  const values: string[] = [];
  for (let i = 1; ; i++) {
    const value = params.get(`${name}.member.${i}`);
    if (value === null) return values;
    values.push(value);
  }
}

/** The fields of each `<name>.member.N`, in order. */
export function memberFields(params: URLSearchParams, name: string): Record<string, string>[] {
  const pattern = new RegExp(`^${name}\\.member\\.(\\d+)\\.(\\w+)$`);
  const found = new Map<number, Record<string, string>>();
  for (const [key, value] of params) {
    const [, index, field] = pattern.exec(key) ?? [];
    if (index === undefined || field === undefined) continue;
    const fields = found.get(Number(index)) ?? {};
    fields[field] = value;
    found.set(Number(index), fields);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, fields]) => fields);
}

/** The whole body. @throws MalformedRequest when it is larger than 16 MiB. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += piece.length;
    if (size > maxBodyBytes) throw new MalformedRequest(`request body is larger than ${maxBodyBytes} bytes`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks);
}

function flatHeaders(request: IncomingMessage): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/** `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, ...` */
function credentialScope(authorization: string): { service: string; signer: Signer } {
  const found = /Credential=([^/,\s]+)\/\d{8}\/([^/,\s]+)\/([^/,\s]+)\/aws4_request/.exec(authorization);
  const [, accessKeyId = 'anonymous', region = 'us-east-1', service = 'unknown'] = found ?? [];
  return { service, signer: { accessKeyId, region } };
}
