import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { callerOf } from '../caller.ts';
import { isNamedBySlug } from '../access/tenant-names.ts';
import { ifMatchOf } from '../preconditions.ts';
import { answerOutcome, deletionCodes } from '../acceptance.ts';
import { refuseBody } from '../guards.ts';
import { acceptedAnswer, finishedAnswer, changedTenantAnswer } from '../schemas/tenants.ts';
import { answers } from '../schemas/answers.ts';
import { deleteQuery, tenantParams } from '../schemas/parameters.ts';
import { previewAnswer } from '../schemas/previews.ts';

/** The removal of a tenant. */
export const removalRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.delete(
    '/api/v1/tenants/:tenantId',
    {
      config: { takesIfMatch: true, waits: true },
      preValidation: refuseBody,
      schema: {
        operationId: 'deleteTenant',
        summary: 'Remove a tenant and everything it consists of',
        description:
          'Needs `confirm=<slug>`, or `confirm=<id>` where the path names the tenant by its slug: both are named, so that an old request cannot ' +
          'delete a later tenant of the same slug. A dry run needs neither. Answers 200 when nothing was left to remove, else 202, with the status `deleting`. Nothing is removed before the grace period ends ' +
          '(`deletesAt`); until then `cancel` brings the tenant back to the status that it had. There is none for a tenant that another ' +
          'operation, which is stuck, has left broken. `finalDump` says what is kept of the data, and why, if nothing is; with `export=true` ' +
          'the deletion is refused where nothing can be kept, and the dump may be handed out.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: deleteQuery,
        response: answers(
          { 200: z.union([previewAnswer, finishedAnswer, changedTenantAnswer]), 202: acceptedAnswer },
          deletionCodes,
        ),
      },
    },
    async (request, reply) => {
      if (request.query.dryRun)
        return client.previewDeletion(callerOf(request), request.params.tenantId, {
          exports: request.query.export,
          graceMs: request.query.grace,
          ifMatch: ifMatchOf(request),
        });
      const outcome = await client.deleteTenant(callerOf(request), request.params.tenantId, {
        confirm: request.query.confirm,
        isNamedBySlug: isNamedBySlug(request),
        graceMs: request.query.grace,
        exports: request.query.export,
        ifMatch: ifMatchOf(request),
      });
      return answerOutcome(reply, outcome, { client, caller: callerOf(request) });
    },
  );
  done();
};
