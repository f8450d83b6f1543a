import type { FastifyInstance, RouteOptions } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of a route whose schema says `deprecated: true`. */
    deprecation?: Deprecation;
  }
}

/** What callers of a deprecated route are told (docs/api.md). */
export interface Deprecation {
  /** Since when it is deprecated. */
  readonly since: Date;
  /** When it is removed, 180 days later at the earliest. */
  readonly sunset: Date;
  /** Where it says what to use instead. */
  readonly link: string;
}

const SHORTEST_NOTICE_MS = 180 * 86_400_000;

/**
 * Adds to the answers of deprecated routes the headers `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link`. To be called before the
 * routes are registered: one whose schema and notice do not agree, or whose notice is too short, keeps the API from starting.
 */
export function announceDeprecations(app: FastifyInstance): void {
  app.addHook('onRoute', refuseUnannounced);
  app.addHook('onRequest', ({ routeOptions }, reply, next) => {
    const { deprecation } = routeOptions.config;
    if (deprecation)
      reply.headers({
        // A date of structured fields (RFC 9651, section 3.3.7).
        deprecation: `@${Math.floor(deprecation.since.getTime() / 1_000)}`,
        sunset: deprecation.sunset.toUTCString(),
        link: `<${deprecation.link}>; rel="deprecation"; type="text/html"`,
      });
    next();
  });
}

function refuseUnannounced({ config, method, schema, url }: RouteOptions): void {
  const deprecation = config?.deprecation;
  const route = `the route ${[method].flat().join(', ')} ${url}`;
  if ((schema?.deprecated === true) !== (deprecation !== undefined))
    throw new Error(`${route} must have deprecated: true in its schema and a deprecation in its config, or neither`);
  if (deprecation && deprecation.sunset.getTime() - deprecation.since.getTime() < SHORTEST_NOTICE_MS)
    throw new Error(`${route} is to be removed less than 180 days after it was deprecated`);
}
