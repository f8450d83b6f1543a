import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import { securityHeaders } from './limits/security-headers.ts';
import { errorTable, type ErrorCode, type ErrorInfo } from '../contracts/errors.ts';

/** Answers in the one shape what Node refuses before Fastify sees a request: there is a socket and no request. */
export function answerConnectionError(error: Error & { code?: string }, socket: Socket, log: FastifyBaseLogger): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [code, message] = connectionErrors[error.code ?? ''] ?? malformed;
  const requestId = randomUUID();
  // The error itself holds what was received, credentials and all.
  log.info({ code, reason: error.code ?? error.message, requestId }, 'request refused: it cannot be read');
  // In the middle of an answer, or after it, it would be taken for a part of that or for the next.
  if (socket.writable && answers.get(socket)?.headersSent !== true) socket.write(responseOf(code, message, requestId));
  socket.destroy(error);
}

const answers = new WeakMap<Socket, ServerResponse>();

/** Keeps of each connection the answer that is under way, until request and answer are over. */
export function followAnswers(server: Server): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    answers.set(socket, response);
    const end = () => {
      const isOver = request.complete && response.writableFinished;
      if (isOver && answers.get(socket) === response) answers.delete(socket);
    };
    request.once('end', end);
    response.once('finish', end);
  });
}

const malformed = ['INVALID_INPUT', 'the request is not well-formed HTTP'] as const;
const connectionErrors: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'the headers, or the URL, are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'the request did not arrive as a whole in time'],
};

function responseOf(code: ErrorCode, message: string, requestId: string): string {
  const row: ErrorInfo = errorTable[code];
  const status = row.httpStatus ?? 500;
  const body = JSON.stringify({ error: { code, message, requestId } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    ...Object.entries(securityHeaders).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Node answers `Expect: <anything but 100-continue>` itself, without a body; the header is ignored instead, as RFC 9110 allows. */
export function ignoreUnknownExpectations(server: Server): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
}
