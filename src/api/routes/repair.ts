import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { callerOf } from '../caller.ts';
import { accepted, mutationCodes } from '../acceptance.ts';
import { acceptedAnswer, finishedAnswer } from '../schemas/tenants.ts';
import { answers } from '../schemas/answers.ts';
import { dryRunQuery, tenantCodes, tenantParams } from '../schemas/parameters.ts';
import { previewAnswer } from '../schemas/previews.ts';
import { repairBody } from '../schemas/request-bodies.ts';

const codes = [
  ...mutationCodes,
  ...tenantCodes,
  'TENANT_NOT_CHANGEABLE',
  'OPERATION_IN_PROGRESS',
  'FROZEN',
  'ORCHESTRATOR_UNAVAILABLE',
] as const;

/** Everything of a tenant is brought back to what was applied. */
export const repairRoute: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.post(
    '/api/v1/tenants/:tenantId/repair',
    {
      config: { waits: true },
      schema: {
        operationId: 'repairTenant',
        summary: 'Bring everything of an active tenant back to what was applied last',
        description:
          'What somebody changed by hand is changed back, what is missing is created again, and the number of tasks of its services ' +
          'stays. What cannot be brought back leaves the operation stuck, with a list of exactly that.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: dryRunQuery,
        body: repairBody,
        response: answers({ 200: z.union([previewAnswer, finishedAnswer]), 202: acceptedAnswer }, codes),
      },
    },
    async (request, reply) => {
      const { body, params, query } = request;
      const caller = callerOf(request);
      if (query.dryRun) return client.previewRepair(caller, params.tenantId);
      return accepted(reply, await client.repairTenant(caller, params.tenantId, body ?? {}), { client, caller });
    },
  );
  done();
};
