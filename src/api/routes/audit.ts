import { Readable } from 'node:stream';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { AuditInput } from '../../client/audit.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import type { Caller } from '../../contracts/caller.ts';
import { callerOf } from '../caller.ts';
import { auditAnswer, auditQuery, exportQuery } from '../audit-schemas.ts';
import { answers } from '../schemas/answers.ts';

/** Who did what, and who was refused what: append-only. */
export const auditRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.get(
    '/api/v1/audit',
    {
      schema: {
        operationId: 'listAudit',
        summary: 'List what was done and what was refused, newest first',
        tags: ['operation of the service'],
        querystring: auditQuery,
        response: answers({ 200: auditAnswer }),
      },
    },
    async (request) => {
      const { limit, cursor, ...given } = request.query;
      return client.audit(callerOf(request), { ...filterOf(given), limit, cursor });
    },
  );

  app.get(
    '/api/v1/audit/export',
    {
      schema: {
        operationId: 'exportAudit',
        summary: 'Read all of the audit trail, newest first, a line of JSON each',
        description: 'NDJSON. An answer that breaks off is not complete: its connection ends without the last chunk.',
        tags: ['operation of the service'],
        querystring: exportQuery,
        response: answers({
          200: { description: 'Entries, one a line', content: { 'application/x-ndjson': { schema: z.string() } } },
        }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const given = filterOf(request.query);
      // What is wrong from the beginning is answered as an error, not as an empty stream.
      const first = await client.audit(caller, { ...given, limit: PAGE });
      const lines = request.method === 'HEAD' ? [] : linesOf(client, caller, given, first);
      return reply.type('application/x-ndjson; charset=utf-8').send(Readable.from(lines));
    },
  );
  done();
};

const PAGE = 200;
type Page = Awaited<ReturnType<TenantryClient['audit']>>;

async function* linesOf(
  client: TenantryClient,
  caller: Caller,
  given: Omit<AuditInput, 'limit'>,
  first: Page,
): AsyncGenerator<string> {
  for (let page = first; ;) {
    if (page.entries.length > 0) yield page.entries.map((each) => `${JSON.stringify(each)}\n`).join('');
    if (page.nextCursor === null) return;
    page = await client.audit(caller, { ...given, limit: PAGE, cursor: page.nextCursor });
  }
}

function filterOf({ from, to, ...rest }: z.output<typeof exportQuery>): Omit<AuditInput, 'limit'> {
  return {
    ...rest,
    from: from === undefined ? undefined : new Date(from),
    to: to === undefined ? undefined : new Date(to),
  };
}
