import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { creationCodes } from '../acceptance.ts';
import { callerOf } from '../caller.ts';
import { answerError } from '../error-answers.ts';
import { workersAt } from '../idempotency-keys.ts';
import { withTag } from '../preconditions.ts';
import { preferencesOf, waitSignal, withApplied } from '../preferences.ts';
import type { ProductDoor } from '../product-doors.ts';
import { WHAT_IS_CERTIFIED } from '../routes/certificates.ts';
import { answers } from '../schemas/answers.ts';
import { certificateAnswer } from '../schemas/certificates.ts';
import { noQuery } from '../schemas/parameters.ts';
import { previewAnswer } from '../schemas/previews.ts';
import { accountTenant, createAccount, listAccounts, readAccount, readStatus } from './accounts.ts';
import { changeRoutes } from './change-routes.ts';
import { inputOf, PRODUCT } from './requests.ts';
import {
  acceptedAccountAnswer,
  accountAnswer,
  accountParams,
  accountsAnswer,
  accountStatusAnswer,
  createAccountBody,
  createAccountQuery,
  listAccountsQuery,
  REPEATS,
} from './schemas.ts';
import { errorInTerms, previewInTerms } from './terms.ts';

const tag = { name: 'accounts', description: 'Accounts, public or private: tenants of the product of that name' };
const tags = [tag.name];

/** `/accounts` (requirements R-ACC-02, R-ACC-03, R-ACC-08, C-11, C-13). */
export const accountsDoor: ProductDoor = {
  product: PRODUCT,
  tag,
  register: async (app, deps) => {
    app.setErrorHandler((error, request, reply) => answerError(errorInTerms(error), request, reply));
    await app.register(creation, deps);
    await app.register(changeRoutes, { ...deps, tags });
    await app.register(looks, deps);
  },
};

interface Deps {
  readonly client: TenantryClient;
}

const creation: FastifyPluginCallbackZod<Deps> = (app, { client }, done) => {
  const waitOf = (request: FastifyRequest, reply: FastifyReply, waitMs: number | undefined) => {
    // What waits holds no connection of the database; the rate and the pace of changes bound how many do.
    request.endTurn();
    return { caller: callerOf(request), log: request.log, waitMs, signal: waitSignal(request, reply) };
  };

  app.post(
    '/accounts',
    {
      config: { waits: true },
      schema: {
        operationId: 'createAccount',
        summary: 'Create an account',
        description:
          'Answers 201 once the account is active, else 202: `provisioningStatus` says how far it is, and `statusUrl` tells the rest. A public ' +
          'account is waited for, some seconds at most; a private one takes minutes. One that fails is taken back at once: the request was ' +
          'accepted all the same, so a failure that is waited for (`wait=true`) is answered with 202 too. `provisioningStatus` is `failed` then, here ' +
          'and in the status, and `provisioningError` says why.' +
          REPEATS,
        tags,
        querystring: createAccountQuery,
        body: createAccountBody,
        response: answers(
          { 200: previewAnswer, 201: acceptedAccountAnswer, 202: acceptedAccountAnswer },
          creationCodes,
        ),
      },
    },
    async (request, reply) => {
      const { body, query } = request;
      if (query.dryRun) return previewInTerms(await client.previewCreation(callerOf(request), inputOf(body)));
      // What the URL says is no preference.
      const { isAsync, waitMs } = query.wait === undefined ? preferencesOf(request) : { isAsync: false };
      withApplied(reply, { isAsync, waitMs });
      const limitMs = waitMs ?? (isAsync ? 0 : undefined);
      const account = await createAccount(client, waitOf(request, reply, limitMs), body, query.wait);
      const status = account.provisioningStatus === 'active' ? 201 : 202;
      return reply
        .code(status)
        .header('location', `/accounts/${account.id}`)
        .send({ ...account, workers: workersAt(request, account.workers) });
    },
  );

  done();
};

const looks: FastifyPluginCallbackZod<Deps> = (app, { client }, done) => {
  app.get(
    '/accounts',
    {
      schema: {
        operationId: 'listAccounts',
        summary: 'List accounts, newest first',
        tags,
        querystring: listAccountsQuery,
        response: answers({ 200: accountsAnswer }),
      },
    },
    async (request) => listAccounts(client, callerOf(request), request.query),
  );

  app.get(
    '/accounts/:accountId',
    {
      schema: {
        operationId: 'getAccount',
        summary: 'Read an account',
        tags,
        params: accountParams,
        querystring: noQuery,
        response: answers({ 200: accountAnswer }, ['TENANT_NOT_FOUND']),
      },
    },
    async (request, reply) => {
      const { account, tag } = await readAccount(client, callerOf(request), request.params.accountId);
      withTag(reply, tag);
      return account;
    },
  );

  app.get(
    '/accounts/:accountId/status',
    {
      schema: {
        operationId: 'getAccountStatus',
        summary: 'How far the newest operation of an account is',
        description: 'Of a removed account it answers `deleted`: its parameters in SSM are gone.',
        tags,
        params: accountParams,
        querystring: noQuery,
        response: answers({ 200: accountStatusAnswer }, ['TENANT_NOT_FOUND']),
      },
    },
    async (request) => readStatus(client, callerOf(request), request.params.accountId),
  );

  app.get(
    '/accounts/:accountId/certificate',
    {
      schema: {
        operationId: 'getAccountCertificate',
        summary: "Read the signed certificate of an account's deletion",
        description: `The same as the certificate of the tenant that the account is. ${WHAT_IS_CERTIFIED}`,
        tags,
        params: accountParams,
        querystring: noQuery,
        response: answers({ 200: certificateAnswer }, ['TENANT_NOT_FOUND', 'CERTIFICATE_NOT_FOUND']),
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { tenantId } = await accountTenant(client, caller, request.params.accountId);
      return client.certificate(caller, tenantId);
    },
  );
  done();
};
