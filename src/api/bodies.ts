import type { FastifyInstance } from 'fastify';
import { RequestError } from '../client/request-error.ts';

/** Bodies are JSON in UTF-8, as its standard has it; other bytes are refused, where a lenient decoder would store U+FFFD for them. */
export function parseBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    void parseJson(request, decode(body as Buffer), done);
  });
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new RequestError('INVALID_INPUT', 'the body is not valid UTF-8', { cause });
  }
}
