import type { SwaggerTransform } from '@fastify/swagger';
import { z } from 'zod';
import { accessRowOf } from '../access/access-table.ts';

const policy = {
  type: 'string',
  description:
    'The limits that the request was counted for: a list of structured fields, `"caller-reads";q=3000;w=60` (draft-ietf-httpapi-ratelimit-headers-10). ' +
    'Absent where none is set',
};
const left = {
  type: 'string',
  description: 'What of each is left, and in how many seconds there is more: `"caller-reads";r=2999;t=1`',
};
const retryAfter = { type: 'integer', description: 'When to try again, in seconds' };

const answersShape = z.record(z.string(), z.looseObject({ headers: z.record(z.string(), z.unknown()).optional() }));

/** The headers of the limits on every answer of routes that are counted; of others no 429. */
export function describingLimits(transform: SwaggerTransform): SwaggerTransform {
  return (given) => {
    const described = transform(given);
    const { data: response } = answersShape.safeParse(described.schema.response);
    if (!response) return described;
    const [method = 'GET'] = [given.route.method].flat();
    const row = accessRowOf({ method, url: given.url, operationId: given.schema.operationId });
    const isCounted = row?.roles !== 'anybody';
    const { 429: refusal, ...others } = response;
    const all = isCounted ? Object.entries(response) : Object.entries(others);
    const withHeaders = all.map(([status, answer]) => {
      if (!isCounted) return [status, answer];
      const own = {
        'RateLimit-Policy': policy,
        RateLimit: left,
        ...(answer === refusal && { 'Retry-After': retryAfter }),
      };
      return [status, { ...answer, headers: { ...answer.headers, ...own } }];
    });
    return { ...described, schema: { ...described.schema, response: Object.fromEntries(withHeaders) } };
  };
}
