import type { SwaggerTransform } from '@fastify/swagger';
import { z } from 'zod';
import { errorAnswer } from '../schemas/answers.ts';
import { accessRowOf, type AccessRow } from './access-table.ts';

export const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A token of the configured OpenID Connect issuer (`TENANTRY_OIDC_ISSUER`) made for this API, or a service key. Where neither is ' +
      'configured the API listens on the loopback and asks nobody.',
  },
  ticket: {
    type: 'apiKey',
    in: 'query',
    name: 'ticket',
    description: 'Of `createStreamTicket`: opens one live stream, once, within 30 s.',
  },
} as const;

const responses = z.record(z.string(), z.unknown());

/** What the guard may answer before the route does. A caller without any role is refused everywhere. */
function refusalsOf({ check }: AccessRow): Record<string, unknown> {
  const codes = check === 'its tenant' ? 'FORBIDDEN, TENANT_MISMATCH' : 'FORBIDDEN';
  return { 401: errorAnswer.describe('UNAUTHENTICATED'), 403: errorAnswer.describe(codes) };
}

/** Adds to each operation who may call it: `security`, the roles as `x-roles`, and how others are refused. */
export function describeAccess(transform: SwaggerTransform): SwaggerTransform {
  return (given) => {
    const { method } = given.route;
    const [first = 'GET'] = [method].flat();
    const row = accessRowOf({ method: first, url: given.url, operationId: given.schema.operationId });
    const isOpen = row === undefined || row.roles === 'anybody';
    const refused = isOpen || given.schema.hide === true ? {} : refusalsOf(row);
    const response = { ...refused, ...responses.parse(given.schema.response ?? {}) };
    const { schema, url } = transform({ ...given, schema: { ...given.schema, response } });
    if (!row || schema.hide === true) return { schema, url };
    const security: Record<string, string[]>[] = [
      { bearer: [] },
      ...(row.takesTicket === true ? [{ ticket: [] }] : []),
    ];
    const access = row.roles === 'anybody' ? { security: [] } : { security, 'x-roles': row.roles };
    return { schema: { ...schema, ...access }, url };
  };
}
