import { createServer, type Server } from 'node:http';
import { listenOn } from '../port-taken.ts';

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
  const name = `port ${port} (TENANTRY_WORKER_HEALTH_PORT)`;
  return listenOn(server, port, `${name} is taken by another process: choose another, or leave it unset`);
}
