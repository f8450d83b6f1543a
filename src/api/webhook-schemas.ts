import { z } from 'zod';
import { durationMs, durationPattern } from '../contracts/durations.ts';
import { deliveryStates, LONGEST_WEBHOOK_URL, webhookEventTypes } from '../contracts/webhooks.ts';
import { plainText } from '../formats.ts';
import { id, time } from './schemas/fields.ts';
import { listQuery } from './schemas/lists.ts';

const url = z
  .string()
  .min(1)
  .max(LONGEST_WEBHOOK_URL)
  .describe(
    'Where events are sent by POST: https, a public host, port 443 or one from 1024 on, no user name, no fragment',
  )
  .meta({ format: 'uri', examples: ['https://hooks.example.com/tenantry'] });
const eventType = z.enum(webhookEventTypes);
const events = z
  .array(eventType)
  .min(1)
  .max(webhookEventTypes.length)
  .refine((types) => new Set(types).size === types.length, 'must name each type once')
  .meta({ uniqueItems: true })
  .describe('Types of events that it is told of; left out or null: all, those of later releases too');
const description = plainText(200).describe('For people');

export const webhookBody = z
  .strictObject({
    url,
    description: description.optional(),
    product: z.string().min(1).max(40).optional().describe('Events of this product only'),
    tenantId: id.optional().describe('Events of this tenant only; not together with `product`'),
    events: events.nullish(),
  })
  .meta({ not: { required: ['product', 'tenantId'] } });

export const webhookPatch = z.strictObject({
  url: url.optional(),
  description: description.nullable().optional(),
  events: events.nullable().optional(),
  enabled: z.boolean().optional().describe('False: nothing is sent, and what comes waits; true: what waits is sent'),
});

const longestOverlapDays = 7;

export const rotateWebhookBody = z
  .strictObject({
    overlap: z
      .string()
      .max(20)
      .transform((text, context) => {
        const ms = durationMs(text);
        if (ms !== undefined && ms <= longestOverlapDays * 86_400_000) return ms / 1000;
        context.addIssue(`must be 0, or such as 90s, 30m, 12h, 7d, and at most ${longestOverlapDays} days`);
        return z.NEVER;
      })
      .optional()
      .describe('For how long the secret of before signs too; `0`: not at all. Default: `24h`')
      .meta({ pattern: durationPattern(longestOverlapDays), examples: ['24h'] }),
  })
  .nullish();

export const replayBody = z
  .strictObject({ tenantId: id.optional().describe('Dead letters of this tenant only') })
  .nullish();

export const webhookParams = z.strictObject({ webhookId: id });
export const deliveryParams = z.strictObject({ webhookId: id, deliveryId: id });

export const webhooksQuery = z.strictObject({
  product: z.string().min(1).max(40).optional(),
  tenantId: id.optional(),
  limit: listQuery.shape.limit,
  cursor: listQuery.shape.cursor,
});

export const deliveriesQuery = z.strictObject({
  state: z.enum(deliveryStates).optional(),
  tenantId: id.optional(),
  type: eventType.optional(),
  limit: listQuery.shape.limit,
  cursor: listQuery.shape.cursor,
});

export const webhookAnswer = z
  .object({
    webhookId: z.uuid(),
    url: z.string(),
    description: z.string().nullable(),
    product: z.string().nullable().describe("Null: of any product, or a tenant's"),
    tenantId: z.uuid().nullable().describe('Null: of any tenant'),
    events: z.array(eventType).nullable().describe('Null: all types'),
    enabled: z.boolean(),
    disabledReason: z.string().nullable(),
    createdAt: time,
    createdBy: z.string(),
    lastDeliveredAt: time.nullable(),
    failures: z.int().describe('Failed attempts since the last one that was answered well'),
    pending: z.int().describe('Events that wait to be delivered'),
    pendingSince: time.nullable(),
    deadLetters: z.int().describe('Events that were given up, and are kept for a replay'),
  })
  .meta({ id: 'Webhook', description: 'Where events are told of' });

export const webhookWithSecretAnswer = webhookAnswer
  .extend({
    secret: z.string().describe('`whsec_...`: shown this once'),
    earlierSecretUntil: time
      .nullish()
      .describe('Of a rotation: until when the secret before it signs too; null: it does not'),
  })
  .meta({ id: 'WebhookWithSecret', description: 'A webhook and the secret that signs for it' });

/** Its `dryRun` tells it from the other answer of a request. */
export const webhookPreviewAnswer = webhookAnswer
  .extend({ dryRun: z.literal(true) })
  .meta({ id: 'WebhookPreview', description: 'What a webhook would be, without a secret; nothing was changed' });

export const webhooksAnswer = z
  .object({ webhooks: z.array(webhookAnswer), nextCursor: z.string().nullable() })
  .meta({ id: 'WebhookList', description: 'Webhooks, oldest first' });

export const deliveryAnswer = z
  .object({
    deliveryId: z.uuid(),
    webhookId: z.uuid(),
    messageId: z.string().describe('The header `webhook-id` of each of its attempts'),
    tenantId: z.uuid(),
    eventId: z.int(),
    type: eventType,
    state: z.enum(deliveryStates),
    queuedAt: time,
    attempts: z.int(),
    attemptedAt: time.nullable(),
    endedAt: time.nullable(),
    nextAttemptAt: time.nullable().describe('Null: it waits for nothing, or behind an earlier one of its tenant'),
    httpStatus: z.int().nullable().describe('Of the last attempt; null: it was not answered'),
    error: z.string().nullable().describe('What the receiver did at the last attempt; null: all was well'),
  })
  .meta({ id: 'Delivery', description: 'One event for one webhook' });

export const deliveryPreviewAnswer = deliveryAnswer
  .extend({ dryRun: z.literal(true) })
  .meta({ id: 'DeliveryPreview', description: 'What a delivery would be; nothing was changed' });

export const deliveriesAnswer = z
  .object({ deliveries: z.array(deliveryAnswer), nextCursor: z.string().nullable() })
  .meta({ id: 'DeliveryList', description: 'Deliveries, newest event first' });

export const replayedAnswer = z
  .object({ replayed: z.int().describe('Dead letters that are sent again') })
  .meta({ id: 'Replayed', description: 'What is sent again' });

export const replayPreviewAnswer = replayedAnswer
  .extend({ dryRun: z.literal(true) })
  .meta({ id: 'ReplayPreview', description: 'What would be sent again; nothing was changed' });
