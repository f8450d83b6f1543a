import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import type { WorkersView } from '../../client/views.ts';
import { callerOf } from '../caller.ts';
import { tenantTag } from '../../client/precondition.ts';
import { accepted, creationCodes } from '../acceptance.ts';
import { withTag } from '../preconditions.ts';
import {
  acceptedAnswer,
  finishedAnswer,
  settingsHistoryAnswer,
  statusAnswer,
  tenantDriftAnswer,
  tenantWithOutcomeAnswer,
} from '../schemas/tenants.ts';
import { answers } from '../schemas/answers.ts';
import { createTenantBody } from '../schemas/request-bodies.ts';
import { dryRunQuery, historyQuery, noQuery, tenantCodes, tenantParams } from '../schemas/parameters.ts';
import { previewAnswer } from '../schemas/previews.ts';
import { sparseTenantsAnswer, tenantsAnswer, tenantsQuery } from '../schemas/lists.ts';

/** Create, read and list tenants, and how far they are. */
export const tenantRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.post(
    '/api/v1/tenants',
    {
      config: { waits: true },
      schema: {
        operationId: 'createTenant',
        summary: 'Create a tenant',
        description: 'Accepts the tenant and starts its provisioning; poll `statusUrl`, or read its events.',
        tags: ['tenants'],
        querystring: dryRunQuery,
        body: createTenantBody,
        response: answers({ 200: z.union([previewAnswer, finishedAnswer]), 202: acceptedAnswer }, [
          ...creationCodes,
          'SLUG_TAKEN',
        ]),
      },
    },
    async (request, reply) => {
      const { body, query } = request;
      if (query.dryRun) return client.previewCreation(callerOf(request), body);
      const caller = callerOf(request);
      return accepted(reply, await client.createTenant(caller, body), { client, caller });
    },
  );

  app.get(
    '/api/v1/tenants',
    {
      schema: {
        operationId: 'listTenants',
        summary: 'List tenants, newest first',
        description:
          'Pages follow each other by `cursor`. Tenants that are made or changed meanwhile double or hide no other.',
        tags: ['tenants'],
        querystring: tenantsQuery,
        response: answers({ 200: z.union([tenantsAnswer, sparseTenantsAnswer]) }),
      },
    },
    async (request) => {
      const { status, fields, ...query } = request.query;
      const input = { ...query, ...(status !== undefined && { statuses: status }) };
      return fields ? client.listSparsely(callerOf(request), input, fields) : client.list(callerOf(request), input);
    },
  );

  app.get(
    '/api/v1/tenants/:tenantId',
    {
      schema: {
        operationId: 'getTenant',
        summary: 'Read a tenant',
        tags: ['tenants'],
        params: tenantParams,
        querystring: noQuery,
        response: answers({ 200: tenantWithOutcomeAnswer }, tenantCodes),
      },
    },
    async (request, reply) => {
      const tenant = await client.get(callerOf(request), request.params.tenantId);
      withTag(reply, tenantTag(tenant));
      return withWorkers(client, tenant);
    },
  );

  app.get(
    '/api/v1/tenants/:tenantId/status',
    {
      schema: {
        operationId: 'getTenantStatus',
        summary: 'How far the newest operation of a tenant is',
        tags: ['tenants'],
        params: tenantParams,
        querystring: noQuery,
        response: answers({ 200: statusAnswer }, tenantCodes),
      },
    },
    async (request) => withWorkers(client, await client.status(callerOf(request), request.params.tenantId)),
  );

  app.get(
    '/api/v1/tenants/:tenantId/drift',
    {
      schema: {
        operationId: 'getTenantDrift',
        summary: 'What of a tenant is not as it was applied',
        description: 'As the last look saw it, which workers take by a schedule; `tenantry drift` looks now.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: noQuery,
        response: answers({ 200: tenantDriftAnswer }, tenantCodes),
      },
    },
    async (request) => client.drift(callerOf(request), request.params.tenantId),
  );

  app.get(
    '/api/v1/tenants/:tenantId/settings/history',
    {
      schema: {
        operationId: 'listSettings',
        summary: 'List what was chosen for a tenant, newest first',
        description:
          'Each version with who chose it, what was desired before, and what became of the operation that carries it out.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: historyQuery,
        response: answers({ 200: settingsHistoryAnswer }, tenantCodes),
      },
    },
    async (request, reply) => {
      const { tag, ...page } = await client.settingsHistory(callerOf(request), request.params.tenantId, request.query);
      withTag(reply, tag);
      return page;
    },
  );

  done();
};

/** An open operation goes on only while a worker polls. */
function withWorkers<T extends { readonly outcome: unknown }>(
  client: TenantryClient,
  view: T,
): T & { workers?: WorkersView } {
  return view.outcome === null ? { ...view, workers: client.workers() } : view;
}
