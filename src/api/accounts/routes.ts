import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import { changeCodes, creationCodes, deletionCodes } from '../acceptance.ts';
import { callerOf } from '../caller.ts';
import { refuseBody } from '../guards.ts';
import type { ProductDoor } from '../product-doors.ts';
import { answers, dryRunQuery, noQuery, previewAnswer } from '../schemas.ts';
import {
  createAccount,
  deleteAccount,
  listAccounts,
  moveAccount,
  previewDeletion,
  previewMove,
  readAccount,
  readStatus,
} from './accounts.ts';
import { inputOf, PRODUCT } from './requests.ts';
import {
  acceptedAccountAnswer,
  accountAnswer,
  accountParams,
  accountsAnswer,
  accountStatusAnswer,
  createAccountBody,
  createAccountQuery,
  deleteAccountQuery,
  listAccountsQuery,
  moveAccountBody,
} from './schemas.ts';

const tag = { name: 'accounts', description: 'Accounts, public or private: tenants of the product of that name' };
const tags = [tag.name];

/** `/accounts` (requirements R-ACC-02, R-ACC-03, R-ACC-08, C-11, C-13). */
export const accountsDoor: ProductDoor = {
  product: PRODUCT,
  tag,
  register: async (app, deps) => {
    await app.register(changes, deps);
    await app.register(looks, deps);
  },
};

interface Deps {
  readonly client: TenantryClient;
}

const changes: FastifyPluginCallbackZod<Deps> = (app, { client }, done) => {
  const closing = new AbortController();
  app.addHook('preClose', (closed) => {
    closing.abort();
    closed();
  });
  const waitOf = (request: FastifyRequest, reply: FastifyReply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return { caller: callerOf(request), log: request.log, signal: AbortSignal.any([closing.signal, gone.signal]) };
  };

  app.post(
    '/accounts',
    {
      schema: {
        operationId: 'createAccount',
        summary: 'Create an account',
        description:
          'Answers 201 once the account is active, else 202: `provisioningStatus` says how far it is, and `statusUrl` tells the rest. A public ' +
          'account is waited for, some seconds at most; a private one takes minutes. One that fails is taken back at once, and `provisioningError` says why.',
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
      if (query.dryRun) return client.previewCreation(callerOf(request), inputOf(body));
      const account = await createAccount(client, waitOf(request, reply), body, query.wait);
      const status = account.provisioningStatus === 'active' ? 201 : 202;
      return reply.code(status).header('location', `/accounts/${account.id}`).send(account);
    },
  );

  app.post(
    '/accounts/:accountId/move',
    {
      schema: {
        operationId: 'moveAccount',
        summary: 'Move a public account to a table of its own, while services use it',
        description:
          'Answers 202; the account is as it was for its services until its rows are in both tables. Writes wait for seconds at the end. A move ' +
          'that fails before that goes back at once. A private account is refused with 422.',
        tags,
        params: accountParams,
        querystring: dryRunQuery,
        body: moveAccountBody,
        response: answers({ 200: z.union([previewAnswer, accountAnswer]), 202: acceptedAccountAnswer }, changeCodes),
      },
    },
    async (request, reply) => {
      const { body, params, query } = request;
      if (query.dryRun) return previewMove(client, callerOf(request), params.accountId, body);
      const account = await moveAccount(client, callerOf(request), params.accountId, body);
      if (!('operationId' in account)) return account;
      return reply.code(202).header('location', `/accounts/${account.id}`).send(account);
    },
  );

  app.delete(
    '/accounts/:accountId',
    {
      preValidation: refuseBody,
      schema: {
        operationId: 'deleteAccount',
        summary: 'Remove an account with all its rows, and its table if it has one of its own',
        description:
          'Needs `confirm=<id>`, the id of the account typed back, which a dry run does not. Answers 200 when nothing was left to remove, ' +
          'else 202. Nothing is removed before the grace period ends (`deletesAt`), and no row before a final dump is kept, where the cell keeps any.',
        tags,
        params: accountParams,
        querystring: deleteAccountQuery,
        response: answers({ 200: z.union([previewAnswer, accountAnswer]), 202: acceptedAccountAnswer }, deletionCodes),
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      if (query.dryRun) return previewDeletion(client, callerOf(request), params.accountId, query);
      const account = await deleteAccount(client, waitOf(request, reply), params.accountId, query);
      if (!('operationId' in account)) return account;
      return reply.code(202).header('location', `/accounts/${account.id}`).send(account);
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
    async (request) => readAccount(client, callerOf(request), request.params.accountId),
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
  done();
};
