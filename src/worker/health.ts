import { createServer, type Server } from 'node:http';

/** Health of the worker process, for the orchestrator that runs it: `/healthz` (alive), `/readyz` (polling). */
export function startHealthServer(port: number, isReady: () => boolean): Promise<Server> {
  const server = createServer((request, response) => {
    const ok = request.url === '/healthz' || (request.url === '/readyz' && isReady());
    const known = request.url === '/healthz' || request.url === '/readyz';
    response.writeHead(ok ? 200 : known ? 503 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ok }));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve(server));
  });
}
