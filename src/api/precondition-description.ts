import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { z } from 'zod';

type Transform = NonNullable<FastifyDynamicSwaggerOptions['transform']>;

const ifMatch = {
  type: 'string',
  description:
    '`*`, or entity tags as the header `ETag` of a GET has them: unless one of them is the current one, the request is refused with 412, and ' +
    'nothing is changed. A weak tag is never the current one',
};
const etag = {
  type: 'string',
  description: 'Names what callers have chosen, for `If-Match`; what runs and looks make of it is no part of that',
};

/** Routes whose answer 200 has the header `ETag`. */
const tagged = new Set([
  ...['getTenant', 'listSettings', 'getAccount', 'getWebhook', 'changeWebhook', 'changeTenant', 'scaleTenant'],
  ...['suspendTenant', 'resumeTenant', 'migrateTenant', 'rotateTenant', 'deleteTenant'],
]);

/** The header `If-Match` of routes that take it, and `ETag` of answers that have it. */
export function describingPreconditions(transform: Transform): Transform {
  return (given) => {
    const described = transform(given);
    const { schema } = described;
    const takes = given.route.config?.takesIfMatch === true;
    const statuses = [...(tagged.has(given.schema.operationId ?? '') ? ['200'] : []), ...(takes ? ['412'] : [])];
    if (statuses.length === 0) return described;
    const headers = takes ? { headers: withIfMatch(schema.headers) } : {};
    return { ...described, schema: { ...schema, ...headers, response: withTags(schema.response, statuses) } };
  };
}

const headersShape = z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() });

function withIfMatch(headers: unknown): unknown {
  const { properties, ...rest } = headersShape.parse(headers ?? {});
  return { ...rest, type: 'object', properties: { ...properties, 'If-Match': ifMatch } };
}

const answersShape = z.record(z.string(), z.looseObject({ headers: z.record(z.string(), z.unknown()).optional() }));

function withTags(response: unknown, statuses: readonly string[]): unknown {
  return Object.fromEntries(
    Object.entries(answersShape.parse(response)).map(([status, answer]) => [
      status,
      statuses.includes(status) ? { ...answer, headers: { ...answer.headers, ETag: etag } } : answer,
    ]),
  );
}
