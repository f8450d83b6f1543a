import { setTimeout as sleep } from 'node:timers/promises';
import type { PayloadCodec } from '@temporalio/common';
import type { Logger } from 'pino';
import { runbookPage } from '../contracts/advice.ts';
import { messageIdOf } from '../contracts/webhooks.ts';
import type { Database } from '../db/database.ts';
import { claimDeliveries, recordAttempt, type Announcements, type ClaimedDelivery } from '../db/webhook-queues.ts';
import { systemCaller } from '../process-caller.ts';
import { attempt, type AttemptDeps, type AttemptOutcome } from './attempt.ts';
import { payloadOf } from './payload.ts';
import { readSecrets } from './secrets.ts';
import { signatureHeaders } from './signature.ts';

export const DELIVER_EVERY_MS = 1_000;
/** Between two claims: what ends within it is followed by one. */
const CLAIM_PAUSE_MS = 20;

/** Attempts under way at once: of one process, and at one origin. */
const AT_ONCE = 200;
const AT_ONCE_PER_ORIGIN = 8;
/** At an origin whose last attempt used up its time. */
const AT_ONCE_WHEN_SLOW = 1;

export interface DelivererDeps extends AttemptDeps {
  readonly database: Database;
  readonly codec: PayloadCodec;
  readonly installationId: string;
  readonly log: Pick<Logger, 'debug' | 'warn' | 'error'>;
}

/**
 * A round that delivers what is due, and goes on for as long as something is under way. A receiver that hangs keeps places of its
 * own origin only. What dies with its process is attempted again once its lease has ended, under the same id.
 */
export function createDeliverer(deps: DelivererDeps): (stop?: AbortSignal) => Promise<void> {
  const slow = new Set<string>();
  return async (stop) => {
    const underWay = new Map<Promise<void>, string>();
    try {
      while (stop?.aborted !== true) {
        const claimed = await claimDeliveries(deps.database, boundsOf([...underWay.values()], slow));
        for (const delivery of claimed) {
          const running = deliver(deps, delivery, slow).finally(() => underWay.delete(running));
          underWay.set(running, delivery.origin);
        }
        if (underWay.size === 0) return;
        // New ones come meanwhile, for others.
        await firstOf([...underWay.keys()], stop);
      }
    } finally {
      await Promise.all(underWay.keys());
    }
  };
}

function boundsOf(origins: readonly string[], slow: ReadonlySet<string>) {
  const free = new Map<string, number>();
  for (const origin of new Set([...origins, ...slow])) {
    const taken = origins.filter((one) => one === origin).length;
    free.set(origin, Math.max(0, (slow.has(origin) ? AT_ONCE_WHEN_SLOW : AT_ONCE_PER_ORIGIN) - taken));
  }
  return { limit: Math.max(0, AT_ONCE - origins.length), slots: AT_ONCE_PER_ORIGIN, free };
}

/** Until one of them ends, or new ones may have come. */
async function firstOf(running: readonly Promise<void>[], stop: AbortSignal | undefined): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, ...(stop ? [stop] : [])]);
  const pause = sleep(DELIVER_EVERY_MS, undefined, { signal }).catch(() => undefined);
  await Promise.race([...running, pause]);
  over.abort();
  await sleep(CLAIM_PAUSE_MS);
}

/** Never rejects: what cannot be noted is attempted again. */
async function deliver(deps: DelivererDeps, delivery: ClaimedDelivery, slow: Set<string>): Promise<void> {
  const { database, log } = deps;
  const { webhookId, tenantId, origin } = delivery;
  const at = { webhookId, deliveryId: delivery.id, tenantId, attempts: delivery.attempts };
  try {
    const outcome = await send(deps, delivery);
    if (outcome.isSlow === true) slow.add(origin);
    else slow.delete(origin);
    log.debug({ ...at, ...outcome }, outcome.error === undefined ? 'event delivered' : 'event not delivered');
    const caller = systemCaller('worker');
    await recordAttempt(database, delivery, { ...outcome, caller }, announcements(deps));
  } catch (error) {
    log.warn({ err: error, ...at }, 'a delivery could not be attempted, or what became of it not be noted');
  }
}

async function send(deps: DelivererDeps, delivery: ClaimedDelivery): Promise<AttemptOutcome> {
  const secrets = await readSecrets(deps.database, deps.codec, delivery.webhookId);
  if (secrets.length === 0) throw new Error(`webhook ${delivery.webhookId} has no secret: it was deleted meanwhile`);
  const body = payloadOf(delivery, deps.installationId);
  const signed = signatureHeaders({ id: messageIdOf(delivery.id), at: new Date(), body }, secrets);
  const headers = { ...signed, 'content-type': 'application/json', 'user-agent': 'Tenantry-Webhooks/1' };
  return attempt(deps, { url: delivery.url, headers, body });
}

function announcements({ log }: DelivererDeps): Announcements {
  return {
    givenUp: (given) =>
      log.error(
        { alert: 'webhook-dead-letters', ...given, runbook: runbookPage('webhook-dead-letters') },
        'an event was not delivered for three days, and is given up',
      ),
    disabled: (webhookId, reason) =>
      log.error(
        { alert: 'webhook-disabled', webhookId, reason, runbook: runbookPage('webhook-disabled') },
        'a webhook was disabled: what comes waits until it is enabled',
      ),
  };
}
