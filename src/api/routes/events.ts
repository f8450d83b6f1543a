import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { RequestError } from '../../client/request-error.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import { callerOf } from '../caller.ts';
import { streamEvents, streamHeaders, type StreamTimes } from '../event-stream.ts';
import { answers, eventsAnswer, eventsQuery, tenantCodes, tenantParams } from '../schemas.ts';

/** What happened to a tenant: pages of JSON, or a live stream for `Accept: text/event-stream`. */
export const eventRoutes: FastifyPluginCallbackZod<{ client: TenantryClient; times: StreamTimes }> = (
  app,
  { client, times },
  done,
) => {
  const closing = new AbortController();
  app.addHook('preClose', (closed) => {
    closing.abort();
    closed();
  });

  app.get(
    '/api/v1/tenants/:tenantId/events',
    {
      schema: {
        operationId: 'listEvents',
        summary: 'Events of a tenant, oldest first',
        description:
          'JSON, a page at a time: give `nextAfter` as `after` to read on. With `Accept: text/event-stream` a live ' +
          'stream: `id` is the event id, `event` its type, `data` the event as JSON; the header `Last-Event-ID` ' +
          '(or `after`) resumes it.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: eventsQuery,
        response: answers(
          {
            200: {
              description: 'A page of events, or the live stream',
              content: { 'application/json': { schema: eventsAnswer }, 'text/event-stream': { schema: z.string() } },
            },
          },
          [...tenantCodes, 'TOO_MANY_STREAMS'],
        ),
      },
    },
    async (request, reply) => {
      const { tenantId } = request.params;
      const { limit } = request.query;
      const after = lastEventId(request) ?? request.query.after;
      const caller = callerOf(request);
      const events = await client.events(caller, tenantId, { after, limit });
      if (!wantsStream(request)) return { events, nextAfter: events.at(-1)?.id ?? after };
      if (request.method === 'HEAD') return reply.headers(streamHeaders).send();
      const end = app.streams.acquire(caller.principal);
      try {
        reply.hijack();
        setHeaders(reply);
        request.endTurn();
        await streamEvents(reply.raw, client, {
          caller,
          tenantId,
          after,
          times,
          closing: closing.signal,
          log: request.log,
        });
      } finally {
        end();
      }
      return reply;
    },
  );

  done();
};

/** Those that Fastify would have sent with an answer of its own. */
function setHeaders(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
}

function wantsStream(request: FastifyRequest): boolean {
  return /(^|,)\s*text\/event-stream\b/i.test(request.headers.accept ?? '');
}

function lastEventId(request: FastifyRequest): number | undefined {
  const given = request.headers['last-event-id'];
  if (given === undefined || given === '' || !wantsStream(request)) return undefined;
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Number(given);
  throw new RequestError('INVALID_INPUT', 'the header Last-Event-ID must be the id of an event', {
    details: { header: 'last-event-id' },
  });
}
