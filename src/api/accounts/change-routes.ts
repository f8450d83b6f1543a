import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import type { PreviewView } from '../../client/views.ts';
import type { Caller } from '../../contracts/caller.ts';
import { changeCodes, controlCodes, deletionCodes } from '../acceptance.ts';
import { JSON_TYPE, MERGE_PATCH_TYPE } from '../bodies.ts';
import { callerOf } from '../caller.ts';
import { refuseBody } from '../guards.ts';
import { ifMatchOf } from '../preconditions.ts';
import { workersAt } from '../idempotency-keys.ts';
import { answers } from '../schemas/answers.ts';
import { dryRunQuery } from '../schemas/parameters.ts';
import { previewAnswer } from '../schemas/previews.ts';
import type { AcceptedAccount } from './accounts.ts';
import {
  changeAccount,
  controlAccount,
  deleteAccount,
  moveAccount,
  previewed,
  type ChangedAccount,
} from './changes.ts';
import { changeOf, deletionOf, moveOf } from './requests.ts';
import {
  acceptedAccountAnswer,
  accountParams,
  changeAccountBody,
  changedAccountAnswer,
  deleteAccountQuery,
  moveAccountBody,
  REPEATS,
} from './schemas.ts';

interface Deps {
  readonly client: TenantryClient;
  readonly tags: string[];
}

const outcomes = { 200: z.union([previewAnswer, changedAccountAnswer]), 202: acceptedAccountAnswer };

/** What changes or removes an account, and what an operator does to its open operation. */
export const changeRoutes: FastifyPluginCallbackZod<Deps> = (app, { client, tags }, done) => {
  const preview = (
    request: FastifyRequest & { readonly params: { readonly accountId: string } },
    ask: (caller: Caller, id: string) => Promise<PreviewView>,
  ) => {
    const [caller, id] = [callerOf(request), request.params.accountId];
    return previewed(client, caller, id, () => ask(caller, id));
  };
  app.patch(
    '/accounts/:accountId',
    {
      config: { takesIfMatch: true },
      schema: {
        operationId: 'changeAccount',
        summary: 'Change what an account says of itself, or its licenses',
        consumes: [JSON_TYPE, MERGE_PATCH_TYPE],
        description:
          'A merge patch (RFC 7396) of the fields that it was created with; its cloud type is changed by a move. Answers 202 when an ' +
          'operation carries the change out, 200 when nothing has to be. A change that fails goes back at once.' +
          REPEATS,
        tags,
        params: accountParams,
        querystring: dryRunQuery,
        body: changeAccountBody,
        response: answers(outcomes, changeCodes),
      },
    },
    async (request, reply) => {
      const { body, params, query } = request;
      const condition = { ifMatch: ifMatchOf(request) };
      if (query.dryRun)
        return preview(request, (caller, id) => client.previewChange(caller, id, { ...changeOf(body), ...condition }));
      return answered(reply, await changeAccount(client, callerOf(request), params.accountId, body, condition));
    },
  );

  app.post(
    '/accounts/:accountId/move',
    {
      config: { takesIfMatch: true },
      schema: {
        operationId: 'moveAccount',
        summary: 'Move a public account to a table of its own, while services use it',
        description:
          'Answers 202; the account is as it was for its services until its rows are in both tables. Writes wait for seconds at the end. A move ' +
          'that fails before that goes back at once. A private account is refused with 422.' +
          REPEATS,
        tags,
        params: accountParams,
        querystring: dryRunQuery,
        body: moveAccountBody,
        response: answers(outcomes, changeCodes),
      },
    },
    async (request, reply) => {
      const { body, params, query } = request;
      const condition = { ifMatch: ifMatchOf(request) };
      if (query.dryRun)
        return preview(request, (caller, id) => client.previewMigration(caller, id, { ...moveOf(body), ...condition }));
      return answered(reply, await moveAccount(client, callerOf(request), params.accountId, body, condition));
    },
  );

  for (const verb of ['retry', 'cancel'] as const) {
    app.post(
      `/accounts/:accountId/${verb}`,
      {
        preValidation: refuseBody,
        schema: {
          operationId: `${verb}Account`,
          summary:
            verb === 'retry'
              ? 'Continue an operation of an account that is on hold or stuck'
              : 'Cancel the open operation of an account',
          description:
            'Answers 202 with the account as the request found it: `statusUrl` tells how it goes on.' + REPEATS,
          tags,
          params: accountParams,
          querystring: dryRunQuery,
          response: answers({ 200: previewAnswer, 202: acceptedAccountAnswer }, controlCodes(verb)),
        },
      },
      async (request, reply) => {
        const { params, query } = request;
        if (query.dryRun) return preview(request, (caller, id) => client.previewControl(caller, id, verb));
        return answered(reply, await controlAccount(client, callerOf(request), params.accountId, verb));
      },
    );
  }

  app.delete(
    '/accounts/:accountId',
    {
      config: { takesIfMatch: true },
      preValidation: refuseBody,
      schema: {
        operationId: 'deleteAccount',
        summary: 'Remove an account with all its rows, and its table if it has one of its own',
        description:
          'Needs `confirm=<id>`, the id of the account typed back, which a dry run does not. Answers 200 when nothing was left to remove, ' +
          'else 202 with `deleting`, also while no worker has begun it. Nothing is removed before the grace period ends (`deletesAt`), and no row ' +
          'before a final dump is kept, where the cell keeps any.' +
          REPEATS,
        tags,
        params: accountParams,
        querystring: deleteAccountQuery,
        response: answers(outcomes, deletionCodes),
      },
    },
    async (request, reply) => {
      const { params } = request;
      const query = { ...request.query, ifMatch: ifMatchOf(request) };
      if (query.dryRun) return preview(request, (caller, id) => client.previewDeletion(caller, id, deletionOf(query)));
      return answered(reply, await deleteAccount(client, callerOf(request), params.accountId, query));
    },
  );
  done();
};

/** 202 for what an operation carries out, else 200. */
function answered(reply: FastifyReply, account: AcceptedAccount | ChangedAccount): FastifyReply {
  if (!('operationId' in account)) return reply.code(200).send(account);
  const workers = workersAt(reply.request, account.workers);
  return reply
    .code(202)
    .header('location', `/accounts/${account.id}`)
    .send({ ...account, workers });
}
