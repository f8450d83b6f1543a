import { createServer, type Server } from 'node:http';
import { isPortTaken, PortTakenError } from '../port-taken.ts';

/** `/healthz` (the process lives) and `/metrics`, for whoever runs it. @throws PortTakenError */
export function startCanaryPort(port: number, text: () => string): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = { '/healthz': '{"ok":true}', '/metrics': text() }[request.url ?? ''];
    const type = request.url === '/metrics' ? 'text/plain; version=0.0.4' : 'application/json';
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': type });
    response.end(answer ?? '{"ok":false}');
  });
  return new Promise((resolve, reject) => {
    const taken = (cause: Error) => new PortTakenError(`port ${port} (--port) is taken by another process`, { cause });
    server.once('error', (cause) => reject(isPortTaken(cause) ? taken(cause) : cause));
    server.listen(port, () => resolve(server));
  });
}
