import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ModeRequest } from '../../client/choices.ts';
import type { TenantryClient } from '../../client/tenantry.ts';
import { JSON_TYPE, MERGE_PATCH_TYPE } from '../bodies.ts';
import { callerOf } from '../caller.ts';
import { ifMatchOf } from '../preconditions.ts';
import { answerOutcome, changeCodes } from '../acceptance.ts';
import { acceptedAnswer, finishedAnswer, changedTenantAnswer } from '../schemas/tenants.ts';
import { answers } from '../schemas/answers.ts';
import { changeModeBody, changeTenantBody, migrateBody, scaleTenantBody } from '../schemas/request-bodies.ts';
import { dryRunQuery, tenantParams } from '../schemas/parameters.ts';
import { previewAnswer } from '../schemas/previews.ts';

const response = answers(
  { 200: z.union([previewAnswer, finishedAnswer, changedTenantAnswer]), 202: acceptedAnswer },
  changeCodes,
);

/** Other settings for an active tenant, another mode, another tier, or other credentials. */
export const changeRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.patch(
    '/api/v1/tenants/:tenantId',
    {
      config: { takesIfMatch: true, waits: true },
      schema: {
        operationId: 'changeTenant',
        summary: 'Change the settings of an active tenant, or what it is called and who is written to',
        consumes: [JSON_TYPE, MERGE_PATCH_TYPE],
        description:
          '`settings` is merged into what is desired (RFC 7396: null takes a choice back). Answers 202 when an operation carries the ' +
          'change out, 200 when nothing has to be; `displayName` and `contactEmail` are changed at once, whatever its operations are at, in a ' +
          'request of their own. What cannot be changed in place is refused with 422, and nothing is changed.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: dryRunQuery,
        body: changeTenantBody,
        response,
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const body = { ...request.body, ifMatch: ifMatchOf(request) };
      if (query.dryRun) return client.previewChange(callerOf(request), params.tenantId, body);
      const outcome = await client.changeTenant(callerOf(request), params.tenantId, body);
      return answerOutcome(reply, outcome, { client, caller: callerOf(request) });
    },
  );

  app.post(
    '/api/v1/tenants/:tenantId/scale',
    {
      config: { takesIfMatch: true, waits: true },
      schema: {
        operationId: 'scaleTenant',
        summary: "Change the number of tasks of one of an active tenant's services",
        description: 'The same as PATCH with `settings.services.<service>.count`.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: dryRunQuery,
        body: scaleTenantBody,
        response,
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const body = { ...request.body, ifMatch: ifMatchOf(request) };
      if (query.dryRun) return client.previewScaling(callerOf(request), params.tenantId, body);
      const outcome = await client.scaleTenant(callerOf(request), params.tenantId, body);
      return answerOutcome(reply, outcome, { client, caller: callerOf(request) });
    },
  );

  const modeOf = (request: ModeRequest, about: { operationId: string; summary: string; description: string }) =>
    app.post(
      `/api/v1/tenants/:tenantId/${request}`,
      {
        config: { takesIfMatch: true, waits: true },
        schema: {
          ...about,
          tags: ['tenants'],
          params: tenantParams,
          querystring: dryRunQuery,
          body: changeModeBody,
          response,
        },
      },
      async (asked, reply) => {
        const { params, query } = asked;
        const body = { ...asked.body, ifMatch: ifMatchOf(asked) };
        const caller = callerOf(asked);
        if (query.dryRun) return client.previewMode(caller, params.tenantId, request, body);
        const outcome = await client.changeMode(caller, params.tenantId, request, body);
        return answerOutcome(reply, outcome, { client, caller });
      },
    );
  modeOf('suspend', {
    operationId: 'suspendTenant',
    summary: 'Suspend an active tenant',
    description:
      'A notice (503) answers at its host, and no task of it runs; nothing is lost. Answers 202 when an operation carries that out, ' +
      '200 when it is suspended already.',
  });
  modeOf('resume', {
    operationId: 'resumeTenant',
    summary: 'Resume a suspended tenant',
    description:
      'Its services run as many tasks as before; the notice goes once they are healthy. Answers 202 when an operation carries that ' +
      'out, 200 when it is active already.',
  });

  app.post(
    '/api/v1/tenants/:tenantId/migrate',
    {
      config: { takesIfMatch: true, waits: true },
      schema: {
        operationId: 'migrateTenant',
        summary: 'Bring an active tenant to another tier',
        description:
          'Only by a change that its product declares; any other is refused with 422, and the details name those that there are. Steps that ' +
          'exist on the way only are removed past the commit, or by the undo, which leaves the tenant in its tier as it was. Answers 202.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: dryRunQuery,
        body: migrateBody,
        response,
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const body = { ...request.body, ifMatch: ifMatchOf(request) };
      if (query.dryRun) return client.previewMigration(callerOf(request), params.tenantId, body);
      const outcome = await client.migrateTenant(callerOf(request), params.tenantId, body);
      return answerOutcome(reply, outcome, { client, caller: callerOf(request) });
    },
  );

  app.post(
    '/api/v1/tenants/:tenantId/rotate',
    {
      config: { takesIfMatch: true, waits: true },
      schema: {
        operationId: 'rotateTenant',
        summary: "Rotate an active tenant's credentials",
        description:
          'Its services get a new login to its schema, with a new password; once no task has the one before, that is revoked. ' +
          'Answers 202; a product whose services log in to no schema is refused with 422.',
        tags: ['tenants'],
        params: tenantParams,
        querystring: dryRunQuery,
        body: changeModeBody,
        response,
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const body = { ...request.body, ifMatch: ifMatchOf(request) };
      if (query.dryRun) return client.previewRotation(callerOf(request), params.tenantId, body);
      const outcome = await client.rotateTenant(callerOf(request), params.tenantId, body);
      return answerOutcome(reply, outcome, { client, caller: callerOf(request) });
    },
  );
  done();
};
