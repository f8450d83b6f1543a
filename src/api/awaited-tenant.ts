import type { FastifyBaseLogger } from 'fastify';
import type { TenantryClient } from '../client/tenantry.ts';
import type { TenantView, TenantWithOutcomeView } from '../client/views.ts';
import type { Caller } from '../contracts/caller.ts';
import { waker } from './waker.ts';

/** A tenant as a request wrote it, or as it was read since. */
export type SeenTenant = TenantView & Partial<Pick<TenantWithOutcomeView, 'deletesAt' | 'error' | 'openOperation'>>;

export interface TenantWait {
  readonly limitMs: number;
  readonly isOver: (tenant: SeenTenant) => boolean;
  /** Nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly log: FastifyBaseLogger;
}

/** The safety net for notifications that were lost, in ms. */
const POLL_MS = 1_000;

/**
 * Waits until a tenant is as it is to be, for a while, and answers it as it was seen last. That it cannot be read meanwhile is no failure:
 * what it is waited for was accepted.
 */
export async function awaitTenant(
  client: TenantryClient,
  caller: Caller,
  accepted: SeenTenant,
  { limitMs, isOver, signal, log }: TenantWait,
): Promise<SeenTenant> {
  const { tenantId } = accepted;
  const endMs = performance.now() + limitMs;
  const wake = waker(signal);
  const unsubscribe = client.subscribe(caller, tenantId, wake.call);
  let seen = accepted;
  try {
    for (;;) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0 || signal.aborted) return seen;
      wake.reset();
      seen = await client.get(caller, tenantId).catch((error: unknown) => {
        log.warn({ err: error, tenantId }, 'a tenant that is waited for could not be read');
        return seen;
      });
      if (isOver(seen)) return seen;
      await wake.wait(Math.min(leftMs, POLL_MS));
    }
  } finally {
    unsubscribe();
  }
}
