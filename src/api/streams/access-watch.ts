import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { Identity } from '../access/identity.ts';
import { SKEW_SECONDS } from '../access/oidc.ts';
import { endOf, tokenExpired, unavailable, type StreamEnd } from './stream-end.ts';
import type { StreamTimes } from './times.ts';

/** By what a stream was opened. */
export interface StreamAccess {
  readonly identity: Identity;
  /** Asks for the same credential again. @throws RequestError */
  readonly identifyAgain: () => Promise<Identity>;
  /** Throws unless these may still have the stream. */
  readonly assertAllowed: (identity: Identity) => Promise<void>;
  /** Told of what refused a stream that was open. */
  readonly onRefusal: (error: unknown) => Promise<void>;
}

interface Watch {
  readonly times: Pick<StreamTimes, 'recheckMs' | 'unknownMs'>;
  readonly ended: AbortSignal;
  readonly log: FastifyBaseLogger;
}

/** How long is slept at once, in ms: a timer holds no more than 24 days, and clocks are set. */
const LONGEST_SLEEP_MS = 60_000;

/**
 * Resolves when the stream has to end: at the moment at which its credential does, or when that is refused.
 * @throws when `ended` aborts
 */
export async function accessEnd(access: StreamAccess, watch: Watch): Promise<StreamEnd> {
  const stop = new AbortController();
  const ended = AbortSignal.any([watch.ended, stop.signal]);
  const expiry = { atMs: expiryOf(access.identity) };
  try {
    return await Promise.race([untilExpiry(expiry, ended), untilRefusal(access, { ...watch, ended }, expiry)]);
  } finally {
    stop.abort();
  }
}

interface Expiry {
  atMs: number;
}

async function untilExpiry(expiry: Expiry, ended: AbortSignal): Promise<StreamEnd> {
  for (;;) {
    const leftMs = expiry.atMs - Date.now();
    if (leftMs <= 0) return tokenExpired;
    await sleep(Math.min(leftMs, LONGEST_SLEEP_MS), undefined, { signal: ended });
  }
}

async function untilRefusal(access: StreamAccess, { times, ended, log }: Watch, expiry: Expiry): Promise<StreamEnd> {
  let knownAtMs = performance.now();
  for (;;) {
    await sleep(times.recheckMs, undefined, { signal: ended });
    try {
      const identity = await access.identifyAgain();
      await access.assertAllowed(identity);
      knownAtMs = performance.now();
      expiry.atMs = Math.min(expiry.atMs, expiryOf(identity));
    } catch (error) {
      if (ended.aborted) throw error;
      const end = endOf(error);
      if (end.reason === 'access-lost') await access.onRefusal(error);
      if (end.reason !== 'unavailable') return end;
      log.warn({ err: error }, 'whether a stream may go on cannot be told now');
      if (performance.now() - knownAtMs >= times.unknownMs) return unavailable;
    }
  }
}

/** In ms. A token is taken a little after its end, because clocks differ: what it opens then lasts that long. */
function expiryOf({ expiresAt }: Identity): number {
  if (!expiresAt) return Infinity;
  const atMs = expiresAt.getTime();
  return atMs > Date.now() ? atMs : atMs + SKEW_SECONDS * 1_000;
}
