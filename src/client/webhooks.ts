import { z } from 'zod';
import type { Caller } from '../contracts/caller.ts';
import { DEFAULT_OVERLAP_SECONDS, type DeliveryState, type WebhookEventType } from '../contracts/webhooks.ts';
import type { Database, Queryable } from '../db/database.ts';
import { cursorAfter, positionIn, timePosition } from '../db/page-cursor.ts';
import { listDeliveries } from '../db/webhook-deliveries.ts';
import { findLastChange, listWebhooks, type WebhookFilter } from '../db/webhooks.ts';
import type { CarryOut, Once } from './once.ts';
import { refusingCursors } from './paging.ts';
import type { Conditional } from './precondition.ts';
import { inVain } from './preview.ts';
import type { KeyedCaller } from './request-key.ts';
import type { ClientDeps } from './requests.ts';
import * as changes from './webhook-changes.ts';
import { webhookReachOf } from './webhook-reach.ts';
import {
  deliveryView,
  webhookView,
  type DeliveryView,
  type WebhookView,
  type WebhookWithSecretView,
} from './webhook-views.ts';

export interface WebhookInput {
  readonly url: string;
  readonly description?: string | undefined;
  /** Default: of all. One of the two at most. */
  readonly product?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Default: all types. */
  readonly events?: readonly WebhookEventType[] | undefined;
}

export interface WebhookChangeInput extends Conditional {
  readonly url?: string | undefined;
  readonly description?: string | null | undefined;
  readonly events?: readonly WebhookEventType[] | null | undefined;
  readonly enabled?: boolean | undefined;
}

export interface DeliveriesInput {
  readonly state?: DeliveryState | undefined;
  readonly tenantId?: string | undefined;
  readonly type?: WebhookEventType | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

interface WebhooksInput extends Omit<WebhookFilter, 'reach' | 'after'> {
  readonly cursor?: string | undefined;
}

/** Webhooks: where events are told of, and what became of that. */
export interface WebhookClient extends WebhookMethods {
  /** What each method would do, with everything that would refuse it; nothing is changed. */
  readonly preview: WebhookMethods;
}

/** Every one may throw {@link RequestError}. */
export interface WebhookMethods {
  /** It is told of what is committed after it. */
  create(caller: KeyedCaller, input: WebhookInput): Promise<WebhookWithSecretView>;
  /** Oldest first. */
  list(caller: Caller, input: WebhooksInput): Promise<{ webhooks: WebhookView[]; nextCursor: string | null }>;
  get(caller: Caller, webhookId: string): Promise<WebhookView>;
  /** Another URL, or enabling it, makes all that waits due at once. */
  change(caller: KeyedCaller, webhookId: string, input: WebhookChangeInput): Promise<WebhookView>;
  /** What waits is dropped. */
  remove(caller: KeyedCaller, webhookId: string, condition?: Conditional): Promise<WebhookView>;
  /** A further secret; the one before signs beside it for a while. @param overlapSeconds default: a day */
  rotate(caller: KeyedCaller, webhookId: string, overlapSeconds?: number): Promise<WebhookWithSecretView>;
  /** Newest first. */
  deliveries(
    caller: Caller,
    webhookId: string,
    input: DeliveriesInput,
  ): Promise<{ deliveries: DeliveryView[]; nextCursor: string | null }>;
  /** Sends it again under its id, whatever became of it. */
  replay(caller: KeyedCaller, webhookId: string, deliveryId: string): Promise<DeliveryView>;
  /** Sends its dead letters again, of a tenant or of all. */
  replayDead(caller: KeyedCaller, webhookId: string, tenantId?: string): Promise<{ replayed: number }>;
}

export function createWebhookClient(deps: ClientDeps, once: CarryOut): WebhookClient {
  const { database } = deps;
  const vain: ClientDeps['database'] = { ...database, transaction: (fn) => inVain(database, fn) };
  const keeping = <T>(by: KeyedCaller, run: (methods: WebhookMethods, caller: Caller) => Promise<T>) =>
    once<T>(by, (caller, kept) => run(methodsOf({ ...deps, database: keptIn(database, kept, caller) }), caller));
  return {
    ...methodsOf(deps),
    create: (by, input) =>
      keeping({ action: 'createWebhook', ...by }, (methods, caller) => methods.create(caller, input)),
    change: (by, id, input) =>
      keeping({ action: 'changeWebhook', ...by }, (methods, caller) => methods.change(caller, id, input)),
    remove: (by, id, condition) =>
      keeping({ action: 'deleteWebhook', ...by }, (methods, caller) => methods.remove(caller, id, condition)),
    rotate: (by, id, overlap) =>
      keeping({ action: 'rotateWebhook', ...by }, (methods, caller) => methods.rotate(caller, id, overlap)),
    replay: (by, id, delivery) =>
      keeping({ action: 'replayDelivery', ...by }, (methods, caller) => methods.replay(caller, id, delivery)),
    replayDead: (by, id, tenantId) =>
      keeping({ action: 'replayDeadLetters', ...by }, (methods, caller) => methods.replayDead(caller, id, tenantId)),
    preview: methodsOf({ ...deps, database: vain }),
  };
}

/** Keeps what a transaction answers, which is what its method does. */
function keptIn<T>(database: Database, kept: Once<T>, { requestId }: Caller): Database {
  const once = kept as Once<unknown>;
  return {
    ...database,
    transaction: (fn, options) =>
      database.transaction(
        (tx) =>
          once.write(
            tx,
            () => fn(tx),
            (outcome) => ({
              outcome,
              audit: async (at: Queryable) => (await findLastChange(at, requestId)) ?? 'unchanged',
            }),
          ),
        options,
      ),
  };
}

function methodsOf(deps: ClientDeps): WebhookMethods {
  const { database } = deps;
  return {
    create: (caller, input) => changes.createWebhook(deps, caller, input),
    list: (caller, input) => list(database, caller, input),
    get: async (caller, id) => webhookView(await changes.reachedWebhook(database, { caller, id })),
    change: (caller, id, input) => changes.changeWebhook(deps, { caller, id }, input),
    remove: (caller, id, condition) => changes.deleteWebhook(deps, { caller, id }, condition),
    rotate: (caller, id, overlapSeconds = DEFAULT_OVERLAP_SECONDS) =>
      changes.rotateSecret(deps, { caller, id }, overlapSeconds),
    deliveries: (caller, id, input) => deliveries(database, { caller, id }, input),
    replay: (caller, id, deliveryId) => changes.replayDelivery(deps, { caller, id }, deliveryId),
    replayDead: (caller, id, tenantId) => changes.replayDeadLetters(deps, { caller, id }, tenantId),
  };
}

async function list(db: Queryable, caller: Caller, { cursor, limit, ...filter }: WebhooksInput) {
  const reach = webhookReachOf(caller);
  const pages = { of: 'webhooks', given: { ...filter } };
  return refusingCursors(async () => {
    const after = cursor === undefined ? undefined : positionIn(pages, cursor, webhookPosition);
    const listed = await listWebhooks(db, { ...filter, reach, after, limit: limit + 1 });
    const page = listed.slice(0, limit);
    const last = listed.length > page.length ? page.at(-1) : undefined;
    return { webhooks: page.map(webhookView), nextCursor: last ? cursorAfter(pages, [last.position, last.id]) : null };
  });
}

async function deliveries(db: Queryable, target: changes.Target, { cursor, limit, ...filter }: DeliveriesInput) {
  await changes.reachedWebhook(db, target);
  const pages = { of: 'deliveries', given: { webhookId: target.id, ...filter } };
  return refusingCursors(async () => {
    const [before] = cursor === undefined ? [] : positionIn(pages, cursor, deliveryPosition);
    const listed = await listDeliveries(db, target.id, { ...filter, before, limit: limit + 1 });
    const page = listed.slice(0, limit);
    const last = listed.length > page.length ? page.at(-1) : undefined;
    return { deliveries: page.map(deliveryView), nextCursor: last ? cursorAfter(pages, [last.eventId]) : null };
  });
}
const webhookPosition = z.tuple([timePosition, z.uuid()]);
const deliveryPosition = z.tuple([z.int().min(0)]);
