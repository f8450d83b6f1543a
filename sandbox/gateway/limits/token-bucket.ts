// Parts of tokens are added up: a sum may miss a whole one by its last digits.
const rounding = 1e-6;

/** A bucket as AWS has it: full at first, refilled evenly, never above its size. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #atMs: number;

  constructor(burst: number, perSecond: number, nowMs: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Time until this many tokens are there, in ms; 0 when they are. */
  waitMs(cost: number, nowMs: number): number {
    this.#refill(nowMs);
    // What costs more than the bucket holds passes when the bucket is full, and leaves a debt.
    const missing = Math.min(cost, this.#burst) - this.#tokens;
    return missing <= rounding ? 0 : (missing / this.#perSecond) * 1000;
  }

  take(cost: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= cost;
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(nowMs - this.#atMs, 0);
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs / 1000) * this.#perSecond);
    this.#atMs = Math.max(nowMs, this.#atMs);
  }
}
