import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RequestError } from '../client/request-error.ts';
import type { KeptAnswer, RequestKey } from '../client/request-key.ts';
import type { WorkersView } from '../client/views.ts';
import './access/authentication.ts';
import { valuesOf } from './header-values.ts';
import { ifMatchOf } from './preconditions.ts';
import { stableJson } from '../contracts/stable-json.ts';

export const KEY_HEADER = 'idempotency-key';
/** Of an answer that was given before. */
export const REPLAYED_HEADER = 'idempotency-replayed';

/** Methods of routes that change something. */
export const keyedMethods: ReadonlySet<string> = new Set(['POST', 'PATCH', 'DELETE']);
const LONGEST_KEY = 255;

interface KeyOfRequest {
  readonly key: string;
  requestHash?: string;
  /** Once something is. */
  kept?: KeptAnswer;
}

const keys = new WeakMap<FastifyRequest, KeyOfRequest>();

/**
 * Reads the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) and hashes what the request says, before the schemas
 * put in what it does not. To be called after what refuses text that cannot be stored.
 */
export function readIdempotencyKeys(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, next) => {
    const key = keyIn(request);
    if (key !== undefined) keys.set(request, { key });
    next();
  });
  app.addHook('preValidation', (request, _reply, next) => {
    const given = keys.get(request);
    if (given) given.requestHash = hashOf(request);
    next();
  });
  app.addHook('onSend', (request, reply, payload, next) => {
    if (keys.get(request)?.kept?.isReplayed === true) reply.header(REPLAYED_HEADER, 'true');
    next(null, payload);
  });
}

/** Of a request that has one; to be asked once its body is there. */
export function requestKeyOf(request: FastifyRequest): RequestKey | undefined {
  const given = keys.get(request);
  if (given?.requestHash === undefined) return undefined;
  const { key, requestHash } = given;
  return { key, requestHash, onKept: (kept) => (given.kept = kept) };
}

/** Whether anybody carries operations out: of an answer that is kept for repeats, as it says. */
export function workersAt(request: FastifyRequest, now: WorkersView): WorkersView {
  return keys.get(request)?.kept?.workers ?? now;
}

/** @throws RequestError INVALID_INPUT */
function keyIn({ is404, method, raw }: FastifyRequest): string | undefined {
  if (is404 || !keyedMethods.has(method)) return undefined;
  const values = valuesOf(raw, KEY_HEADER);
  const [value] = values;
  if (value === undefined) return undefined;
  if (values.length > 1) throw malformed('is given more than once');
  const key = value.startsWith('"') ? unquoted(value) : value;
  if (key === undefined) throw malformed('begins with a quotation mark, and is no string of RFC 9651');
  if (!/^[ -~]*$/.test(key)) throw malformed('may hold printable ASCII characters only');
  if (key.length < 1 || key.length > LONGEST_KEY) throw malformed(`must have 1 to ${LONGEST_KEY} characters`);
  return key;
}

/** The value of an sf-string (RFC 9651, section 3.3.3), without parameters. */
function unquoted(text: string): string | undefined {
  const inner = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/.exec(text)?.[1];
  return inner?.replaceAll(/\\(["\\])/g, '$1');
}

function malformed(problem: string): RequestError {
  return new RequestError('INVALID_INPUT', `the header Idempotency-Key ${problem}`, {
    details: { header: KEY_HEADER },
  });
}

/**
 * Of method, path, query, body and `If-Match`, whatever the order of parameters, fields and tags, and of what its caller may do and reach.
 * The path has the tenant's id, however the request names it: by id and by slug it is the same request, and a slug that has become another
 * tenant's makes another one.
 */
function hashOf(request: FastifyRequest): string {
  const { method, url, body, params, routeOptions } = request;
  const [, query = ''] = splitOnce(url, '?');
  const path = pathOf(routeOptions.url ?? '', named.parse(params));
  const parameters = [...new URLSearchParams(query)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const condition = ifMatchOf(request);
  // Without one, as an earlier release has hashed it.
  const conditions = condition === undefined ? [] : [typeof condition === 'string' ? condition : condition.toSorted()];
  const said = stableJson([method, path, parameters, body ?? null, ...conditions, ...powersOf(request)]);
  return createHash('sha256').update(said).digest('hex');
}

/**
 * What is answered may be for some roles and some tenants only: a caller that has lost them since sends another request. One that may do
 * all has none, as an earlier release has hashed it.
 */
function powersOf({ identity }: FastifyRequest): object[] {
  if (!identity || (identity.role === 'platform-admin' && !identity.scope)) return [];
  const { role, scope } = identity;
  const reach = scope?.kind === 'tenants' ? scope.ids.toSorted() : (scope?.kind ?? 'all');
  return [{ role, reach }];
}

const named = z.record(z.string(), z.string());

function pathOf(route: string, params: Readonly<Record<string, string>>): string {
  return route.replaceAll(/:(\w+)/g, (_whole, name: string) => params[name] ?? '');
}

function splitOnce(text: string, by: string): string[] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
