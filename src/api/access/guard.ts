import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { z } from 'zod';
import { RequestError } from '../../client/request-error.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import { callerOf } from '../caller.ts';
import type { Gate } from '../limits/limits.ts';
import { accessRowOf, accessTable, type AccessRow } from './access-table.ts';
import { identify, type Identified } from './authentication.ts';
import type { Authenticator } from './authenticator.ts';
import type { Identity } from './identity.ts';
import type { RefusalAudit } from './refusal-audit.ts';
import { resolveName } from './tenant-names.ts';
import { identifyByTicket, ticketOf } from './tickets.ts';

/** What a request is refused for before any route looks at it. */
export interface Guard {
  readonly authenticators: readonly Authenticator[];
  readonly client: Pick<TenantryClient, 'assertReachable' | 'resolveName' | 'useStreamTicket'>;
  readonly audit: RefusalAudit;
  readonly gate: Pick<Gate, 'admit' | 'takeOfTenant'>;
}

/**
 * Holds every request against the table of access: who asks, whether the role may, whether the tenant is one that the caller reaches.
 * To be called before the routes are registered: one without a row is an error then.
 */
export function guardAccess(app: FastifyInstance, { authenticators, client, gate, audit }: Guard): void {
  app.decorateRequest('identity', undefined);
  app.decorateRequest('identified', undefined);
  app.addHook('onRoute', refuseRouteWithoutRow);
  const audited = async (request: FastifyRequest, check: () => Promise<void> | void) => {
    try {
      await check();
    } catch (error) {
      await audit(request, error, tenantOf(request));
      throw error;
    }
  };
  app.addHook('onRequest', async (request, reply) => {
    const row = rowOf(request);
    if (row?.roles === 'anybody') return;
    await audited(request, async () => {
      request.identity = await gate.admit(request, reply, async () => {
        request.identified = await identifiedBy(request, row, { authenticators, client });
        return request.identified.identity;
      });
      nameInLog(request, reply, request.identity);
      if (!row) return;
      refuseRole(request.identity, row);
      await resolveName(request, client);
      await refuseTenant(request, row, client);
      gate.takeOfTenant(request, reply, tenantOf(request));
    });
  });
  app.addHook('preHandler', (request) => audited(request, () => refuseField(request)));
}

function identifiedBy(
  request: FastifyRequest,
  row: AccessRow | undefined,
  { authenticators, client }: Pick<Guard, 'authenticators' | 'client'>,
): Promise<Identified> {
  const ticket = row?.takesTicket === true ? ticketOf(request) : undefined;
  if (ticket === undefined) return identify(request, authenticators);
  const { authorization } = request.headers;
  return identifyByTicket({ ticket, tenantId: tenantOf(request), authorization }, authenticators, client);
}

/** From here on each entry that the request leaves in the log says who asks, the last one too. */
function nameInLog(request: FastifyRequest, reply: FastifyReply, { principal, role }: Identity): void {
  request.log = reply.log = request.log.child({ caller: { principal, role } });
}

function refuseRouteWithoutRow({ method, url, schema }: RouteOptions): void {
  for (const each of [method].flat())
    if (!accessRowOf({ method: each, url, operationId: schema?.operationId }))
      throw new Error(`the route ${each} ${url} has no row in the table of access (src/api/access/access-table.ts)`);
}

/** Undefined where no route takes the request. */
function rowOf({ method, routeOptions: { schema, url } }: FastifyRequest): AccessRow | undefined {
  return url === undefined ? undefined : accessRowOf({ method, url, operationId: schema?.operationId });
}

/** @throws RequestError FORBIDDEN */
export function refuseRole({ role }: Identity, { roles }: AccessRow): void {
  if (roles === 'anybody' || roles.includes(role)) return;
  throw new RequestError('FORBIDDEN', `the role ${role} does not allow this; ${roles.join(' or ')} does`, {
    details: { role, roles },
  });
}

/** Before the body is read, so that nothing but the name of the tenant decides. One that is no id is refused by its schema. */
async function refuseTenant(request: FastifyRequest, { check }: AccessRow, client: Guard['client']): Promise<void> {
  const tenantId = tenantOf(request);
  if (check === 'its tenant' && tenantId !== undefined) await client.assertReachable(callerOf(request), tenantId);
}

/** As the path names it. */
function tenantOf({ params }: FastifyRequest): string | undefined {
  const named = tenantNamed.safeParse(params).data;
  return z.uuid().safeParse((named?.tenantId ?? named?.accountId)?.toLowerCase()).data;
}

const tenantNamed = z.object({ tenantId: z.string().optional(), accountId: z.string().optional() });

/** A field of the body that a role may not send, though it may send the request. */
function refuseField({ body, identity, routeOptions }: FastifyRequest): void {
  if (identity?.role !== 'tenant-admin' || routeOptions.schema?.operationId !== 'changeTenant') return;
  if (z.object({ refresh: z.literal(true) }).safeParse(body).success)
    throw new RequestError('FORBIDDEN', `the role ${identity.role} does not allow refresh: it brings a new release`, {
      details: { role: identity.role, roles: accessTable.migrateTenant.roles, field: 'body.refresh' },
    });
}
