import type { FastifyInstance } from 'fastify';
import { RequestError } from '../../client/request-error.ts';
import { tenantNamedBy, type Gate } from './limits.ts';

/** Lines of headers; what Node.js takes beyond its own count it would drop unsaid. */
const MOST_HEADERS = 100;

/** To be called before the routes are registered, and before callers are asked who they are. */
export function guardLimits(app: FastifyInstance, gate: Gate): void {
  app.decorate('streams', gate.streams);
  app.decorateRequest('endTurn', () => undefined);
  app.addHook('onRequest', ({ raw }, _reply, next) => {
    if (raw.rawHeaders.length / 2 > MOST_HEADERS)
      throw new RequestError('HEADERS_TOO_LARGE', `the request has more than ${MOST_HEADERS} headers`);
    next();
  });
  app.addHook('preHandler', (request, reply, next) => {
    gate.takeOfTenant(request, reply, tenantNamedBy(request));
    next();
  });
}
