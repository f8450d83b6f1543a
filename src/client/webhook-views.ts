import { messageIdOf, type DeliveryState, type WebhookEventType } from '../contracts/webhooks.ts';
import type { DeliveryRow } from '../db/webhook-deliveries.ts';
import type { WebhookRow } from '../db/webhooks.ts';

/** Where events are told of. Times are ISO 8601. */
export interface WebhookView {
  readonly webhookId: string;
  readonly url: string;
  readonly description: string | null;
  /** Null: of any product, or a tenant's. */
  readonly product: string | null;
  /** Null: of any tenant. */
  readonly tenantId: string | null;
  /** Null: all types. */
  readonly events: readonly WebhookEventType[] | null;
  readonly enabled: boolean;
  /** Null: it is enabled. */
  readonly disabledReason: string | null;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly lastDeliveredAt: string | null;
  /** Failed attempts since. */
  readonly failures: number;
  readonly pending: number;
  /** Since when the earliest of them waits; null: none does. */
  readonly pendingSince: string | null;
  readonly deadLetters: number;
}

export function webhookView(row: WebhookRow): WebhookView {
  return {
    webhookId: row.id,
    url: row.url,
    description: row.description,
    product: row.product,
    tenantId: row.tenantId,
    events: row.eventTypes,
    enabled: row.disabledAt === null,
    disabledReason: row.disabledReason,
    createdAt: row.createdAt.toISOString(),
    createdBy: row.createdBy.principal,
    lastDeliveredAt: row.deliveredAt?.toISOString() ?? null,
    failures: row.failures,
    pending: row.pending,
    pendingSince: row.pendingSince?.toISOString() ?? null,
    deadLetters: row.dead,
  };
}

/** A webhook with the secret that signs for it, which is shown this once. */
export interface WebhookWithSecretView extends WebhookView {
  readonly secret: string;
  /** Of a rotation: until when the secret before it signs too; null: it does not. */
  readonly earlierSecretUntil?: string | null;
}

/** One event for one webhook. */
export interface DeliveryView {
  readonly deliveryId: string;
  readonly webhookId: string;
  /** The header `webhook-id` of each of its attempts. */
  readonly messageId: string;
  readonly tenantId: string;
  readonly eventId: number;
  readonly type: WebhookEventType;
  readonly state: DeliveryState;
  readonly queuedAt: string;
  readonly attempts: number;
  readonly attemptedAt: string | null;
  readonly endedAt: string | null;
  /** Null: it waits for nothing, or behind an earlier one of its tenant. */
  readonly nextAttemptAt: string | null;
  /** Of the last attempt; null: it was not answered. */
  readonly httpStatus: number | null;
  readonly error: string | null;
}

export function deliveryView(row: DeliveryRow): DeliveryView {
  return {
    deliveryId: row.id,
    webhookId: row.webhookId,
    messageId: messageIdOf(row.id),
    tenantId: row.tenantId,
    eventId: row.eventId,
    type: row.type,
    state: row.state,
    queuedAt: row.queuedAt.toISOString(),
    attempts: row.attempts,
    attemptedAt: row.attemptedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
    httpStatus: row.httpStatus,
    error: row.error,
  };
}
