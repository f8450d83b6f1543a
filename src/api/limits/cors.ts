import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isUiOrigin } from '../origins.ts';

/** Whose pages may call what. */
export interface Origins {
  /** Of Temporal's UI: the codec alone. */
  readonly uiOrigin: string | undefined;
  /** Exact ones: all but the codec. */
  readonly corsOrigins: readonly string[];
}

const exposed = [
  ...['ETag', 'Idempotency-Replayed', 'Link', 'Location', 'Preference-Applied', 'RateLimit', 'RateLimit-Policy'],
  ...['Retry-After', 'WWW-Authenticate', 'X-Request-Id'],
].join(', ');
const taken = [
  ...['Accept', 'Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match', 'Last-Event-ID'],
  'Prefer',
].join(', ');

/** Whether a page of the origin may call the path. */
export function isAllowedOrigin(origin: string, path: string, { uiOrigin, corsOrigins }: Origins): boolean {
  return path.startsWith('/codec/') ? isUiOrigin(origin, uiOrigin) : corsOrigins.includes(origin);
}

/**
 * Lets pages of named origins read answers, and answers what browsers ask before (preflight); to those of others nothing is said. No cookies:
 * credentials are a header that the page sets itself. Own code: the plugin for Fastify takes OPTIONS on every path, which is 405 here.
 */
export function allowOrigins(app: FastifyInstance, origins: Origins): void {
  app.addHook('onRequest', (request, reply, next) => {
    const { origin } = request.headers;
    const isCodec = request.url.startsWith('/codec/');
    if (isCodec || origins.corsOrigins.length > 0) reply.header('vary', 'Origin');
    if (origin === undefined || !isAllowedOrigin(origin, request.url, origins)) {
      next();
      return;
    }
    reply.header('access-control-allow-origin', origin);
    if (request.method === 'OPTIONS') allow(reply, isCodec);
    else reply.header('access-control-expose-headers', exposed);
    if (isPreflight(request) && !isCodec) void reply.code(204).send();
    else next();
  });
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

function allow(reply: FastifyReply, isCodec: boolean): void {
  reply
    .header('access-control-allow-methods', isCodec ? 'POST' : 'GET, HEAD, POST, PATCH, DELETE')
    .header('access-control-allow-headers', isCodec ? 'content-type, x-namespace, authorization' : taken)
    .header('access-control-max-age', '600');
}
