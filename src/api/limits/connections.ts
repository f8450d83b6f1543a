import type { Server } from 'node:http';

/** How long a connection may take for what, in ms. */
export interface ConnectionTimes {
  /** For the head of a request, from its first byte, or from the connection's beginning. */
  readonly headersMs: number;
  /** For a whole request. */
  readonly requestMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** Without a byte sent or taken, either way: ends those who do not read what they asked for. A live stream's heartbeat is a byte. */
  readonly stalledMs: number;
  /** Between two looks at headers and requests that are late. */
  readonly lookEveryMs: number;
}

/** Load balancers keep their connections for 60 s: this end must not be the first to close one. */
export const defaultConnectionTimes: ConnectionTimes = {
  headersMs: 15_000,
  requestMs: 60_000,
  keepAliveMs: 72_000,
  stalledMs: 120_000,
  lookEveryMs: 5_000,
};

/** After which a connection is ended with its answer, so that load spreads over processes anew. */
const MOST_REQUESTS_PER_CONNECTION = 10_000;
/** More are closed at once: each holds a file descriptor, of which a process has 1,024 at the least. */
const MOST_CONNECTIONS = 5_000;

/** Options of Fastify's. */
export function connectionOptions({ headersMs, requestMs, keepAliveMs, stalledMs, lookEveryMs }: ConnectionTimes) {
  return {
    connectionTimeout: stalledMs,
    keepAliveTimeout: keepAliveMs,
    requestTimeout: requestMs,
    maxRequestsPerSocket: MOST_REQUESTS_PER_CONNECTION,
    // The host guard answers for requests without one, in the one shape.
    http: { requireHostHeader: false, headersTimeout: headersMs, connectionsCheckingInterval: lookEveryMs },
  };
}

export function boundConnections(server: Server): void {
  server.maxConnections = MOST_CONNECTIONS;
  // None is dropped unsaid; their size is bounded, and so is their number by a hook.
  server.maxHeadersCount = 0;
}
