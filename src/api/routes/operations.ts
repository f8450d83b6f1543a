import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { callerOf } from '../caller.ts';
import { answers } from '../schemas/answers.ts';
import { noQuery, operationParams, tenantCodes, tenantParams } from '../schemas/parameters.ts';
import { operationAnswer, operationsAnswer } from '../schemas/operations.ts';

/** The operations of a tenant, newest first. */
export const operationRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.get(
    '/api/v1/tenants/:tenantId/operations',
    {
      schema: {
        operationId: 'listOperations',
        summary: 'List the operations of a tenant, newest first',
        tags: ['operations'],
        params: tenantParams,
        querystring: noQuery,
        response: answers({ 200: operationsAnswer }, tenantCodes),
      },
    },
    async (request) => ({ operations: await client.operations(callerOf(request), request.params.tenantId) }),
  );

  app.get(
    '/api/v1/tenants/:tenantId/operations/:operationId',
    {
      schema: {
        operationId: 'getOperation',
        summary: 'Read an operation',
        tags: ['operations'],
        params: operationParams,
        querystring: noQuery,
        response: answers({ 200: operationAnswer }, [...tenantCodes, 'OPERATION_NOT_FOUND']),
      },
    },
    async (request) => client.operation(callerOf(request), request.params.tenantId, request.params.operationId),
  );

  done();
};
