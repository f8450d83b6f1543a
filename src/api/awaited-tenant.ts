import type { FastifyBaseLogger } from 'fastify';
import type { TenantryClient } from '../client/tenantry.ts';
import type { TenantView, TenantWithOutcomeView } from '../client/views.ts';
import type { Caller } from '../contracts/caller.ts';
import { waker } from './waker.ts';

/** A tenant as a request wrote it, or as it was read since. */
export type SeenTenant = TenantView & Partial<Pick<TenantWithOutcomeView, 'deletesAt' | 'error' | 'openOperation'>>;

export interface TenantWait {
  readonly limitMs: number;
  readonly isOver: (tenant: TenantWithOutcomeView) => boolean;
  /** Nobody waits for the answer any more, or the process is about to end. */
  readonly signal: AbortSignal;
  readonly log: FastifyBaseLogger;
}

/** The safety net for notifications that were lost, in ms. */
const POLL_MS = 1_000;

/**
 * Waits until a tenant is as it is to be, for a while, and answers it as it was seen last. That it cannot be read meanwhile is no failure:
 * what it is waited for was accepted. Nor does a look that hangs outlast the wait.
 */
export async function awaitTenant<T extends { readonly tenantId: string }>(
  client: TenantryClient,
  caller: Caller,
  accepted: T,
  { limitMs, isOver, signal, log }: TenantWait,
): Promise<T | TenantWithOutcomeView> {
  const { tenantId } = accepted;
  const ended = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  const atEnd = new Promise<undefined>((resolve) => ended.addEventListener('abort', () => resolve(undefined)));
  const wake = waker(ended);
  const unsubscribe = client.subscribe(caller, tenantId, wake.call);
  const look = () =>
    client.get(caller, tenantId).catch((error: unknown) => {
      log.warn({ err: error, tenantId }, 'a tenant that is waited for could not be read');
      return undefined;
    });
  let seen: T | TenantWithOutcomeView = accepted;
  try {
    while (!ended.aborted) {
      wake.reset();
      const now = await Promise.race([look(), atEnd]);
      if (now) seen = now;
      if (now && isOver(now)) return seen;
      await wake.wait(POLL_MS);
    }
    return seen;
  } finally {
    unsubscribe();
  }
}
