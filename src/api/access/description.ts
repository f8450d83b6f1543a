import type { SwaggerTransform } from '@fastify/swagger';
import { accessRowOf } from './access-table.ts';

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

/** Adds to each operation who may call it: `security`, and the roles as `x-roles`. */
export function describeAccess(transform: SwaggerTransform): SwaggerTransform {
  return (given) => {
    const { schema, url } = transform(given);
    const { method } = given.route;
    const [first = 'GET'] = [method].flat();
    const row = accessRowOf({ method: first, url: given.url, operationId: given.schema.operationId });
    if (!row || schema.hide === true) return { schema, url };
    const security: Record<string, string[]>[] = [
      { bearer: [] },
      ...(row.takesTicket === true ? [{ ticket: [] }] : []),
    ];
    const access = row.roles === 'anybody' ? { security: [] } : { security, 'x-roles': row.roles };
    return { schema: { ...schema, ...access }, url };
  };
}
