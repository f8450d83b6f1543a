import type { Rate } from '../../limits-config.ts';
import { keepRecent } from '../../recent-keys.ts';

/** What a bucket said of one request. */
export interface Taken {
  /** Undefined: there was room. Else in how many ms there is. */
  readonly waitMs: number | undefined;
  /** Requests that there is room for now. */
  readonly remaining: number;
  /** Until there is room for as many as ever, in ms. */
  readonly fullInMs: number;
}

export interface Buckets {
  take(key: string, nowMs?: number): Taken;
  /**
   * Takes one of those to come where there is no room now.
   * @returns in how many ms it is there; undefined, and nothing taken, when that is later than `mostMs`
   */
  reserve(key: string, mostMs: number, nowMs?: number): number | undefined;
  /** Takes one back that did not count. */
  giveBack(key: string): void;
}

/** Keys that are remembered; the one that was unseen longest goes first: nobody gains more than a bucket that is full anyway. */
const MOST_KEYS = 50_000;

/**
 * A token bucket per key, as the generic cell rate algorithm keeps it: of each key only the time at which its bucket is full again.
 * Own code: the libraries for Fastify count in windows, which let twice the rate through at their edges, and keep keys without a bound or by time.
 */
export function buckets({ requests, windowMs }: Rate, mostKeys = MOST_KEYS): Buckets {
  const perRequestMs = windowMs / requests;
  const fullAtMs = new Map<string, number>();
  return {
    take: (key, nowMs = performance.now()) => {
      const before = Math.max(fullAtMs.get(key) ?? nowMs, nowMs);
      const after = before + perRequestMs;
      // A thousandth of a request makes up for what floating point loses.
      const isFull = after - nowMs > windowMs + perRequestMs / 1_000;
      const fullAt = isFull ? before : after;
      keepRecent(fullAtMs, key, fullAt, mostKeys);
      return {
        waitMs: isFull ? after - nowMs - windowMs : undefined,
        remaining: isFull ? 0 : Math.floor((windowMs - (fullAt - nowMs)) / perRequestMs + 0.001),
        fullInMs: fullAt - nowMs,
      };
    },
    reserve: (key, mostMs, nowMs = performance.now()) => {
      const after = Math.max(fullAtMs.get(key) ?? nowMs, nowMs) + perRequestMs;
      const inMs = Math.max(0, after - nowMs - windowMs);
      if (inMs > mostMs) return undefined;
      keepRecent(fullAtMs, key, after, mostKeys);
      return inMs;
    },
    giveBack: (key) => {
      const atMs = fullAtMs.get(key);
      if (atMs !== undefined) fullAtMs.set(key, atMs - perRequestMs);
    },
  };
}
