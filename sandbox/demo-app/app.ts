import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBackend } from './backend.ts';
import { createFrontend } from './frontend.ts';
import type { Responder } from './responder.ts';
import { sendJson } from './responder.ts';

export interface DemoAppOptions {
  /** `app` is both others in one: the page at `/`, the rest as the backend. */
  readonly part: 'app' | 'backend' | 'frontend';
  /** `unhealthy` answers 500 on health paths, `crash` exits with code 1 soon after its start. */
  readonly behavior: 'healthy' | 'unhealthy' | 'crash';
  /** Paths that an unhealthy container fails on. */
  readonly healthPaths: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Called when the application ends by itself. */
  readonly onExit: (exitCode: number, reason: string) => void;
}

export interface DemoApp {
  /** Local port on 127.0.0.1. */
  readonly port: number;
  close(): Promise<void>;
}

const crashAfterMs = 25;

/** Starts one container of the demo application: a plain HTTP server on a free local port. */
export async function startDemoApp(options: DemoAppOptions): Promise<DemoApp> {
  const app = responderOf(options);
  const server = http.createServer((request, response) => {
    serve(options, app, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: error instanceof Error ? error.message : String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const close = closer(server, app);
  if (options.behavior === 'crash') {
    setTimeout(() => void close().then(() => options.onExit(1, 'the application exited with code 1')), crashAfterMs);
  }
  return { port: (server.address() as AddressInfo).port, close };
}

function responderOf({ part, environment }: DemoAppOptions): Responder {
  if (part === 'backend') return createBackend(environment);
  const page = createFrontend(environment);
  if (part === 'frontend') return page;
  const rest = createBackend(environment);
  return {
    respond: (request, response, path) => (path === '/' ? page : rest).respond(request, response, path),
    close: () => rest.close(),
  };
}

async function serve(
  options: DemoAppOptions,
  app: Responder,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  if (options.behavior === 'crash') {
    // It never gets as far as to answer: a health check that passes would make its deployment look complete.
    request.destroy();
    return;
  }
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (options.behavior === 'unhealthy' && options.healthPaths.includes(path)) {
    sendJson(response, 500, { status: 'unhealthy' });
    return;
  }
  await app.respond(request, response, path);
}

function closer(server: http.Server, app: Responder): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () => {
    closed ??= (async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await app.close();
    })();
    return closed;
  };
}
