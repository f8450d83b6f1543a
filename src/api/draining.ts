import type { FastifyInstance, FastifyPluginCallback } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether this process is about to end. */
    draining: Draining;
  }
}

/** That a process is about to end. */
export interface Draining {
  /** From then on: `/readyz` says that it is not ready, connections are not kept, and what only waits is answered. */
  begin(): void;
  readonly signal: AbortSignal;
}

/** How long requests that are being answered are waited for, in ms: the process has 30 s for its whole end. */
const LONGEST_MS = 15_000;

/** Within which Fastify wants its plugins started, and its hooks of closing run, in ms: draining is one of these. */
export const PLUGIN_TIMEOUT_MS = LONGEST_MS + 5_000;

/**
 * Lets requests that are being answered end before their connections are closed.
 * @returns a plugin, to be registered after all routes: what ends live streams has to run before it
 */
export function drainRequests(app: FastifyInstance): FastifyPluginCallback {
  let open = 0;
  const began = new AbortController();
  const begin = () => began.abort();
  app.decorate('draining', { begin, signal: began.signal });
  app.addHook('preClose', (closed) => {
    begin();
    closed();
  });
  let onIdle: () => void = () => undefined;
  app.addHook('onRequest', (_request, { raw }, next) => {
    open += 1;
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      open -= 1;
      if (open === 0) onIdle();
    };
    // Fastify's hook `onResponse` is not run for a client that has gone.
    raw.once('finish', end).once('close', end);
    next();
  });
  app.addHook('onSend', (_request, reply, _payload, next) => {
    // A client that keeps its connection would send the next request on one that is about to end.
    if (began.signal.aborted) reply.header('connection', 'close');
    next();
  });
  return (last, _options, done) => {
    last.addHook('preClose', (closed) => {
      if (open === 0) {
        closed();
        return;
      }
      const timer = setTimeout(closed, LONGEST_MS);
      onIdle = () => {
        clearTimeout(timer);
        onIdle = () => undefined;
        closed();
      };
    });
    done();
  };
}
