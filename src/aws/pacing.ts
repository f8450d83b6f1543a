import { StepError } from '../contracts/step-error.ts';
import type { LeaseTokens } from '../db/rate-buckets.ts';
import { bucketRate, leasedBucket, type BucketName } from './rate-buckets.ts';
import { ownTokens, withLocalFallback, type TokenSource } from './token-fallback.ts';
import { TurnQueue } from './turn-queue.ts';

/** A call that is to be made. */
export interface TurnRequest {
  /** It draws one token from each. */
  readonly buckets: readonly BucketName[];
  /** It changes nothing: changes go first. */
  readonly isLook: boolean;
  /** Nobody waits for what it is part of: it gets only what the others leave. */
  readonly isBackground?: boolean | undefined;
  /** When the work that it is part of was asked for, in epoch ms: older work goes first. Absent: now. */
  readonly since?: number | undefined;
  /** Whose call it is; the same when it is tried again. */
  readonly key?: string | undefined;
  /** Until when it may wait, in epoch ms; asked whenever it matters. */
  readonly latestAtMs?: (() => number | undefined) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The turn of a call: it is to begin until then (`performance.now()`), or to ask for another turn. */
export interface Turn {
  readonly untilMs: number;
}

/** Waits until each of the buckets has a token for the caller. */
export interface Pacer {
  /**
   * @throws StepError THROTTLED, with `retryAfterMs`, when the turn would come too late: no token was taken, and nothing
   * counts as tried; the signal's reason when aborted
   */
  turn(request: TurnRequest): Promise<Turn>;
}

export interface PacingOptions {
  /** Multiplies every rate and burst (1: AWS's own); `Infinity` does not pace. */
  readonly factor?: number | undefined;
  /** Leases from buckets that all processes share; absent: this process has them to itself. */
  readonly lease?: LeaseTokens | undefined;
}

/** Pacers of one process. Cells of one account and region share one. */
export type Pacing = (place: { readonly accountId: string; readonly region: string }) => Pacer;

/** How long a call waits for its turn that nobody set a time for, in ms. */
const LONGEST_WAIT_MS = 60_000;
/** How long any call may wait, in ms: slow work gets on as long as tokens are there. */
export const SHORTEST_WAIT_MS = 500;

export function createPacing({ factor = 1, lease }: PacingOptions = {}): Pacing {
  const source = lease ? withLocalFallback(lease) : ownTokens();
  const queues = new Map<string, TurnQueue>();
  return ({ accountId, region }) => ({
    turn: (request) => {
      if (request.signal?.aborted) return Promise.reject(abortReason(request.signal));
      if (factor === Infinity || request.buckets.length === 0) return Promise.resolve({ untilMs: Infinity });
      const isGlobal = request.buckets.some((name) => bucketRate(name).isGlobal === true);
      const place = { accountId, region: isGlobal ? 'global' : region };
      const key = [
        place.accountId,
        place.region,
        request.isLook,
        request.isBackground === true,
        ...request.buckets,
      ].join(' ');
      const queue = queues.get(key) ?? createQueue(place, request, { factor, lease: source });
      queues.set(key, queue);
      return waitForTurn(queue, request);
    },
  });
}

function createQueue(
  place: { readonly accountId: string; readonly region: string },
  { buckets: names, isBackground = false, isLook }: TurnRequest,
  { factor, lease }: { readonly factor: number; readonly lease: TokenSource },
): TurnQueue {
  const buckets = names.map((name) => leasedBucket(name, factor, { isBackground, isLook }));
  const leaseMs = Math.min(...buckets.map((bucket) => bucket.leaseMs));
  return new TurnQueue({ draw: { ...place, buckets }, leaseMs, lease, tellsEarly: !isLook });
}

function waitForTurn(queue: TurnQueue, request: TurnRequest): Promise<Turn> {
  const { buckets, signal, since = Date.now(), key } = request;
  const atLeastMs = Date.now() + SHORTEST_WAIT_MS;
  const giveUpAtMs = Date.now() + LONGEST_WAIT_MS;
  return new Promise((resolve, reject) => {
    let leave = (): void => undefined;
    let late: NodeJS.Timeout | undefined;
    const end = () => {
      clearTimeout(late);
      signal?.removeEventListener('abort', onAbort);
      leave();
    };
    const onAbort = () => {
      end();
      if (signal) reject(abortReason(signal));
    };
    const onLate = (againInMs: number) => {
      end();
      reject(turnTooLate(buckets, againInMs));
    };
    // The wall clock says until when; what is left of it is measured by the one that never jumps.
    const leftMs = () => Math.max(atLeastMs, request.latestAtMs?.() ?? giveUpAtMs) - Date.now();
    const watch = () => {
      if (leftMs() <= 0) onLate(1_000);
      else late = setTimeout(watch, Math.max(1, leftMs()));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    watch();
    leave = queue.join({
      order: since,
      key,
      latestAtMs: () => performance.now() + leftMs(),
      onTurn: (untilMs) => {
        end();
        resolve({ untilMs });
      },
      onLate,
    });
  });
}

/** What ends a wait for a turn that comes too late. @param buckets those that it waited for, as far as it is known */
export function turnTooLate(buckets: readonly BucketName[], retryAfterMs: number): StepError {
  const which = buckets.length === 0 ? '' : ` (${buckets.join(', ')})`;
  const message = `waits for its turn at AWS's rate limit${which}`;
  return new StepError('THROTTLED', message, {
    detail: `${message}, about ${Math.ceil(retryAfterMs / 1000)} s more`,
    retryAfterMs,
  });
}

/** The reason of an aborted signal as an error. */
export function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason });
}
