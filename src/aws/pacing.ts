import { StepError } from '../contracts/step-error.ts';

/** A token bucket as AWS publishes it: so many at once, so many more per second. */
export interface BucketRate {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * API groups that share a bucket each. Sources: aws-facts.md ("Rate limits"): ECS and ELB throttling pages, Route 53's
 * change-based throttling; CloudWatch Logs and Secrets Manager from their quota pages.
 */
export const bucketRates = {
  route53: { burst: 50, perSecond: 10 },
  elbv2: { burst: 40, perSecond: 10 },
  'elbv2-mutating': { burst: 20, perSecond: 3 },
  'ecs-task-definition': { burst: 20, perSecond: 1 },
  'ecs-task-definition-delete': { burst: 5, perSecond: 1 },
  'ecs-service': { burst: 50, perSecond: 5 },
  logs: { burst: 10, perSecond: 10 },
  secrets: { burst: 50, perSecond: 40 },
  'ssm-put': { burst: 3, perSecond: 3 },
} as const satisfies Readonly<Record<string, BucketRate>>;

export type BucketName = keyof typeof bucketRates;

/** The buckets that a call draws a token from each; none: the call is not paced. */
export function bucketsOf(service: string, action: string, read: boolean): readonly BucketName[] {
  if (service === 'route53') return ['route53'];
  if (service === 'elasticloadbalancing') return read ? ['elbv2'] : ['elbv2', 'elbv2-mutating'];
  if (service === 'ecs' && /^(Der|R)egisterTaskDefinition$/.test(action)) return ['ecs-task-definition'];
  if (service === 'ecs' && action === 'DeleteTaskDefinitions') return ['ecs-task-definition-delete'];
  if (service === 'ecs' && /^(Create|Update|Delete)Service$/.test(action)) return ['ecs-service'];
  if (service === 'logs') return ['logs'];
  if (service === 'secretsmanager') return ['secrets'];
  if (service === 'ssm' && action === 'PutParameter') return ['ssm-put'];
  return [];
}

/** Pure core: a bucket whose tokens may be promised ahead of their time, so that waiters are served in order. */
export class TokenBucket {
  readonly #rate: BucketRate;
  #tokens: number;
  #atMs: number;

  constructor(rate: BucketRate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#atMs = nowMs;
  }

  /** How long a token asked for now would have to be waited for, in ms. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.#rate.perSecond) * 1000);
  }

  /** Takes a token, on credit if none is there (the wait is {@link waitMs} as asked before). */
  take(nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= 1;
  }

  /** Gives back a token that was promised and not used. */
  giveBack(): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + 1);
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + (elapsedMs / 1000) * this.#rate.perSecond);
    this.#atMs = Math.max(this.#atMs, nowMs);
  }
}

/** Waits until each of the buckets has a token for the caller. */
export interface Pacer {
  /** @throws StepError THROTTLED at once when the wait would be longer than the pacer allows; the signal's reason when aborted */
  pace(buckets: readonly BucketName[], signal?: AbortSignal): Promise<void>;
}

export interface PacerOptions {
  /** Multiplies every rate and burst (1: AWS's own); `Infinity` does not pace. */
  readonly factor?: number | undefined;
  /** Longest wait for a token, in ms: start-to-close (10 s) less the request's time-out. */
  readonly maxWaitMs?: number | undefined;
}

/** One pacer per cell and process: it holds this process to the account's rates (other processes have theirs). */
export function createPacer({ factor = 1, maxWaitMs = 4_000 }: PacerOptions = {}): Pacer {
  const buckets = new Map<BucketName, TokenBucket>();
  const bucket = (name: BucketName): TokenBucket => {
    const known = buckets.get(name);
    if (known) return known;
    const { burst, perSecond } = bucketRates[name];
    const made = new TokenBucket(
      { burst: Math.max(1, burst * factor), perSecond: perSecond * factor },
      performance.now(),
    );
    buckets.set(name, made);
    return made;
  };
  return {
    async pace(names, signal) {
      if (factor === Infinity || names.length === 0) return;
      const drawn = names.map(bucket);
      const waitMs = Math.max(...drawn.map((b) => b.waitMs(performance.now())));
      if (waitMs > maxWaitMs) {
        throw new StepError('THROTTLED', `no token of ${names.join(' and ')} within ${maxWaitMs} ms`, {
          detail: `our own pacing would have to wait ${waitMs} ms`,
        });
      }
      for (const b of drawn) b.take(performance.now());
      try {
        await sleep(waitMs, signal);
      } catch (error) {
        for (const b of drawn) b.giveBack();
        throw error;
      }
    },
  };
}

/** Resolves after `ms`; rejects with the signal's reason when aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(abortReason(signal));
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      if (signal) reject(abortReason(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The reason of an aborted signal as an error. */
export function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason });
}
