/** A moment by both clocks of the process. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function now(): Instant {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

/**
 * By the clock that says more: the monotonic one may stand still with a machine that is suspended, and the other may be set back. Where the
 * other is set forward, too much time seems to have passed: what is then asked anew is right, too.
 */
export function elapsedMs(since: Instant, until: Instant = now()): number {
  return Math.max(until.monotonicMs - since.monotonicMs, until.wallMs - since.wallMs);
}
