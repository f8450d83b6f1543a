import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IfMatch } from '../client/precondition.ts';
import { RequestError } from '../client/request-error.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes the header `If-Match`. */
    takesIfMatch?: boolean;
  }
}

export const IF_MATCH = 'if-match';

const changing = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const conditions = new WeakMap<FastifyRequest, IfMatch>();

/**
 * Reads the header `If-Match` (RFC 9110, section 13.1.1) of requests that change something. A route that cannot hold a condition refuses
 * it: ignored, it would promise what does not happen.
 */
export function readPreconditions(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, next) => {
    if (!request.is404 && changing.has(request.method)) read(request);
    next();
  });
}

function read(request: FastifyRequest): void {
  const { headers, routeOptions } = request;
  if (headers['if-none-match'] !== undefined) throw notTaken('If-None-Match');
  const text = headers[IF_MATCH];
  if (text === undefined) return;
  if (routeOptions.config.takesIfMatch !== true) throw notTaken('If-Match');
  conditions.set(request, ifMatchIn(text));
}

function notTaken(header: string): RequestError {
  return new RequestError('NOT_SUPPORTED', `this route does not take the header ${header}`, {
    details: { header: header.toLowerCase() },
  });
}

/** Undefined: the request has none. */
export function ifMatchOf(request: FastifyRequest): IfMatch | undefined {
  return conditions.get(request);
}

/** Says of what is chosen now; nobody is to keep the answer, for the tag is not of all of it. */
export function withTag(reply: FastifyReply, tag: string): FastifyReply {
  return reply.header('etag', `"${tag}"`).header('cache-control', 'no-store');
}

/** An entity tag (RFC 9110, section 8.8.3), and what may follow it in a list. */
const element = /^[ \t]*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)")?[ \t]*(?:,|$)/;

/**
 * The tags of a list; weak ones are left out, because they never match strongly. Pure.
 * @throws RequestError INVALID_INPUT
 */
export function ifMatchIn(text: string): IfMatch {
  if (text.trim() === '*') return '*';
  const tags: string[] = [];
  let isEmpty = true;
  for (let rest = text; rest !== '';) {
    const found = element.exec(rest);
    if (!found) throw malformed();
    const [whole, weak, tag] = found;
    if (tag !== undefined) isEmpty = false;
    if (tag !== undefined && weak === undefined) tags.push(tag);
    rest = rest.slice(whole.length);
  }
  if (isEmpty) throw malformed();
  return tags;
}

function malformed(): RequestError {
  return new RequestError(
    'INVALID_INPUT',
    'the header If-Match must be *, or entity tags as the header ETag has them: "3-0f5e..."',
    { details: { header: IF_MATCH } },
  );
}
