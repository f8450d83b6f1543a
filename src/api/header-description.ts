import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { z } from 'zod';

type Transform = NonNullable<FastifyDynamicSwaggerOptions['transform']>;

const tag = String.raw`(?:W/)?"[!#-~]*"`;
const ifMatch = {
  type: 'string',
  pattern: String.raw`^(?:\*|${tag}(?:[ \t]*,[ \t]*${tag})*)$`,
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
  ...['createTenant', 'repairTenant', 'cancelOperation', 'retryOperation'],
]);

const prefer = {
  type: 'string',
  description:
    '`wait=N`: the answer comes when the operation has ended, or after N seconds, 60 at most (RFC 7240). What cannot be read is ignored',
};
const location = { type: 'string', description: 'Where it can be read' };
const applied = { type: 'string', description: 'The preferences that were followed: `wait=30`' };

/** The header `Prefer` of routes that wait when they are asked to. */
export function describingPreferences(transform: Transform): Transform {
  return (given) => {
    const described = transform(given);
    const { schema } = described;
    if (given.route.config?.waits !== true) return described;
    const headers = withParameter(schema.headers, { Prefer: prefer });
    const followed = withHeaders(schema.response, ['200', '201', '202'], { 'Preference-Applied': applied });
    const response = withHeaders(followed, ['200', '201', '202'], { Location: location });
    return { ...described, schema: { ...schema, headers, response } };
  };
}

/** The header `If-Match` of routes that take it, and `ETag` of answers that have it. */
export function describingPreconditions(transform: Transform): Transform {
  return (given) => {
    const described = transform(given);
    const { schema } = described;
    const takes = given.route.config?.takesIfMatch === true;
    const statuses = [...(tagged.has(given.schema.operationId ?? '') ? ['200'] : []), ...(takes ? ['412'] : [])];
    if (statuses.length === 0) return described;
    const headers = takes ? { headers: withParameter(schema.headers, { 'If-Match': ifMatch }) } : {};
    return {
      ...described,
      schema: { ...schema, ...headers, response: withHeaders(schema.response, statuses, { ETag: etag }) },
    };
  };
}

const headersShape = z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() });

function withParameter(headers: unknown, parameter: Readonly<Record<string, unknown>>): unknown {
  const { properties, ...rest } = headersShape.parse(headers ?? {});
  return { ...rest, type: 'object', properties: { ...properties, ...parameter } };
}

const answersShape = z.record(z.string(), z.looseObject({ headers: z.record(z.string(), z.unknown()).optional() }));

function withHeaders(
  response: unknown,
  statuses: readonly string[],
  headers: Readonly<Record<string, unknown>>,
): unknown {
  return Object.fromEntries(
    Object.entries(answersShape.parse(response)).map(([status, answer]) => [
      status,
      statuses.includes(status) ? { ...answer, headers: { ...answer.headers, ...headers } } : answer,
    ]),
  );
}
