import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { callerOf } from '../caller.ts';
import { answers } from '../schemas/answers.ts';
import { certificateAnswer, keysAnswer } from '../schemas/certificates.ts';
import { noQuery, tenantCodes, tenantParams } from '../schemas/parameters.ts';

/** Of each route of a certificate. */
export const WHAT_IS_CERTIFIED =
  'Each resource with the moment at which it was seen absent, and what stays for a while. `jws` is the signed text (JWS, ' +
  'flattened JSON), `certificate` the same to be read. It never changes.';

/** What was certified of deletions, and the keys that verify it. */
export const certificateRoutes: FastifyPluginCallbackZod<{ client: TenantryClient }> = (app, { client }, done) => {
  app.get(
    '/api/v1/tenants/:tenantId/certificate',
    {
      schema: {
        operationId: 'getCertificate',
        summary: "Read the signed certificate of a tenant's deletion",
        description: WHAT_IS_CERTIFIED,
        tags: ['tenants'],
        params: tenantParams,
        querystring: noQuery,
        response: answers({ 200: certificateAnswer }, [...tenantCodes, 'CERTIFICATE_NOT_FOUND']),
      },
    },
    async (request) => client.certificate(callerOf(request), request.params.tenantId),
  );

  app.get(
    '/api/v1/keys',
    {
      schema: {
        operationId: 'listKeys',
        summary: 'List the public keys that verify certificates, also those that sign no more',
        tags: ['operation of the service'],
        querystring: noQuery,
        response: answers({ 200: keysAnswer }),
      },
    },
    async (request) => client.keys(callerOf(request)),
  );
  done();
};
