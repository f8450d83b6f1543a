import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestError } from '../client/request-error.ts';

export const JSON_TYPE = 'application/json';
/** RFC 7396; of PATCH only. */
export const MERGE_PATCH_TYPE = 'application/merge-patch+json';

/** Bodies are JSON in UTF-8, as its standard has it; other bytes are refused, where a lenient decoder would store U+FFFD for them. */
export function parseBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser([JSON_TYPE, MERGE_PATCH_TYPE], { parseAs: 'buffer' }, (request, body, done) => {
    refusePatchElsewhere(request);
    const text = decode(body as Buffer);
    // Clients name the type of a body that they leave out; a route that needs one says so.
    if (text === '') done(null);
    else void parseJson(request, text, done);
  });
}

function refusePatchElsewhere({ headers, method }: FastifyRequest): void {
  if (method === 'PATCH' || headers['content-type']?.startsWith(MERGE_PATCH_TYPE) !== true) return;
  throw new RequestError('UNSUPPORTED_MEDIA_TYPE', `${MERGE_PATCH_TYPE} is for PATCH: send ${JSON_TYPE}`);
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new RequestError('INVALID_INPUT', 'the body is not valid UTF-8', { cause });
  }
}
