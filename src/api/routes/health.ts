import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { answers } from '../schemas/answers.ts';
import { healthAnswer, readyAnswer } from '../schemas/processes.ts';
import { noQuery } from '../schemas/parameters.ts';

/** Whether this process lives, and whether all that it needs can be reached. */
export const healthRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'getHealth',
        summary: 'The process lives',
        tags: ['operation of the service'],
        querystring: noQuery,
        response: answers({ 200: healthAnswer }),
      },
    },
    () => ({ ok: true as const }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        summary: 'PostgreSQL, Temporal and the workers can be reached',
        description: 'A process that is about to end is not ready, though it answers still (`TENANTRY_DRAIN_DELAY`).',
        tags: ['operation of the service'],
        querystring: noQuery,
        response: answers({ 200: readyAnswer, 503: readyAnswer }),
      },
    },
    async (_request, reply) => {
      const checks = await client.readiness();
      const draining = app.draining.signal.aborted;
      const ok = !draining && checks.postgresql.ok && checks.temporal.ok && checks.workers.ok;
      return reply.code(ok ? 200 : 503).send({ ok, ...(draining && { draining }), checks });
    },
  );

  done();
};
