import { isIPv6 } from 'node:net';
import { keepRecent } from '../../recent-keys.ts';

/** How many rows refusals may leave: `burst` at once, then `perMinute`. */
export interface Rate {
  readonly burst: number;
  readonly perMinute: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
  unrecorded: number;
}

/** Of one caller or address, and of all together. */
export interface RefusalRates {
  readonly each: Rate;
  readonly all: Rate;
}

export const defaultRefusalRates: RefusalRates = {
  each: { burst: 100, perMinute: 6 },
  all: { burst: 1_000, perMinute: 20 },
};

/** Keys that are remembered; the one that was unseen longest goes first. */
const MOST_KEYS = 10_000;

/**
 * Lets a bounded number of refusals be recorded.
 * @returns of a refusal how many went unrecorded before it; undefined when it is not to be recorded either
 */
export function refusalBudget({ each, all }: RefusalRates): (key: string, nowMs?: number) => number | undefined {
  const buckets = new Map<string, Bucket>();
  const total: Bucket = { tokens: all.burst, atMs: 0, unrecorded: 0 };
  return (key, nowMs = performance.now()) => {
    const bucket = buckets.get(key) ?? { tokens: each.burst, atMs: nowMs, unrecorded: 0 };
    keepRecent(buckets, key, bucket, MOST_KEYS);
    fill(bucket, each, nowMs);
    fill(total, all, nowMs);
    if (bucket.tokens < 1 || total.tokens < 1) {
      bucket.unrecorded += 1;
      return undefined;
    }
    bucket.tokens -= 1;
    total.tokens -= 1;
    const { unrecorded } = bucket;
    bucket.unrecorded = 0;
    return unrecorded;
  };
}

function fill(bucket: Bucket, { burst, perMinute }: Rate, nowMs: number): void {
  bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 60_000) * perMinute);
  bucket.atMs = nowMs;
}

/** Who has an IPv6 address has the 64 bits after it too. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter(Boolean);
  const rest = (tail ?? '').split(':').filter(Boolean);
  const whole =
    tail === undefined ? groups : [...groups, ...Array<string>(8 - groups.length - rest.length).fill('0'), ...rest];
  return `${whole
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
