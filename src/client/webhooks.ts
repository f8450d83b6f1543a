import { randomUUID } from 'node:crypto';
import type { PayloadCodec } from '@temporalio/common';
import type { Caller } from '../contracts/caller.ts';
import {
  DEFAULT_OVERLAP_SECONDS,
  MOST_EARLIER_SECRETS,
  MOST_WEBHOOKS,
  type DeliveryState,
  type WebhookEventType,
} from '../contracts/webhooks.ts';
import { CommitUnclearError, type Queryable } from '../db/database.ts';
import { findTenant } from '../db/tenants.ts';
import { findDelivery, listDeliveries, replayDeliveries } from '../db/webhook-deliveries.ts';
import { listSecretsOf } from '../db/webhook-secrets.ts';
import * as rows from '../db/webhooks.ts';
import { addSecret } from '../webhooks/secrets.ts';
import { urlProblem } from '../webhooks/url.ts';
import { invalid } from './invalid-input.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps } from './requests.ts';
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

export interface WebhookChangeInput {
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
  readonly cursor?: number | undefined;
}

/** Webhooks: where events are told of, and what became of that. Every method may throw {@link RequestError}. */
export interface WebhookClient {
  /** It is told of what is committed after it. */
  create(caller: Caller, input: WebhookInput): Promise<WebhookWithSecretView>;
  list(
    caller: Caller,
    input: Omit<rows.WebhookFilter, 'ofTenants'>,
  ): Promise<{ webhooks: WebhookView[]; nextCursor: string | null }>;
  get(caller: Caller, webhookId: string): Promise<WebhookView>;
  /** Another URL, or enabling it, makes all that waits due at once. */
  change(caller: Caller, webhookId: string, input: WebhookChangeInput): Promise<WebhookView>;
  /** What waits is dropped. */
  remove(caller: Caller, webhookId: string): Promise<WebhookView>;
  /** A further secret; the one before signs beside it for a while. @param overlapSeconds default: a day */
  rotate(caller: Caller, webhookId: string, overlapSeconds?: number): Promise<WebhookWithSecretView>;
  /** Newest first. */
  deliveries(
    caller: Caller,
    webhookId: string,
    input: DeliveriesInput,
  ): Promise<{ deliveries: DeliveryView[]; nextCursor: string | null }>;
  /** Sends it again under its id, whatever became of it. */
  replay(caller: Caller, webhookId: string, deliveryId: string): Promise<DeliveryView>;
  /** Sends its dead letters again, of a tenant or of all. */
  replayDead(caller: Caller, webhookId: string, tenantId?: string): Promise<{ replayed: number }>;
}

export function createWebhookClient(deps: ClientDeps): WebhookClient {
  const { database } = deps;
  return {
    create: (caller, input) => create(deps, caller, input),
    list: (_caller, input) => list(database, input),
    get: async (_caller, id) => webhookView(await found(database, id)),
    change: (caller, id, input) =>
      changing(deps, id, async (tx) => {
        await change(deps, tx, { caller, id, input });
        return webhookView(await found(tx, id));
      }),
    remove: (caller, id) =>
      changing(deps, id, async (tx) => {
        const view = webhookView(await found(tx, id));
        await rows.markWebhookDeleted(tx, id);
        await rows.recordWebhookChange(tx, { webhookId: id, what: 'deleted', caller, data: {} });
        return view;
      }),
    rotate: (caller, id, overlapSeconds = DEFAULT_OVERLAP_SECONDS) =>
      changing(deps, id, (tx) => rotate(deps, tx, { caller, id, overlapSeconds })),
    deliveries: (_caller, id, input) => deliveries(database, id, input),
    replay: (caller, id, deliveryId) => changing(deps, id, (tx) => replay(tx, { caller, id, deliveryId })),
    replayDead: (caller, id, tenantId) =>
      changing(deps, id, async (tx) => {
        const replayed = await replayDeliveries(tx, { webhookId: id, tenantId });
        const data = { replayed, tenantId };
        await rows.recordWebhookChange(tx, { webhookId: id, what: 'replayed', caller, data });
        return { replayed };
      }),
  };
}

async function create(deps: ClientDeps, caller: Caller, input: WebhookInput): Promise<WebhookWithSecretView> {
  const { url, product = null, tenantId = null, description = null, events = null } = input;
  if (product !== null && tenantId !== null)
    throw invalid([{ field: 'body.product', problem: 'a product or a tenant, not both' }]);
  if (product !== null && !Object.hasOwn(deps.catalog.products, product))
    throw new RequestError('UNKNOWN_PRODUCT', `there is no product "${product}"`, {
      details: { products: Object.keys(deps.catalog.products) },
    });
  const { origin } = checkedUrl(deps, url);
  const id = randomUUID();
  return orUnknown(id, () =>
    deps.database.transaction(async (tx) => {
      if (tenantId !== null && !(await findTenant(tx, tenantId)))
        throw new RequestError('TENANT_NOT_FOUND', `there is no tenant ${tenantId}`, { details: { tenantId } });
      if ((await rows.countWebhooksOf(tx, { product, tenantId })) >= MOST_WEBHOOKS)
        throw new RequestError('WEBHOOK_LIMIT', `there are ${MOST_WEBHOOKS} of the same product or tenant already`);
      await rows.insertWebhook(tx, { id, url, origin, description, product, tenantId, eventTypes: events, caller });
      const secret = await addSecret(tx, codecOf(deps), { webhookId: id });
      return { ...webhookView(await found(tx, id)), secret };
    }),
  );
}

/** @throws RequestError INVALID_INPUT */
function checkedUrl({ webhookPolicy = { allowLoopback: false } }: ClientDeps, text: string): URL {
  const problem = urlProblem(text, webhookPolicy);
  if (problem !== undefined) throw invalid([{ field: 'body.url', problem }]);
  return new URL(text);
}

function codecOf({ codec }: ClientDeps): PayloadCodec {
  if (codec) return codec;
  throw new Error('this client has no codec: no secret can be stored');
}

async function list(db: Queryable, input: Omit<rows.WebhookFilter, 'ofTenants'>) {
  if (input.after !== undefined && !(await rows.findWebhook(db, input.after)))
    throw invalid([{ field: 'querystring.cursor', problem: 'no page ended with it, or that webhook is gone' }]);
  const listed = await rows.listWebhooks(db, { ...input, limit: input.limit + 1 });
  const page = listed.slice(0, input.limit);
  return {
    webhooks: page.map(webhookView),
    nextCursor: listed.length > page.length ? (page.at(-1)?.id ?? null) : null,
  };
}

/** @throws RequestError WEBHOOK_NOT_FOUND */
async function found(db: Queryable, id: string): Promise<rows.WebhookRow> {
  const row = await rows.findWebhook(db, id);
  if (row) return row;
  throw new RequestError('WEBHOOK_NOT_FOUND', `there is no webhook ${id}`, { details: { webhookId: id } });
}

/** Runs a change of a webhook, which nobody else changes meanwhile. @throws RequestError WEBHOOK_NOT_FOUND, OUTCOME_UNKNOWN */
function changing<T>({ database }: ClientDeps, id: string, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return orUnknown(id, () =>
    database.transaction(async (tx) => {
      if (!(await rows.lockWebhook(tx, id))) await found(tx, id);
      return work(tx);
    }),
  );
}

async function orUnknown<T>(webhookId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof CommitUnclearError)) throw cause;
    const ask = `/api/v1/webhooks/${webhookId}`;
    const mayLandUntil = cause.mayLandUntil?.toISOString();
    throw new RequestError('OUTCOME_UNKNOWN', `whether the webhook was changed is not known: ask GET ${ask}`, {
      details: { webhookId, ask, ...(mayLandUntil !== undefined && { mayLandUntil }) },
      cause,
    });
  }
}

interface Changing {
  readonly caller: Caller;
  readonly id: string;
}

async function change(
  deps: ClientDeps,
  tx: Queryable,
  { caller, id, input }: Changing & { readonly input: WebhookChangeInput },
): Promise<void> {
  const before = await found(tx, id);
  const { url, description, events, enabled } = input;
  const origin = url === undefined ? undefined : checkedUrl(deps, url).origin;
  await rows.updateWebhook(tx, id, { url, origin, description, eventTypes: events });
  const isMoved = url !== undefined && url !== before.url;
  if (enabled === false) await rows.disableWebhook(tx, id, `disabled by ${caller.principal}`);
  if ((enabled === true && before.disabledAt !== null) || (isMoved && before.disabledAt === null && enabled !== false))
    await rows.restartWebhook(tx, id);
  const after = await found(tx, id);
  const data = { before: changeable(before), after: changeable(after) };
  await rows.recordWebhookChange(tx, { webhookId: id, what: 'changed', caller, data });
}

function changeable({ url, description, eventTypes, disabledAt }: rows.WebhookRow) {
  return { url, description, events: eventTypes, enabled: disabledAt === null };
}

async function rotate(
  deps: ClientDeps,
  tx: Queryable,
  { caller, id, overlapSeconds }: Changing & { readonly overlapSeconds: number },
): Promise<WebhookWithSecretView> {
  const signing = await listSecretsOf(tx, id);
  if (overlapSeconds > 0 && signing.length > MOST_EARLIER_SECRETS)
    throw new RequestError(
      'WEBHOOK_LIMIT',
      `${signing.length - 1} earlier secrets sign still: wait for the end of one, or rotate with an overlap of 0`,
    );
  const secret = await addSecret(tx, codecOf(deps), { webhookId: id, overlapSeconds });
  await rows.recordWebhookChange(tx, { webhookId: id, what: 'rotated', caller, data: { overlapSeconds } });
  return { ...webhookView(await found(tx, id)), secret };
}

async function deliveries(db: Queryable, id: string, { cursor, ...filter }: DeliveriesInput) {
  await found(db, id);
  const listed = await listDeliveries(db, id, { ...filter, before: cursor, limit: filter.limit + 1 });
  const page = listed.slice(0, filter.limit);
  const last = listed.length > page.length ? page.at(-1) : undefined;
  return { deliveries: page.map(deliveryView), nextCursor: last ? `${last.eventId}` : null };
}

async function replay(
  tx: Queryable,
  { caller, id, deliveryId }: Changing & { readonly deliveryId: string },
): Promise<DeliveryView> {
  await replayDeliveries(tx, { webhookId: id, deliveryId });
  const row = await findDelivery(tx, id, deliveryId);
  if (!row)
    throw new RequestError('DELIVERY_NOT_FOUND', `the webhook has no delivery ${deliveryId}`, {
      details: { webhookId: id, deliveryId },
    });
  await rows.recordWebhookChange(tx, { webhookId: id, what: 'replayed', caller, data: { deliveryId } });
  return deliveryView(row);
}
