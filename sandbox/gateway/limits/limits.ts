import { errorAnswer } from '../answer.ts';
import type { Stage } from '../pipeline.ts';
import { scopeKey, type Call, type Scope } from '../request.ts';
import { bucketSpecsOf, fargateLaunches, type BucketSpec } from './buckets.ts';
import { Quotas, type QuotaOverrides } from './quotas.ts';
import { throttlingError } from './throttling.ts';
import { TokenBucket } from './token-bucket.ts';

export { isQuotaName, quotaNames, Quotas, type QuotaName, type QuotaOverrides } from './quotas.ts';
export { throttlingError } from './throttling.ts';

export interface LimitsParts {
  /** A clock in ms that never goes back; the process's own by default. */
  readonly now?: () => number;
}

export interface LimitsSetting {
  /** Multiplies AWS's rates and bursts (not its quotas); 1 is AWS's own. */
  readonly factor: number;
  /** Quotas other than AWS's defaults. */
  readonly quotas?: QuotaOverrides | undefined;
}

export interface LimitsState {
  /** Null while limits are off. */
  readonly factor: number | null;
  /** Refused calls (and launches that had to wait) by bucket since limits were last switched on. */
  readonly throttled: Readonly<Record<string, number>>;
  /** Quotas in force. */
  readonly quotas: Readonly<Partial<Record<string, number>>>;
  /** Refusals by quota since limits were last switched on. */
  readonly refused: Readonly<Partial<Record<string, number>>>;
}

/** Tasks that services start: the scheduler asks before each and waits when told to. */
export interface LaunchGate {
  /** Takes one launch, and says in how many ms its turn is; 0 at once. */
  take(scope: Scope): number;
}

export interface Limits {
  readonly stage: Stage;
  readonly quotas: Quotas;
  readonly launches: LaunchGate;
  /** Switches limits on, with full buckets, or off (null). */
  set(setting: LimitsSetting | null): void;
  state(): LimitsState;
}

/** AWS's token buckets and quotas for all callers of this gateway, by account and region. Off at first. */
export function createLimits({ now = () => performance.now() }: LimitsParts = {}): Limits {
  const quotas = new Quotas();
  const buckets = new Buckets(now);
  return {
    quotas,
    stage: (call, next) => {
      if (buckets.factor === null || buckets.admit(call)) return next();
      return Promise.resolve(errorAnswer(call, throttlingError(call.service)));
    },
    launches: { take: (scope) => buckets.launchDelayMs(scope) },
    set: (setting) => {
      buckets.set(setting?.factor ?? null);
      quotas.set(setting ? (setting.quotas ?? {}) : undefined);
    },
    state: () => {
      const { limits, refused } = quotas.state();
      return { factor: buckets.factor, throttled: Object.fromEntries(buckets.throttled), quotas: limits, refused };
    },
  };
}

class Buckets {
  readonly throttled = new Map<string, number>();
  readonly #now: () => number;
  readonly #buckets = new Map<string, TokenBucket>();
  #factor: number | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  get factor(): number | null {
    return this.#factor;
  }

  set(factor: number | null): void {
    if (factor !== null && !(factor > 0)) throw new RangeError(`a limits factor must be above 0, not ${factor}`);
    this.#factor = factor;
    this.#buckets.clear();
    if (factor !== null) this.throttled.clear();
  }

  /** Draws from all of the call's buckets, or, when one has too little, from none. */
  admit(call: Call): boolean {
    const nowMs = this.#now();
    const draws = bucketSpecsOf(call.service)
      .filter((spec) => spec.counts(call.action))
      .map((spec) => ({ spec, bucket: this.#bucket(spec, call.scope, nowMs), cost: spec.cost?.(call) ?? 1 }));
    const empty = draws.filter(({ bucket, cost }) => bucket.waitMs(cost, nowMs) > 0);
    for (const { spec } of empty) this.#count(spec);
    if (empty.length > 0) return false;
    for (const { bucket, cost } of draws) bucket.take(cost, nowMs);
    return true;
  }

  launchDelayMs(scope: Scope): number {
    if (this.#factor === null) return 0;
    const nowMs = this.#now();
    const bucket = this.#bucket(fargateLaunches, scope, nowMs);
    const waitMs = bucket.waitMs(1, nowMs);
    if (waitMs > 0) this.#count(fargateLaunches);
    bucket.take(1, nowMs);
    return Math.ceil(waitMs);
  }

  #count(spec: BucketSpec): void {
    this.throttled.set(spec.name, (this.throttled.get(spec.name) ?? 0) + 1);
  }

  #bucket(spec: BucketSpec, scope: Scope, nowMs: number): TokenBucket {
    const key = `${spec.name}|${spec.isGlobal ? scope.accountId : scopeKey(scope)}`;
    const known = this.#buckets.get(key);
    if (known) return known;
    const factor = this.#factor ?? 1;
    // A bucket that holds less than one token would refuse everything.
    const made = new TokenBucket(Math.max(spec.burst * factor, 1), spec.perSecond * factor, nowMs);
    this.#buckets.set(key, made);
    return made;
  }
}
