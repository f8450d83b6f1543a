import { Readable } from 'node:stream';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { AuditInput } from '../../client/audit.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import { roles, type Caller } from '../../contracts/caller.ts';
import { callerOf } from '../caller.ts';
import { answers, historyQuery, id } from '../schemas.ts';

const time = z.iso.datetime({ offset: true });
const filter = {
  tenantId: id.optional(),
  principal: z.string().min(1).max(600).optional().describe('Who, as `caller.principal` has it'),
  type: z
    .string()
    .regex(/^[A-Za-z][A-Za-z_.-]{0,60}$/)
    .optional()
    .describe('Type of an event (`operation.accepted`), or code of a refusal (`FORBIDDEN`)'),
  from: time.optional().describe('Nothing earlier'),
  to: time.optional().describe('Nothing at or after it'),
};
const auditQuery = z.strictObject({ ...filter, ...historyQuery.shape });
const exportQuery = z.strictObject(filter);

const entry = z
  .object({
    id: z.string(),
    at: time,
    outcome: z.enum(['recorded', 'refused']),
    type: z.string(),
    tenantId: z.uuid().nullable(),
    operationId: z.uuid().nullable(),
    caller: z
      .object({
        principal: z.string().optional(),
        role: z.enum(roles).optional(),
        requestId: z.string().optional(),
        address: z.string().optional(),
      })
      .nullable()
      .describe('Null: not known; of a refused credential only the request and its address are'),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({
    id: 'AuditEntry',
    description: 'What somebody did to a tenant, or a request that was refused for who asked',
  });
const auditAnswer = z.object({ entries: z.array(entry), nextCursor: z.string().nullable() });

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
