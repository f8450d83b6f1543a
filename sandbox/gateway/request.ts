import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

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
}

/** One answer on the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Raised for a request that cannot be read at all. */
export class MalformedRequest extends Error {
  override readonly name = 'MalformedRequest';
}

const maxBodyBytes = 16 * 1024 * 1024;

/** Reads an HTTP request into a call. @throws MalformedRequest when its body is larger than 16 MiB. */
export async function readCall(request: IncomingMessage, resolveAccount: ResolveAccount): Promise<Call> {
  const body = await readBody(request);
  const headers = flatHeaders(request);
  const method = request.method ?? 'GET';
  const path = request.url ?? '/';
  const { service, signer } = credentialScope(headers['authorization'] ?? '');
  const scope = { accountId: await resolveAccount(signer), region: signer.region };
  return {
    requestId: randomUUID(),
    method,
    path,
    headers,
    body,
    service,
    scope,
    action: actionOf({ service, method, path, headers, body }),
  };
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

function actionOf(call: Pick<Call, 'service' | 'method' | 'path' | 'headers' | 'body'>): string {
  const target = call.headers['x-amz-target'];
  if (target) return target.slice(target.lastIndexOf('.') + 1);
  if (call.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    const action = new URLSearchParams(call.body.toString('utf8')).get('Action');
    if (action) return action;
  }
  return restAction(call) ?? `${call.method} ${call.path.split('?', 1)[0] ?? '/'}`;
}

const restActions: readonly { service: string; method: string; path: RegExp; action: string }[] = [
  {
    service: 'route53',
    method: 'POST',
    path: /^\/[\d-]+\/hostedzone\/[^/]+\/rrset\/?$/,
    action: 'ChangeResourceRecordSets',
  },
  { service: 'route53', method: 'GET', path: /^\/[\d-]+\/change\/[^/]+$/, action: 'GetChange' },
  { service: 'ses', method: 'POST', path: /^\/v2\/email\/outbound-emails$/, action: 'SendEmail' },
];

function restAction(call: Pick<Call, 'service' | 'method' | 'path'>): string | undefined {
  const path = call.path.split('?', 1)[0] ?? '/';
  return restActions.find((r) => r.service === call.service && r.method === call.method && r.path.test(path))?.action;
}
