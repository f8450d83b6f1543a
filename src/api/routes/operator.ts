import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { callerOf } from '../caller.ts';
import { accepted, controlCodes, mutationCodes } from '../acceptance.ts';
import { refuseBody } from '../guards.ts';
import { abandonBody } from '../schemas/request-bodies.ts';
import { acceptedAnswer, finishedAnswer } from '../schemas/tenants.ts';
import { answers } from '../schemas/answers.ts';
import { dryRunQuery, tenantCodes, tenantParams } from '../schemas/parameters.ts';
import { operationAnswer } from '../schemas/operations.ts';
import { previewAnswer } from '../schemas/previews.ts';

/** What an operator does to the open operation of a tenant: retry, cancel, abandon. */
export const operatorRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  for (const verb of ['retry', 'cancel'] as const) {
    app.post(
      `/api/v1/tenants/:tenantId/${verb}`,
      {
        config: { waits: true },
        preValidation: refuseBody,
        schema: {
          operationId: `${verb}Operation`,
          summary: verb === 'retry' ? 'Continue an operation that is on hold or stuck' : 'Cancel the open operation',
          tags: ['tenants'],
          params: tenantParams,
          querystring: dryRunQuery,
          response: answers({ 200: z.union([previewAnswer, finishedAnswer]), 202: acceptedAnswer }, controlCodes(verb)),
        },
      },
      async (request, reply) => {
        const { params, query } = request;
        if (query.dryRun) return client.previewControl(callerOf(request), params.tenantId, verb);
        const caller = callerOf(request);
        return accepted(reply, await client[verb](caller, params.tenantId), { client, caller });
      },
    );
  }

  app.post(
    '/api/v1/tenants/:tenantId/abandon',
    {
      schema: {
        operationId: 'abandonOperation',
        summary: 'Close a stuck operation without finishing it',
        description:
          'What is left stays in the ledger, and the slug taken, until the tenant is deleted. A tenant in use stays as it is: a repair brings back what is missing.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: dryRunQuery,
        body: abandonBody,
        response: answers({ 200: z.union([previewAnswer, operationAnswer]) }, [
          ...mutationCodes,
          ...tenantCodes,
          'NOT_STUCK',
          'ORCHESTRATOR_UNAVAILABLE',
        ]),
      },
    },
    async (request) => {
      const { body, params, query } = request;
      const audit = { ...body, requestId: request.id };
      if (query.dryRun) return client.previewAbandonment(callerOf(request), params.tenantId, audit);
      return client.abandon(callerOf(request), params.tenantId, audit);
    },
  );
  done();
};
