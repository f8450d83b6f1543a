import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantryClient } from '../../client/tenantry.ts';
import type { WebhookView } from '../../client/webhook-views.ts';
import { mutationCodes } from '../acceptance.ts';
import { callerOf } from '../caller.ts';
import { refuseBody } from '../guards.ts';
import { webhookTag } from '../../client/precondition.ts';
import { ifMatchOf, withTag } from '../preconditions.ts';
import { answers } from '../schemas/answers.ts';
import { dryRunQuery, noQuery } from '../schemas/parameters.ts';
import {
  deliveriesAnswer,
  deliveriesQuery,
  deliveryAnswer,
  deliveryParams,
  deliveryPreviewAnswer,
  replayBody,
  replayedAnswer,
  replayPreviewAnswer,
  rotateWebhookBody,
  webhookAnswer,
  webhookBody,
  webhookParams,
  webhookPatch,
  webhookPreviewAnswer,
  webhooksAnswer,
  webhooksQuery,
  webhookWithSecretAnswer,
} from '../webhook-schemas.ts';

const tags = ['webhooks'];
type Routes = FastifyPluginCallbackZod<{ client: Pick<TenantryClient, 'webhooks'> }>;

/** Where events are told of (docs/webhooks.md). */
export const webhookRoutes: Routes = (app, { client: { webhooks } }, done) => {
  app.post(
    '/api/v1/webhooks',
    {
      schema: {
        operationId: 'createWebhook',
        summary: 'Tell a URL of what tenants and operations come to',
        description:
          'Of all tenants, of a product or of one tenant: of every event that is committed from now on, signed as Standard Webhooks ' +
          'has it. The secret is shown in this answer only.',
        tags,
        querystring: dryRunQuery,
        body: webhookBody,
        response: answers({ 200: webhookPreviewAnswer, 201: webhookWithSecretAnswer }, [
          ...mutationCodes,
          'UNKNOWN_PRODUCT',
          'TENANT_NOT_FOUND',
          'WEBHOOK_LIMIT',
        ]),
      },
    },
    async (request, reply) => {
      const input = { ...request.body, events: request.body.events ?? undefined };
      if (request.query.dryRun) return previewed(await webhooks.preview.create(callerOf(request), input));
      const made = await webhooks.create(callerOf(request), input);
      return reply.code(201).header('location', `/api/v1/webhooks/${made.webhookId}`).send(made);
    },
  );

  app.get(
    '/api/v1/webhooks',
    {
      schema: {
        operationId: 'listWebhooks',
        summary: 'List webhooks, oldest first',
        tags,
        querystring: webhooksQuery,
        response: answers({ 200: webhooksAnswer }),
      },
    },
    (request) => webhooks.list(callerOf(request), request.query),
  );

  app.get(
    '/api/v1/webhooks/:webhookId',
    {
      schema: {
        operationId: 'getWebhook',
        summary: 'Show a webhook, and how much waits for it',
        tags,
        params: webhookParams,
        querystring: noQuery,
        response: answers({ 200: webhookAnswer }, ['WEBHOOK_NOT_FOUND']),
      },
    },
    async (request, reply) => {
      const webhook = await webhooks.get(callerOf(request), request.params.webhookId);
      withTag(reply, webhookTag(webhook));
      return webhook;
    },
  );

  app.patch(
    '/api/v1/webhooks/:webhookId',
    {
      config: { takesIfMatch: true },
      schema: {
        operationId: 'changeWebhook',
        summary: 'Change where a webhook leads, what it is told of, or whether it is told',
        description: 'Another URL, or enabling it, makes all that waits due at once.',
        tags,
        params: webhookParams,
        querystring: dryRunQuery,
        body: webhookPatch,
        response: answers({ 200: z.union([webhookPreviewAnswer, webhookAnswer]) }, [
          ...mutationCodes,
          'PRECONDITION_FAILED',
          'WEBHOOK_NOT_FOUND',
        ]),
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const body = { ...request.body, ifMatch: ifMatchOf(request) };
      if (query.dryRun) return previewed(await webhooks.preview.change(callerOf(request), params.webhookId, body));
      const webhook = await webhooks.change(callerOf(request), params.webhookId, body);
      withTag(reply, webhookTag(webhook));
      return webhook;
    },
  );

  app.delete(
    '/api/v1/webhooks/:webhookId',
    {
      config: { takesIfMatch: true },
      preValidation: refuseBody,
      schema: {
        operationId: 'deleteWebhook',
        summary: 'Delete a webhook; what waits for it is dropped',
        tags,
        params: webhookParams,
        querystring: dryRunQuery,
        response: answers({ 200: z.union([webhookPreviewAnswer, webhookAnswer]) }, [
          ...mutationCodes,
          'PRECONDITION_FAILED',
          'WEBHOOK_NOT_FOUND',
        ]),
      },
    },
    async (request) => {
      const { params, query } = request;
      const asked = [callerOf(request), params.webhookId, { ifMatch: ifMatchOf(request) }] as const;
      return query.dryRun ? previewed(await webhooks.preview.remove(...asked)) : webhooks.remove(...asked);
    },
  );

  app.post(
    '/api/v1/webhooks/:webhookId/rotate',
    {
      schema: {
        operationId: 'rotateWebhook',
        summary: 'Sign with a new secret; the one of before signs beside it for a while',
        description: 'The secret is shown in this answer only.',
        tags,
        params: webhookParams,
        querystring: dryRunQuery,
        body: rotateWebhookBody,
        response: answers({ 200: z.union([webhookPreviewAnswer, webhookWithSecretAnswer]) }, [
          ...mutationCodes,
          'WEBHOOK_NOT_FOUND',
          'WEBHOOK_LIMIT',
        ]),
      },
    },
    async (request) => {
      const { params, query, body } = request;
      const asked = [callerOf(request), params.webhookId, body?.overlap] as const;
      return query.dryRun ? previewed(await webhooks.preview.rotate(...asked)) : webhooks.rotate(...asked);
    },
  );
  deliveryRoutes(app, webhooks);
  done();
};

function deliveryRoutes(app: Parameters<Routes>[0], webhooks: TenantryClient['webhooks']): void {
  app.get(
    '/api/v1/webhooks/:webhookId/deliveries',
    {
      schema: {
        operationId: 'listDeliveries',
        summary: 'List what a webhook was told, or is to be told, newest event first',
        tags,
        params: webhookParams,
        querystring: deliveriesQuery,
        response: answers({ 200: deliveriesAnswer }, ['WEBHOOK_NOT_FOUND']),
      },
    },
    (request) => webhooks.deliveries(callerOf(request), request.params.webhookId, request.query),
  );

  app.post(
    '/api/v1/webhooks/:webhookId/deliveries/:deliveryId/replay',
    {
      preValidation: refuseBody,
      schema: {
        operationId: 'replayDelivery',
        summary: 'Send an event again, whatever became of it, under the same `webhook-id`',
        tags,
        params: deliveryParams,
        querystring: dryRunQuery,
        response: answers({ 200: z.union([deliveryPreviewAnswer, deliveryAnswer]) }, [
          ...mutationCodes,
          'WEBHOOK_NOT_FOUND',
          'DELIVERY_NOT_FOUND',
        ]),
      },
    },
    async (request) => {
      const { params, query } = request;
      const asked = [callerOf(request), params.webhookId, params.deliveryId] as const;
      if (query.dryRun) return { ...(await webhooks.preview.replay(...asked)), dryRun: true as const };
      return webhooks.replay(...asked);
    },
  );

  app.post(
    '/api/v1/webhooks/:webhookId/replay',
    {
      schema: {
        operationId: 'replayDeadLetters',
        summary: 'Send dead letters again, oldest first: 10,000 at most',
        tags,
        params: webhookParams,
        querystring: dryRunQuery,
        body: replayBody,
        response: answers({ 200: z.union([replayPreviewAnswer, replayedAnswer]) }, [
          ...mutationCodes,
          'WEBHOOK_NOT_FOUND',
        ]),
      },
    },
    async (request) => {
      const { params, query, body } = request;
      const asked = [callerOf(request), params.webhookId, body?.tenantId] as const;
      if (query.dryRun) return { ...(await webhooks.preview.replayDead(...asked)), dryRun: true as const };
      return webhooks.replayDead(...asked);
    },
  );
}

/** What would be, without the secret that was made in vain. */
function previewed({ secret: _secret, ...view }: WebhookView & { readonly secret?: string }) {
  return { ...view, dryRun: true as const };
}
