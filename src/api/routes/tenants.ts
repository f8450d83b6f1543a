import type { FastifyReply } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import type { AcceptedView } from '../../client/views.ts';
import { refuseBody } from '../guards.ts';
import {
  abandonBody,
  acceptedAnswer,
  answers,
  createTenantBody,
  deleteQuery,
  listQuery,
  noQuery,
  operationAnswer,
  statusAnswer,
  tenantAnswer,
  tenantParams,
  tenantsAnswer,
} from '../schemas.ts';

/** Create, read, list, follow, mend and remove tenants. */
export const tenantRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.post(
    '/api/v1/tenants',
    {
      schema: {
        summary: 'Create a tenant',
        description: 'Accepts the tenant and starts its provisioning; poll `statusUrl`, or read its events.',
        tags: ['tenants'],
        querystring: noQuery,
        body: createTenantBody,
        response: answers({ 202: acceptedAnswer }, [
          ...mutationCodes,
          'UNKNOWN_PRODUCT',
          'SLUG_TAKEN',
          'CELL_FULL',
          'ORCHESTRATOR_UNAVAILABLE',
        ]),
      },
    },
    async (request, reply) => accepted(reply, await client.createTenant(request.body)),
  );

  app.get(
    '/api/v1/tenants',
    {
      schema: {
        summary: 'List tenants, newest first',
        tags: ['tenants'],
        querystring: listQuery,
        response: answers({ 200: tenantsAnswer }),
      },
    },
    async (request) => client.list(request.query),
  );

  app.get(
    '/api/v1/tenants/:tenantId',
    {
      schema: {
        summary: 'Read a tenant',
        tags: ['tenants'],
        params: tenantParams,
        querystring: noQuery,
        response: answers({ 200: tenantAnswer }, ['TENANT_NOT_FOUND']),
      },
    },
    async (request) => client.get(request.params.tenantId),
  );

  app.get(
    '/api/v1/tenants/:tenantId/status',
    {
      schema: {
        summary: 'How far the newest operation of a tenant is',
        tags: ['tenants'],
        params: tenantParams,
        querystring: noQuery,
        response: answers({ 200: statusAnswer }, ['TENANT_NOT_FOUND']),
      },
    },
    async (request) => client.status(request.params.tenantId),
  );

  for (const verb of ['retry', 'cancel'] as const) {
    app.post(
      `/api/v1/tenants/:tenantId/${verb}`,
      {
        preValidation: refuseBody,
        schema: {
          summary: verb === 'retry' ? 'Go on with what holds or is stuck' : 'Take the open operation back',
          tags: ['tenants'],
          params: tenantParams,
          querystring: noQuery,
          response: answers({ 202: acceptedAnswer }, [
            ...mutationCodes,
            'TENANT_NOT_FOUND',
            verb === 'retry' ? 'NOTHING_TO_RETRY' : 'NOT_CANCELLABLE',
            'ORCHESTRATOR_UNAVAILABLE',
          ]),
        },
      },
      async (request, reply) => accepted(reply, await client[verb](request.params.tenantId)),
    );
  }

  app.post(
    '/api/v1/tenants/:tenantId/abandon',
    {
      schema: {
        summary: 'Close a stuck operation as it is',
        description: 'What is left stays in the ledger, and the slug taken, until the tenant is deleted.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: noQuery,
        body: abandonBody,
        response: answers({ 200: operationAnswer }, [
          ...mutationCodes,
          'TENANT_NOT_FOUND',
          'NOT_STUCK',
          'ORCHESTRATOR_UNAVAILABLE',
        ]),
      },
    },
    async (request) => client.abandon(request.params.tenantId, request.body.reason),
  );

  app.delete(
    '/api/v1/tenants/:tenantId',
    {
      preValidation: refuseBody,
      schema: {
        summary: 'Remove a tenant and everything it consists of',
        description: 'Needs `confirm=<slug>`. Answers 200 when nothing was left to remove, else 202.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: deleteQuery,
        response: answers({ 200: tenantAnswer, 202: acceptedAnswer }, [
          ...mutationCodes,
          'CONFIRMATION_REQUIRED',
          'TENANT_NOT_FOUND',
          'TENANT_NOT_DELETABLE',
          'OPERATION_IN_PROGRESS',
          'ORCHESTRATOR_UNAVAILABLE',
        ]),
      },
    },
    async (request, reply) => {
      const outcome = await client.deleteTenant(request.params.tenantId, request.query.confirm);
      return outcome.done ? reply.code(200).send(outcome.tenant) : accepted(reply, outcome.accepted);
    },
  );

  done();
};

const mutationCodes = ['NOT_SUPPORTED', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const;

function accepted(reply: FastifyReply, view: AcceptedView): FastifyReply {
  const url = `/api/v1/tenants/${view.tenantId}`;
  return reply
    .code(202)
    .header('location', url)
    .send({ ...view, statusUrl: `${url}/status` });
}
