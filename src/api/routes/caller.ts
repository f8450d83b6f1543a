import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { givenRoles } from '../../contracts/caller.ts';
import { answers } from '../schemas/answers.ts';
import { time } from '../schemas/fields.ts';
import { noQuery } from '../schemas/parameters.ts';

/** Answer of `GET /api/v1/caller`. */
export const callerAnswer = z
  .object({
    principal: z.string().describe('As it stands in operations, events and the audit'),
    role: z.enum(givenRoles),
    reaches: z
      .enum(['all', 'own', 'named'])
      .describe('Which tenants: all, those that it made, or those that its credential names'),
    expiresAt: time.nullable().describe('When its credential ends; null: it has none'),
  })
  .meta({ id: 'CallerIdentity', description: 'Whom the credential of the request stands for' });

/** Whom a request comes from, for programs that have to tell what is theirs. */
export const callerRoutes: FastifyPluginCallbackZod = (app, _options, done) => {
  app.get(
    '/api/v1/caller',
    {
      schema: {
        operationId: 'getCaller',
        summary: 'Say whom the credential of the request stands for',
        tags: ['operation of the service'],
        querystring: noQuery,
        response: answers({ 200: callerAnswer }),
      },
    },
    ({ identity }) => {
      if (!identity) throw new Error('nobody was asked who sends this request');
      const { principal, role, scope, expiresAt } = identity;
      return { principal, role, reaches: reachOf(scope?.kind), expiresAt: expiresAt?.toISOString() ?? null };
    },
  );
  done();
};

function reachOf(kind: 'tenants' | 'own' | undefined): z.infer<typeof callerAnswer>['reaches'] {
  if (kind === undefined) return 'all';
  return kind === 'own' ? 'own' : 'named';
}
