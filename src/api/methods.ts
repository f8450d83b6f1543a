import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { RequestError } from '../client/request-error.ts';
import { answerError } from './error-answers.ts';

/** A path of the API and the methods that it takes. */
interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/**
 * Answers what no route takes: 405 with `Allow` where the path exists and takes other methods, else 404. To be called before
 * the routes are registered, because it listens for them.
 */
export function answerUnrouted(app: FastifyInstance): void {
  const known = new Map<string, KnownPath>();
  app.addHook('onRoute', (route) => remember(known, route));
  const refuse = (request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?', 1)[0] ?? '/';
    const allowed = [...known.values()].filter(({ pattern }) => pattern.test(path)).flatMap((k) => [...k.methods]);
    if (allowed.length > 0) return answerNotAllowed(allowed, path, request, reply);
    return answerError(new RequestError('NOT_FOUND', `there is no route ${request.method} ${path}`), request, reply);
  };
  // Before the body is looked at: what is wrong with it does not matter here, and QUERY without one would be refused for that.
  app.addHook('onRequest', (request, reply, next) => {
    if (request.is404) void refuse(request, reply);
    else next();
  });
  app.setNotFoundHandler(refuse);
}

function remember(known: Map<string, KnownPath>, { url, method }: RouteOptions): void {
  const path = known.get(url) ?? { pattern: patternOf(url), methods: new Set() };
  // HEAD routes are made from GET ones, and not every GET route is told of under its last name.
  for (const each of [method].flat()) path.methods.add(each).add(each === 'HEAD' ? 'GET' : each);
  known.set(url, path);
}

/** `/tenants/:tenantId` and `/docs/*` as a pattern of whole paths. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replaceAll(/[^\w-]/g, String.raw`\$&`);
  });
  return new RegExp(`^${parts.join('/')}$`);
}

function answerNotAllowed(
  allowed: readonly string[],
  path: string,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const methods = [...new Set(allowed)].sort();
  reply.header('allow', methods.join(', '));
  return answerError(
    new RequestError('METHOD_NOT_ALLOWED', `${path} does not take ${request.method}, only ${methods.join(', ')}`, {
      details: { allowed: methods },
    }),
    request,
    reply,
  );
}
