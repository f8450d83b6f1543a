import type { z } from 'zod';
import {
  deliveriesAnswer,
  deliveryAnswer,
  replayedAnswer,
  webhookAnswer,
  webhooksAnswer,
  webhookWithSecretAnswer,
} from '../api/webhook-schemas.ts';
import { callerOn, queryOf } from './api-client.ts';
import type { CredentialSource } from './credentials.ts';
import { open, type Open } from './open-answers.ts';

export type Webhook = Open<z.infer<typeof webhookAnswer>>;
export type WebhookWithSecret = Open<z.infer<typeof webhookWithSecretAnswer>>;
export type WebhookPage = Open<z.infer<typeof webhooksAnswer>>;
export type Delivery = Open<z.infer<typeof deliveryAnswer>>;
export type DeliveryPage = Open<z.infer<typeof deliveriesAnswer>>;

type Query = Readonly<Record<string, string | undefined>>;
type Body = Readonly<Record<string, unknown>>;

/** The routes of webhooks, typed; every answer is checked. With `dryRun` nothing is changed, and no secret comes. */
export interface WebhooksClient {
  create(body: Body): Promise<Webhook | WebhookWithSecret>;
  list(query: Query): Promise<WebhookPage>;
  get(id: string): Promise<Webhook>;
  change(id: string, body: Body): Promise<Webhook>;
  delete(id: string): Promise<Webhook>;
  rotate(id: string, overlap: string | undefined): Promise<Webhook | WebhookWithSecret>;
  deliveries(id: string, query: Query): Promise<DeliveryPage>;
  replay(id: string, deliveryId: string): Promise<Delivery>;
  replayDead(id: string, tenantId: string | undefined): Promise<{ replayed: number }>;
}

const answers = {
  webhook: open(webhookAnswer),
  withSecret: open(webhookWithSecretAnswer),
  webhooks: open(webhooksAnswer),
  delivery: open(deliveryAnswer),
  deliveries: open(deliveriesAnswer),
};

/** As `createApiClient`. */
export function createWebhooksClient(
  baseUrl: string,
  {
    dryRun = false,
    credentials,
  }: { readonly dryRun?: boolean; readonly credentials?: CredentialSource | undefined } = {},
): WebhooksClient {
  const call = callerOn(baseUrl, credentials);
  const query = queryOf({ dryRun: dryRun ? 'true' : undefined });
  const secret: z.ZodType<Webhook | WebhookWithSecret> = dryRun ? answers.webhook : answers.withSecret;
  const all = '/api/v1/webhooks';
  const one = (id: string) => `${all}/${encodeURIComponent(id)}`;
  return {
    create: (body) => call(secret, 'POST', `${all}${query}`, body),
    list: (filter) => call(answers.webhooks, 'GET', `${all}${queryOf(filter)}`),
    get: (id) => call(answers.webhook, 'GET', one(id)),
    change: (id, body) => call(answers.webhook, 'PATCH', `${one(id)}${query}`, body),
    delete: (id) => call(answers.webhook, 'DELETE', `${one(id)}${query}`),
    rotate: (id, overlap) => call(secret, 'POST', `${one(id)}/rotate${query}`, { overlap }),
    deliveries: (id, filter) => call(answers.deliveries, 'GET', `${one(id)}/deliveries${queryOf(filter)}`),
    replay: (id, deliveryId) =>
      call(answers.delivery, 'POST', `${one(id)}/deliveries/${encodeURIComponent(deliveryId)}/replay${query}`),
    replayDead: (id, tenantId) => call(replayedAnswer, 'POST', `${one(id)}/replay${query}`, { tenantId }),
  };
}
