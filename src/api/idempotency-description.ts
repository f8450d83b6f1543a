import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { KEY_HEADER, keyedMethods, REPLAYED_HEADER } from './idempotency-keys.ts';

type Transform = NonNullable<FastifyDynamicSwaggerOptions['transform']>;

/** The header on every route that changes something, and those of its answers; it is read before the schemas are. */
export function describingKeys(transform: Transform): Transform {
  return (given) => {
    const described = transform(given);
    const { schema, url } = described;
    if (!takesKeys(given.route.method, url)) return described;
    const headers = { type: 'object', properties: { [written(KEY_HEADER)]: keyParameter } };
    return { ...described, schema: { ...schema, headers, response: withHeaders(schema.response) } };
  };
}

const keyParameter = {
  type: 'string',
  // Unquoted, or the string of RFC 9651.
  pattern: String.raw`^(?:[!#-~](?:[ -~]{0,253}[!-~])?|"(?:[ !#-\[\]-~]|\\["\\]){1,255}")$`,
  description:
    'A name for this request, such as a UUID: 1 to 255 printable ASCII characters, or the same as a quoted string (RFC 9651). A repeat of an ' +
    "accepted request under the caller's same key changes nothing more and is answered as the first time was, for 24 hours. A refused request " +
    'leaves its key free, and a dry run takes none',
};

function takesKeys(method: string | readonly string[], url: string): boolean {
  return [method].flat().some((each) => keyedMethods.has(each)) && !url.startsWith('/codec/');
}

const replayed = { type: 'string', enum: ['true'], description: 'The answer was given before, to the same request' };
const retryAfter = { type: 'integer', description: 'Of IDEMPOTENCY_KEY_IN_USE: when to send it again, in seconds' };

function withHeaders(response: unknown): unknown {
  if (typeof response !== 'object' || response === null) return response;
  return Object.fromEntries(
    Object.entries(response).map(([status, answer]: [string, object]) => {
      if (status.startsWith('2')) return [status, { ...answer, headers: { [written(REPLAYED_HEADER)]: replayed } }];
      return [status, status === '409' ? { ...answer, headers: { 'Retry-After': retryAfter } } : answer];
    }),
  );
}

/** As documents write a header: `Idempotency-Key`. */
function written(header: string): string {
  return header.replaceAll(/\b[a-z]/g, (first) => first.toUpperCase());
}
