import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import { maskedUrl } from './masked-url.ts';

/** The log with requests as Fastify writes them, but without the credentials that URLs may hold. */
export function withoutCredentials(log: FastifyBaseLogger): FastifyBaseLogger {
  return log.child({}, { serializers: { req: requestLine } });
}

function requestLine({ host, ip, method, socket, url }: FastifyRequest): object {
  return { method, url: maskedUrl(url), host, remoteAddress: ip, remotePort: socket.remotePort };
}
