import type { LeaseTokens, TokenGrant, TokenRequest } from '../db/rate-buckets.ts';
import { TimeLimitError, withinLimit } from '../time-limit.ts';

/** Tokens, and since when they are leased (`performance.now()`). */
export type Leased = TokenGrant & { readonly sinceMs: number };

/** @param leaseMs how long the lease is to last: an answer that takes longer is of no use */
export type TokenSource = (request: TokenRequest, leaseMs: number) => Promise<Leased>;

/** How long PostgreSQL is not asked again after it has refused, and after it was too slow, in ms. */
const ASK_AGAIN_AFTER_MS = { refused: 2_000, slow: 500 };
/** Processes that are reckoned with as long as nobody has counted them. */
const WORKERS_UNCOUNTED = 5;

/**
 * Leases as `shared` gives them; while it does not answer, from a part of the rate that is this process's own. The part is half
 * of an even share: workers start with PostgreSQL only, so that in an outage there are no more of them than it last counted,
 * but for those that had just started. What is used so is told to it afterwards.
 */
export function withLocalFallback(shared: LeaseTokens): TokenSource {
  const local = createLocalTokens();
  const spent = new Map<string, number>();
  let workers = WORKERS_UNCOUNTED;
  let askAgainAtMs = 0;
  return async (request, leaseMs) => {
    const key = keyOf(request);
    const owed = spent.get(key) ?? 0;
    // Counted from before the request: the lease cannot end later here than where it was given.
    const sinceMs = performance.now();
    if (sinceMs >= askAgainAtMs) {
      try {
        const grant = await withinLimit(leaseMs, shared({ ...request, spent: request.spent + owed }));
        if (owed > 0) spent.set(key, (spent.get(key) ?? owed) - owed);
        local.forget();
        workers = grant.workers;
        return { ...grant, sinceMs };
      } catch (error) {
        const pauseMs = error instanceof TimeLimitError ? ASK_AGAIN_AFTER_MS.slow : ASK_AGAIN_AFTER_MS.refused;
        askAgainAtMs = performance.now() + pauseMs;
      }
    }
    const grant = local.lease(request, 1 / (2 * Math.max(1, workers)));
    spent.set(key, (spent.get(key) ?? 0) + grant.granted);
    return grant;
  };
}

/** Leases of a process that has no PostgreSQL to ask: the whole rate is its own. */
export function ownTokens(): TokenSource {
  const local = createLocalTokens();
  return (request) => Promise.resolve(local.lease(request, 1, request.buckets));
}

function keyOf({ accountId, region, buckets }: TokenRequest): string {
  return [accountId, region, ...buckets.map((bucket) => bucket.name)].join(' ');
}

interface Level {
  tokens: number;
  atMs: number;
}

/** Buckets of this process, by account and region; they begin empty unless it is told that they were full. */
function createLocalTokens() {
  const levels = new Map<string, Level>();
  return {
    forget: () => levels.clear(),
    lease: (
      { accountId, region, buckets, wanted }: TokenRequest,
      part: number,
      full: TokenRequest['buckets'] = [],
    ): Leased => {
      const nowMs = performance.now();
      const drawn = buckets.map((bucket) => {
        const key = [accountId, region, bucket.name].join(' ');
        const capacity = Math.max(1, bucket.capacity * part);
        const level = levels.get(key) ?? { tokens: full.includes(bucket) ? capacity : 0, atMs: nowMs };
        const perSecond = bucket.perSecond * part;
        level.tokens = Math.min(capacity, level.tokens + ((nowMs - level.atMs) / 1000) * perSecond);
        level.atMs = nowMs;
        levels.set(key, level);
        // A floor that is more than the part would let nobody look.
        return { level, perSecond, floor: bucket.floor * part < capacity - 1 ? bucket.floor * part : 0 };
      });
      const free = Math.floor(Math.min(...drawn.map(({ level, floor }) => level.tokens - floor)));
      const granted = Math.max(0, Math.min(wanted, free));
      for (const { level } of drawn) level.tokens -= granted;
      const nextMs = Math.max(
        ...drawn.map(({ level, perSecond, floor }) => ((floor + 1 - level.tokens) / perSecond) * 1000),
      );
      return { granted, nextMs: Math.max(0, nextMs), askers: 1, workers: 1, sinceMs: nowMs };
    },
  };
}
