import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { FastifyReply } from 'fastify';
import type { TenantryClient } from '../../client/tenantry.ts';
import type { IsolatedView } from '../../client/views.ts';
import { callerOf } from '../caller.ts';
import { mutationCodes } from '../acceptance.ts';
import { refuseBody } from '../guards.ts';
import { workersAt } from '../idempotency-keys.ts';
import { answers } from '../schemas/answers.ts';
import { dryRunQuery, tenantCodes, tenantParams } from '../schemas/parameters.ts';
import { isolateBody } from '../schemas/request-bodies.ts';
import { isolatedAnswer, isolationPreviewAnswer } from '../schemas/isolations.ts';

const path = '/api/v1/tenants/:tenantId/isolation';
const common = { tags: ['tenants'], params: tenantParams, querystring: dryRunQuery };
const answered = { 200: z.union([isolationPreviewAnswer, isolatedAnswer]), 202: isolatedAnswer };
const codes = [...mutationCodes, ...tenantCodes] as const;

/** A notice in front of a tenant at once, whatever is open or frozen, and away again. */
export const isolationRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  const reply202 = (reply: FastifyReply, { isDone, ...view }: IsolatedView) => {
    const url = `/api/v1/tenants/${view.tenantId}`;
    return reply
      .code(isDone ? 200 : 202)
      .header('location', url)
      .send({ ...view, statusUrl: `${url}/status`, workers: workersAt(reply.request, client.workers()) });
  };

  app.post(
    path,
    {
      schema: {
        operationId: 'isolateTenant',
        summary: 'Let a notice answer in the place of a tenant, at once',
        description:
          'A notice (503) answers at its host before anything else of the tenant, whatever is open, stuck or frozen. Answers 202; ' +
          '`isolation.state` becomes `on` once it is in effect. 200 when it is in effect already.',
        ...common,
        body: isolateBody,
        response: answers(answered, [...codes, 'TENANT_NOT_ISOLATABLE']),
      },
    },
    async (request, reply) => {
      const { body, params, query } = request;
      if (query.dryRun) return client.previewIsolation(callerOf(request), params.tenantId, body);
      return reply202(reply, await client.isolate(callerOf(request), params.tenantId, body));
    },
  );

  app.delete(
    path,
    {
      preValidation: refuseBody,
      schema: {
        operationId: 'liftIsolation',
        summary: "Take the notice of a tenant's isolation away",
        description: 'Answers 202 while the notice may still answer, 200 when the tenant is not isolated.',
        ...common,
        response: answers(answered, codes),
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      if (query.dryRun) return client.previewLifting(callerOf(request), params.tenantId);
      return reply202(reply, await client.liftIsolation(callerOf(request), params.tenantId));
    },
  );
  done();
};
