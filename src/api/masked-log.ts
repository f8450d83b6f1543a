import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import { withoutTicket } from '../stream-ticket.ts';

/** The log with requests as Fastify writes them, but without the tickets that URLs may hold. */
export function withoutTickets(log: FastifyBaseLogger): FastifyBaseLogger {
  return log.child({}, { serializers: { req: requestLine } });
}

function requestLine({ host, ip, method, socket, url }: FastifyRequest): object {
  return { method, url: withoutTicket(url), host, remoteAddress: ip, remotePort: socket.remotePort };
}
