import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { RequestError } from '../client/request-error.ts';
import { refuseRepeatedHeaders } from './header-values.ts';
import { KEY_HEADER } from './idempotency-keys.ts';
import { isAllowedOrigin, type Origins } from './limits/cors.ts';

const mutations = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** How the API is reached. */
export interface Door extends Origins {
  /** Whether requests carry credentials. */
  readonly asksCallers: boolean;
  /** Names besides the loopback ones. */
  readonly publicHosts: readonly string[];
}

/**
 * What is refused before any route looks at it. Where nobody is asked who calls, a web page in the operator's browser must not get
 * through: its name may resolve to this address (DNS rebinding), its forms may post here (CSRF).
 */
export function guardRequests(app: FastifyInstance, door: Door): void {
  app.addHook('onRequest', (request, _reply, next) => {
    refuseRepeatedHeaders(request.raw);
    refuseForeignHost(app, request, door);
    if (mutations.has(request.method)) refuseForeignOrigin(request, door);
    next();
  });
}

/** Refuses what no route takes yet, of those who may call the route; what no route takes at all is refused for that. */
export function refuseUnsupportedRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, next) => {
    if (mutations.has(request.method) && !request.is404) refuseUnsupported(request);
    next();
  });
}

function refuseForeignHost(app: FastifyInstance, request: FastifyRequest, door: Door): void {
  const host = request.headers.host ?? '';
  const match = /^(localhost|(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?$/i.exec(host);
  const address = app.server.address();
  const ownPort = typeof address === 'object' ? address?.port : undefined;
  if (match && (ownPort === undefined || Number(match[2] ?? 80) === ownPort)) return;
  if (isPublic(host, door) || (door.asksCallers && isProbe(request))) return;
  throw new RequestError('INVALID_INPUT', `the Host header must name this address, not "${host}"`, {
    details: { header: 'host' },
  });
}

function isPublic(host: string, { asksCallers, publicHosts }: Door): boolean {
  return asksCallers && publicHosts.includes(host.toLowerCase());
}

/** A load balancer asks by the address of the target. */
function isProbe({ routeOptions: { url } }: FastifyRequest): boolean {
  return url === '/healthz' || url === '/readyz';
}

/** Browsers say where a request comes from; other programs send no Origin. */
function refuseForeignOrigin(request: FastifyRequest, door: Door): void {
  const { host = '', origin } = request.headers;
  if (origin === undefined || origin === `http://${host}`) return;
  if (isPublic(host, door) && origin === `https://${host}`) return;
  if (isAllowedOrigin(origin, request.url, door)) return;
  throw new RequestError('INVALID_INPUT', `requests from the origin "${origin}" are refused`, {
    details: { header: 'origin' },
  });
}

/** Accepted silently, these would promise what does not happen. */
function refuseUnsupported(request: FastifyRequest): void {
  if (
    !takesDryRun(request) &&
    typeof request.query === 'object' &&
    request.query !== null &&
    'dryRun' in request.query
  ) {
    throw new RequestError('NOT_SUPPORTED', 'the parameter dryRun is not supported yet', {
      details: { parameter: 'dryRun' },
    });
  }
  if (request.url.startsWith('/codec/') && request.headers[KEY_HEADER] !== undefined) {
    throw new RequestError('NOT_SUPPORTED', 'the header Idempotency-Key is for requests that change something', {
      details: { header: KEY_HEADER },
    });
  }
}

/** Of a route whose description has the parameter. */
function takesDryRun({ routeOptions }: FastifyRequest): boolean {
  const querystring = routeOptions.schema?.querystring;
  return querystring instanceof z.ZodObject && 'dryRun' in querystring.shape;
}

/** For routes that take no body: fields are refused, not ignored. A hook for the time before validation. */
export function refuseBody(request: FastifyRequest, _reply: unknown, next: () => void): void {
  const { body } = request;
  if (body !== undefined && body !== null && !(typeof body === 'object' && Object.keys(body).length === 0)) {
    throw new RequestError('INVALID_INPUT', 'body: this route takes none', {
      details: { fields: [{ field: 'body', problem: 'this route takes none' }] },
    });
  }
  next();
}
