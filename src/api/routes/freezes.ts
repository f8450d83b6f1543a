import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { callerOf } from '../caller.ts';
import { mutationCodes } from '../acceptance.ts';
import { refuseBody } from '../guards.ts';
import { answers } from '../schemas/answers.ts';
import { dryRunQuery, freezeParams, noQuery } from '../schemas/parameters.ts';
import { freezeAnswer, freezePreviewAnswer, freezesAnswer } from '../schemas/freezes.ts';
import { freezeBody } from '../schemas/request-bodies.ts';

const tags = ['freezes'];

/** For a while no operation of a product, or in a cell, is accepted. */
export const freezeRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.get(
    '/api/v1/freezes',
    {
      schema: {
        operationId: 'listFreezes',
        summary: 'List the freezes in force',
        tags,
        querystring: noQuery,
        response: answers({ 200: freezesAnswer }),
      },
    },
    async (request) => ({ freezes: await client.freezes(callerOf(request)) }),
  );

  app.post(
    '/api/v1/freezes',
    {
      schema: {
        operationId: 'freeze',
        summary: 'Accept no new operation of a product or in a cell',
        description:
          'Once it is answered no operation is accepted any more (423 `FROZEN`). Open ones go on to their end or their hold, and take ' +
          '`retry`, `cancel` and `abandon`.',
        tags,
        querystring: dryRunQuery,
        body: freezeBody,
        response: answers({ 200: freezePreviewAnswer, 201: freezeAnswer }, [...mutationCodes, 'UNKNOWN_PRODUCT']),
      },
    },
    async (request, reply) => {
      if (request.query.dryRun) return client.previewFreeze(callerOf(request), request.body);
      return reply.code(201).send(await client.freeze(callerOf(request), request.body));
    },
  );

  app.delete(
    '/api/v1/freezes/:freezeId',
    {
      preValidation: refuseBody,
      schema: {
        operationId: 'liftFreeze',
        summary: 'Lift a freeze',
        tags,
        params: freezeParams,
        querystring: dryRunQuery,
        response: answers({ 200: z.union([freezePreviewAnswer, freezeAnswer]) }, [
          ...mutationCodes,
          'FREEZE_NOT_FOUND',
        ]),
      },
    },
    async (request) => {
      const { params, query } = request;
      if (query.dryRun) return client.previewLift(callerOf(request), params.freezeId);
      return client.lift(callerOf(request), params.freezeId);
    },
  );
  done();
};
