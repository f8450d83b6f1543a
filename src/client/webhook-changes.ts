import { randomUUID } from 'node:crypto';
import type { PayloadCodec } from '@temporalio/common';
import type { Caller } from '../contracts/caller.ts';
import { MOST_EARLIER_SECRETS, MOST_WEBHOOKS } from '../contracts/webhooks.ts';
import { CommitUnclearError, type Queryable } from '../db/database.ts';
import { findTenant } from '../db/tenants.ts';
import { findDelivery, replayDeliveries } from '../db/webhook-deliveries.ts';
import { listSecretsOf } from '../db/webhook-secrets.ts';
import * as rows from '../db/webhooks.ts';
import { addSecret } from '../webhooks/secrets.ts';
import { spellingProblem, urlProblem } from '../webhooks/url.ts';
import { invalid } from './invalid-input.ts';
import { refuseOtherTag, webhookTag, type Conditional } from './precondition.ts';
import { RequestError } from './request-error.ts';
import type { ClientDeps } from './requests.ts';
import { isReached, refuseUnreached, webhookReachOf } from './webhook-reach.ts';
import {
  deliveryView,
  webhookView,
  type DeliveryView,
  type WebhookView,
  type WebhookWithSecretView,
} from './webhook-views.ts';
import type { WebhookChangeInput, WebhookInput } from './webhooks.ts';

/** A webhook that somebody changes. */
export interface Target {
  readonly caller: Caller;
  readonly id: string;
}

/** @throws RequestError INVALID_INPUT, UNKNOWN_PRODUCT, TENANT_NOT_FOUND, TENANT_MISMATCH, FORBIDDEN, WEBHOOK_LIMIT */
export async function createWebhook(
  deps: ClientDeps,
  caller: Caller,
  input: WebhookInput,
): Promise<WebhookWithSecretView> {
  const { product = null, tenantId = null, description = null, events = null } = input;
  refuseUnreached(caller, tenantId);
  if (product !== null && tenantId !== null)
    throw invalid([{ field: 'body.product', problem: 'a product or a tenant, not both' }]);
  if (product !== null && !Object.hasOwn(deps.catalog.products, product))
    throw new RequestError('UNKNOWN_PRODUCT', `there is no product "${product}"`, {
      details: { products: Object.keys(deps.catalog.products) },
    });
  const { href, origin } = checkedUrl(deps, input.url);
  const id = randomUUID();
  return orUnknown(id, () =>
    deps.database.transaction(async (tx) => {
      if (tenantId !== null && !(await findTenant(tx, tenantId)))
        throw new RequestError('TENANT_NOT_FOUND', `there is no tenant ${tenantId}`, { details: { tenantId } });
      if ((await rows.countWebhooksOf(tx, { product, tenantId })) >= MOST_WEBHOOKS)
        throw new RequestError('WEBHOOK_LIMIT', `there are ${MOST_WEBHOOKS} of the same product or tenant already`);
      await rows.insertWebhook(tx, {
        id,
        url: href,
        origin,
        description,
        product,
        tenantId,
        eventTypes: events,
        caller,
      });
      const secret = await addSecret(tx, codecOf(deps), { webhookId: id });
      return { ...webhookView(await reachedWebhook(tx, { caller, id })), secret };
    }),
  );
}

/** @throws RequestError INVALID_INPUT */
function checkedUrl({ webhookPolicy = { allowLoopback: false } }: ClientDeps, text: string): URL {
  const problem = urlProblem(text, webhookPolicy) ?? spellingProblem(text);
  if (problem !== undefined) throw invalid([{ field: 'body.url', problem }]);
  return new URL(text);
}

function codecOf({ codec }: ClientDeps): PayloadCodec {
  if (codec) return codec;
  throw new Error('this client has no codec: no secret can be stored');
}

/** One that the caller may not reach is none. @throws RequestError WEBHOOK_NOT_FOUND, FORBIDDEN */
export async function reachedWebhook(db: Queryable, { caller, id }: Target): Promise<rows.WebhookRow> {
  const reach = webhookReachOf(caller);
  const row = await rows.findWebhook(db, id);
  if (row && isReached(reach, row.tenantId)) return row;
  throw new RequestError('WEBHOOK_NOT_FOUND', `there is no webhook ${id}`, { details: { webhookId: id } });
}

/** Runs a change of a webhook, which nobody else changes meanwhile. @throws RequestError WEBHOOK_NOT_FOUND, OUTCOME_UNKNOWN */
export function changing<T>(
  { database }: ClientDeps,
  target: Target,
  work: (tx: Queryable, row: rows.WebhookRow) => Promise<T>,
): Promise<T> {
  return orUnknown(target.id, () =>
    database.transaction(async (tx) => {
      await rows.lockWebhook(tx, target.id);
      return work(tx, await reachedWebhook(tx, target));
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

/** Another URL, or enabling it, makes all that waits due at once. */
export function changeWebhook(deps: ClientDeps, target: Target, input: WebhookChangeInput): Promise<WebhookView> {
  return changing(deps, target, async (tx, before) => {
    const { caller, id } = target;
    refuseOtherTag(input.ifMatch, webhookTag(changeable(before)), `webhook ${id}`);
    const { description, events, enabled } = input;
    const { href: url, origin } = input.url === undefined ? {} : checkedUrl(deps, input.url);
    await rows.updateWebhook(tx, id, { url, origin, description, eventTypes: events });
    if (enabled === false) await rows.disableWebhook(tx, id, `disabled by ${caller.principal}`);
    const wasEnabled = before.disabledAt === null;
    const isMoved = url !== undefined && url !== before.url;
    if (wasEnabled ? isMoved && enabled !== false : enabled === true) await rows.restartWebhook(tx, id);
    const after = await reachedWebhook(tx, target);
    const data = { before: changeable(before), after: changeable(after) };
    await rows.recordWebhookChange(tx, { webhookId: id, what: 'changed', caller, data });
    return webhookView(after);
  });
}

function changeable({ url, description, eventTypes, disabledAt }: rows.WebhookRow) {
  return { url, description, events: eventTypes, enabled: disabledAt === null };
}

export function deleteWebhook(deps: ClientDeps, target: Target, { ifMatch }: Conditional = {}): Promise<WebhookView> {
  return changing(deps, target, async (tx, row) => {
    refuseOtherTag(ifMatch, webhookTag(changeable(row)), `webhook ${target.id}`);
    await rows.markWebhookDeleted(tx, target.id);
    await rows.recordWebhookChange(tx, { webhookId: target.id, what: 'deleted', caller: target.caller, data: {} });
    return webhookView(row);
  });
}

/** @throws RequestError WEBHOOK_LIMIT */
export function rotateSecret(deps: ClientDeps, target: Target, overlapSeconds: number): Promise<WebhookWithSecretView> {
  return changing(deps, target, async (tx, row) => {
    const { caller, id } = target;
    const earlier = (await listSecretsOf(tx, id)).length - 1;
    if (overlapSeconds > 0 && earlier >= MOST_EARLIER_SECRETS)
      throw new RequestError(
        'WEBHOOK_LIMIT',
        `${earlier} earlier secrets sign still: wait for the end of one, or rotate with an overlap of 0`,
      );
    const secret = await addSecret(tx, codecOf(deps), { webhookId: id, overlapSeconds });
    await rows.recordWebhookChange(tx, { webhookId: id, what: 'rotated', caller, data: { overlapSeconds } });
    const [, before] = await listSecretsOf(tx, id);
    return { ...webhookView(row), secret, earlierSecretUntil: before?.expiresAt?.toISOString() ?? null };
  });
}

/** @throws RequestError DELIVERY_NOT_FOUND */
export function replayDelivery(deps: ClientDeps, target: Target, deliveryId: string): Promise<DeliveryView> {
  return changing(deps, target, async (tx) => {
    const { caller, id } = target;
    await replayDeliveries(tx, { webhookId: id, deliveryId });
    const row = await findDelivery(tx, id, deliveryId);
    if (!row)
      throw new RequestError('DELIVERY_NOT_FOUND', `the webhook has no delivery ${deliveryId}`, {
        details: { webhookId: id, deliveryId },
      });
    await rows.recordWebhookChange(tx, { webhookId: id, what: 'replayed', caller, data: { deliveryId } });
    return deliveryView(row);
  });
}

export function replayDeadLetters(
  deps: ClientDeps,
  target: Target,
  tenantId: string | undefined,
): Promise<{ replayed: number }> {
  return changing(deps, target, async (tx) => {
    const { caller, id } = target;
    const replayed = await replayDeliveries(tx, { webhookId: id, tenantId });
    await rows.recordWebhookChange(tx, { webhookId: id, what: 'replayed', caller, data: { replayed, tenantId } });
    return { replayed };
  });
}
