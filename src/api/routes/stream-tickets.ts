import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { mutationCodes } from '../acceptance.ts';
import { callerOf } from '../caller.ts';
import { refuseBody } from '../guards.ts';
import { answers } from '../schemas/answers.ts';
import { dryRunQuery, tenantCodes, tenantParams } from '../schemas/parameters.ts';
import { time } from '../schemas/fields.ts';

const ticketAnswer = z
  .object({
    ticket: z.string().describe('Shown here only'),
    expiresAt: time,
    url: z.string().describe('Path and query that it opens the stream by'),
  })
  .meta({ id: 'StreamTicket', description: 'Opens one live stream of the tenant' });
const ticketPreview = z
  .object({ dryRun: z.literal(true), expiresAt: time })
  .meta({ id: 'StreamTicketPreview', description: 'A ticket would be made' });

type Client = Pick<TenantryClient, 'createStreamTicket' | 'previewStreamTicket'>;

/** Tickets for browsers, which open a stream without headers (docs/streams.md). */
export const streamTicketRoutes: FastifyPluginCallbackZod<{ client: Client }> = (app, { client }, done) => {
  app.post(
    '/api/v1/tenants/:tenantId/events/tickets',
    {
      preValidation: refuseBody,
      schema: {
        operationId: 'createStreamTicket',
        summary: 'Get a ticket that opens one live stream of a tenant',
        description:
          'For browsers, whose EventSource sends no `Authorization`: the stream is opened by the URL that is answered, once, within 30 s. It is held ' +
          'to the credential of this request: it ends with that, and when it is revoked.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: dryRunQuery,
        response: answers({ 200: ticketPreview, 201: ticketAnswer }, [...mutationCodes, ...tenantCodes]),
      },
    },
    async (request, reply) => {
      const { identified, params, query } = request;
      if (!identified) throw new Error('nobody was asked who sends this request');
      const holder = { ...identified.identity, credential: identified.trace() };
      const asked = [callerOf(request), params.tenantId, holder] as const;
      if (query.dryRun) return client.previewStreamTicket(...asked);
      const made = await client.createStreamTicket(...asked);
      return reply.code(201).header('cache-control', 'no-store').send(made);
    },
  );
  done();
};
