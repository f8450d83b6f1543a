import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import type { EventView } from '../../client/views.ts';
import { accessTable } from '../access/access-table.ts';
import { refuseRole } from '../access/guard.ts';
import { shownTo } from '../access/shown-actors.ts';
import type { RefusalAudit } from '../access/refusal-audit.ts';
import type { Identity } from '../access/identity.ts';
import { callerAs, callerOf } from '../caller.ts';
import { answers } from '../schemas/answers.ts';
import { eventsAnswer } from '../schemas/operations.ts';
import { eventsOrStreamQuery, tenantCodes, tenantParams } from '../schemas/parameters.ts';
import type { StreamAccess } from '../streams/access-watch.ts';
import { streamEvents, streamHeaders } from '../streams/event-stream.ts';
import { refuseFuture, resumeOf } from '../streams/resume.ts';
import type { StreamTimes } from '../streams/times.ts';

interface Options {
  readonly client: Pick<TenantryClient, 'assertReachable' | 'events' | 'newestEvent' | 'subscribe'>;
  readonly times: StreamTimes;
  readonly audit: RefusalAudit;
}

/** What happened to a tenant: pages of JSON, or a live stream for `Accept: text/event-stream` (docs/streams.md). */
export const eventRoutes: FastifyPluginCallbackZod<Options> = (app, { client, times, audit }, done) => {
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
          'JSON, a page at a time: give `nextAfter` as `after` to read on. With `Accept: text/event-stream` or a `ticket` a live ' +
          'stream: `id` is the event id, `event` its type, `data` the event as JSON; the header `Last-Event-ID` ' +
          '(or `after`, which counts where there is no header) resumes it. When the API ends it, the last `event` is `end`, and its `data` has a ' +
          '`reason`: `token-expired`, `access-lost`, `shutting-down` or `unavailable`.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: eventsOrStreamQuery,
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
      const { after, limit, ticket } = request.query;
      if (ticket !== undefined || wantsStream(request)) return openStream(request, reply, { tenantId, after });
      const events = await client.events(callerOf(request), tenantId, { after, limit });
      return { events, nextAfter: events.at(-1)?.id ?? after };
    },
  );

  const openStream = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { tenantId, after }: { readonly tenantId: string; readonly after: number },
  ) => {
    const resume = resumeOf(request, after);
    const caller = callerOf(request);
    refuseFuture(resume, await client.newestEvent(caller, tenantId));
    // A stream that could not send anything is refused while there is a status to refuse it by.
    await client.events(caller, tenantId, { after: resume.after, limit: 1 });
    if (request.method === 'HEAD') return reply.headers(streamHeaders).send();
    const end = app.streams.acquire(caller.principal);
    reply.hijack();
    request.endTurn();
    const source = {
      read: (page: { after: number; limit: number }) => client.events(callerOf(request), tenantId, page),
      shown: (event: EventView) => shownTo(request.identity, event),
      subscribe: (onEvents: () => void) => client.subscribe(caller, tenantId, onEvents),
    };
    const access = accessOf(request, tenantId, { client, audit });
    const about = { after: resume.after, headers: reply.getHeaders(), closing: closing.signal };
    const log = request.log.child({ tenantId });
    await streamEvents(reply.raw, source, { ...about, access, times, log }).finally(end);
    return reply;
  };

  done();
};

/** The stream's credential, and what else it must hold to. */
function accessOf(
  request: FastifyRequest,
  tenantId: string,
  { client, audit }: Pick<Options, 'client' | 'audit'>,
): StreamAccess {
  const { identified } = request;
  if (!identified) throw new Error('nobody was asked who sends this request');
  return {
    identity: identified.identity,
    identifyAgain: identified.again,
    assertAllowed: async (now: Identity) => {
      refuseRole(now, accessTable.listEvents);
      await client.assertReachable(callerAs(request, now), tenantId);
      // What is read from now on is read as who they are now.
      request.identity = now;
    },
    onRefusal: (error) => audit(request, error, tenantId),
  };
}

function wantsStream(request: FastifyRequest): boolean {
  return /(^|,)\s*text\/event-stream\b/i.test(request.headers.accept ?? '');
}
