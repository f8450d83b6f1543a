import { createServer, type Server } from 'node:http';
import { isPortTaken, PortTakenError } from '../port-taken.ts';

/**
 * Health of the worker process, for the orchestrator that runs it: `/healthz` (alive), `/readyz` (polling).
 * @throws PortTakenError
 */
export function startHealthServer(port: number, isReady: () => boolean): Promise<Server> {
  const server = createServer((request, response) => {
    const ok = request.url === '/healthz' || (request.url === '/readyz' && isReady());
    const known = request.url === '/healthz' || request.url === '/readyz';
    response.writeHead(ok ? 200 : known ? 503 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ok }));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(isPortTaken(cause) ? portTaken(cause, port) : cause));
    server.listen(port, () => resolve(server));
  });
}

function portTaken(cause: Error, port: number): PortTakenError {
  return new PortTakenError(
    `port ${port} (TENANTRY_WORKER_HEALTH_PORT) is taken by another process: choose another, or leave it unset`,
    { cause },
  );
}
