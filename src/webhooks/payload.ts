import type { ClaimedDelivery } from '../db/webhook-queues.ts';
import type { WebhookEventType } from '../contracts/webhooks.ts';
import { z } from 'zod';

/** Of an event's data, what is told outside: words of ours and times. No text that people or other programs wrote. */
const toldFields: Readonly<Record<WebhookEventType, readonly string[]>> = {
  'tenant.accepted': [],
  'tenant.status': ['from', 'to'],
  'tenant.tier': ['from', 'to'],
  'tenant.health': ['from', 'to'],
  'tenant.isolated': [],
  'tenant.isolation-lifted': [],
  'operation.accepted': [],
  'operation.state': ['from', 'to'],
  'operation.slow': ['state', 'since'],
};

const LONGEST_WORD = 100;
/** No message and no detail: they may hold what an application or AWS said. */
const failure = z.object({ code: z.string(), stepId: z.string().optional() });

/**
 * The body of a delivery, the same at every attempt: `{ type, timestamp, data }` of Standard Webhooks. Every field is bounded,
 * so it is: 2 KB at most.
 */
export function payloadOf(delivery: ClaimedDelivery, installationId: string): string {
  const { type, at, data, eventId, tenantId, product, slug, operationId, operationType } = delivery;
  const told = toldFields[type].map((field) => [field, wordOf(data[field])] as const);
  const failed = failure.safeParse(data.failure);
  return JSON.stringify({
    type,
    timestamp: at.toISOString(),
    data: {
      installationId,
      eventId,
      tenantId,
      product,
      slug,
      operation: operationId === null ? null : { id: operationId, type: operationType },
      ...Object.fromEntries(told),
      ...(failed.success && { failure: { code: wordOf(failed.data.code), stepId: wordOf(failed.data.stepId) } }),
    },
  });
}

/** Null: there is none, or it is no word. */
function wordOf(value: unknown): string | null {
  return typeof value === 'string' ? Array.from(value).slice(0, LONGEST_WORD).join('') : null;
}
