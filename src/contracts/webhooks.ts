import type { EventType } from './events.ts';

/** Types of events that webhooks tell of: what tenants and operations come to. The database's copy is held against it by a test. */
export const webhookEventTypes = [
  'tenant.accepted',
  'tenant.status',
  'tenant.tier',
  'tenant.health',
  'tenant.isolated',
  'tenant.isolation-lifted',
  'operation.accepted',
  'operation.state',
  'operation.slow',
] as const satisfies readonly EventType[];
export type WebhookEventType = (typeof webhookEventTypes)[number];

/** Pending: it is still to be delivered. Dead: it was given up, and is kept for a replay. */
export const deliveryStates = ['pending', 'delivered', 'dead'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

const minutes = 60;
const hours = 60 * minutes;

/** What is waited before each further attempt, in s: three days in all. */
export const retryWaitsSeconds: readonly number[] = [
  5,
  25,
  90,
  8 * minutes,
  20 * minutes,
  30 * minutes,
  2 * hours,
  3 * hours,
  6 * hours,
  12 * hours,
  12 * hours,
  12 * hours,
  12 * hours,
  12 * hours,
];
/** How long a delivery is tried, in s. */
export const RETRY_FOR_SECONDS = retryWaitsSeconds.reduce((sum, wait) => sum + wait, 0);

/** The longest pause that a receiver may ask for by `Retry-After`, in s. */
export const LONGEST_PAUSE_SECONDS = 1 * hours;

/** Wait after a failed attempt, in s; undefined: it was the last one. @param attempts those made, this one included */
export function retryWaitSeconds(attempts: number, pauseSeconds = 0): number | undefined {
  const wait = retryWaitsSeconds[attempts - 1];
  return wait === undefined ? undefined : Math.max(wait, pauseSeconds);
}

/** Deliveries that ended well, and those that did not, are kept this long, in days. */
export const KEPT_DAYS = { delivered: 7, dead: 30, pending: 90 } as const;

/** A webhook whose oldest delivery waits for longer raises an alert, in s. */
export const BEHIND_SECONDS = 15 * minutes;

/** In characters. */
export const LONGEST_WEBHOOK_URL = 2_000;

/** Webhooks of one tenant; of one product; of all tenants. */
export const MOST_WEBHOOKS = 20;

/** How long an earlier secret signs beside the new one, in s, unless the rotation says otherwise. */
export const DEFAULT_OVERLAP_SECONDS = 24 * hours;
/** Earlier secrets that may sign beside the newest. */
export const MOST_EARLIER_SECRETS = 3;

/** Dead letters that one request replays at most. */
export const MOST_REPLAYS = 10_000;

/** What a receiver knows a delivery by: its header `webhook-id`, the same at every attempt. */
export function messageIdOf(deliveryId: string): string {
  return `msg_${deliveryId}`;
}
