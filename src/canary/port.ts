import { createServer, type Server } from 'node:http';
import { listenOn } from '../port-taken.ts';

/** `/healthz` (the process lives) and `/metrics`, for whoever runs it. @throws PortTakenError */
export function startCanaryPort(port: number, text: () => string): Promise<Server> {
  const server = createServer((request, response) => {
    const isMetrics = request.url === '/metrics';
    const isKnown = isMetrics || request.url === '/healthz';
    const type = isMetrics ? 'text/plain; version=0.0.4' : 'application/json';
    response.writeHead(isKnown ? 200 : 404, { 'content-type': type });
    response.end(isMetrics ? text() : JSON.stringify({ ok: isKnown }));
  });
  return listenOn(server, port, `port ${port} (--port) is taken by another process`);
}
