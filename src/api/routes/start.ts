import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { answers } from '../schemas/answers.ts';
import { noQuery } from '../schemas/parameters.ts';
import { startAnswer } from '../schemas/processes.ts';

const start = { name: 'Tenantry', docs: '/docs', openapi: '/openapi.json' } as const;

/** For whoever opens the address that the API listens on. */
export const startRoutes: FastifyPluginCallbackZod = (app, _options, done) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'getStart',
        summary: 'Where this API is described',
        tags: ['operation of the service'],
        querystring: noQuery,
        response: answers({ 200: startAnswer }),
      },
    },
    () => start,
  );
  done();
};
