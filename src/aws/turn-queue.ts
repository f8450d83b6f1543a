import type { TokenRequest } from '../db/rate-buckets.ts';
import type { Leased, TokenSource } from './token-fallback.ts';

/** A call that waits for its turn. Times are of `performance.now()`. */
export interface Waiter {
  /** Those with a lower number go first. */
  readonly order: number;
  /** Whose call it is; the same when it is tried again. */
  readonly key: string | undefined;
  /** Until when its turn is of use. Asked each time: who shares a look may come later. */
  readonly latestAtMs: () => number;
  /** Its turn has come; it holds a token until then. */
  readonly onTurn: (untilMs: number) => void;
  /** Its turn will not come in time, or did not; when to come again, in ms from now. */
  readonly onLate: (againInMs: number) => void;
}

export interface QueueOptions {
  readonly draw: Pick<TokenRequest, 'accountId' | 'region' | 'buckets'>;
  readonly leaseMs: number;
  readonly lease: TokenSource;
  /** Whoever will be late is told at once (it gives its place in the worker back), and not when its time is over. */
  readonly tellsEarly: boolean;
}

/** Shortest and longest pause between two requests for tokens, in ms. */
const ASK_AGAIN_MS = { least: 50, most: 1_000 };
/** How much earlier than its turn somebody is told to come, in ms: the estimate is one, and it can wait for a few seconds. */
const COME_EARLY_MS = 2_000;
/** How long the place of somebody who was told to come again is reckoned with after that time, in ms. */
const LATE_COMER_MS = 3_000;

/**
 * Calls that draw from the same buckets, in order. Tokens are leased for all that wait, and some more for those to come; what
 * is not used by the end of its lease is lost.
 */
export class TurnQueue {
  readonly #options: QueueOptions;
  readonly #waiting: Waiter[] = [];
  /** Those who were told to come again: order and time, by their key. */
  readonly #expected = new Map<string, { readonly order: number; readonly atMs: number }>();
  #leases: { tokens: number; readonly untilMs: number }[] = [];
  #isAsking = false;
  #timer: NodeJS.Timeout | undefined;
  /** Uses within the last two lease times. */
  #usedAtMs: number[] = [];
  #isScarce = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Answers how to leave the queue. */
  join(waiter: Waiter): () => void {
    if (waiter.key !== undefined) this.#expected.delete(waiter.key);
    const after = this.#waiting.findIndex((other) => other.order > waiter.order);
    if (after < 0) this.#waiting.push(waiter);
    else this.#waiting.splice(after, 0, waiter);
    this.#serve();
    return () => {
      const at = this.#waiting.indexOf(waiter);
      if (at >= 0) this.#waiting.splice(at, 1);
    };
  }

  #serve(): void {
    const nowMs = performance.now();
    this.#dropLate(nowMs);
    this.#leases = this.#leases.filter((lease) => lease.tokens > 0 && lease.untilMs > nowMs);
    for (let lease = this.#leases[0]; lease && this.#waiting.length > 0; lease = this.#leases[0]) {
      lease.tokens -= 1;
      if (lease.tokens === 0) this.#leases.shift();
      this.#usedAtMs.push(nowMs);
      this.#waiting.shift()?.onTurn(lease.untilMs);
    }
    if (this.#waiting.length > 0 && this.#timer === undefined) this.#ask();
  }

  /** No token is taken for somebody whose time is over. */
  #dropLate(nowMs: number): void {
    for (const waiter of [...this.#waiting]) if (waiter.latestAtMs() <= nowMs) this.#tellLate(waiter, nowMs, 1_000);
  }

  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    // Whoever joins at the same moment is asked for as well.
    queueMicrotask(() => {
      const { draw, lease, leaseMs } = this.#options;
      const wanted = this.#waiting.length + this.#spare();
      void lease({ ...draw, wanted, spent: 0 }, leaseMs)
        .then((grant) => this.#take(grant, wanted))
        .catch(() => ASK_AGAIN_MS.most)
        .then((againInMs) => this.#goOn(againInMs));
    });
  }

  #goOn(againInMs: number): void {
    this.#isAsking = false;
    if (againInMs > 0)
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#serve();
      }, againInMs);
    this.#serve();
  }

  /** For calls to come: as many as there were lately, so that few of them need a round trip of their own. */
  #spare(): number {
    const sinceMs = performance.now() - 2 * this.#options.leaseMs;
    this.#usedAtMs = this.#usedAtMs.filter((atMs) => atMs > sinceMs);
    const capacity = Math.min(...this.#options.draw.buckets.map((bucket) => bucket.capacity));
    return this.#isScarce ? 0 : Math.min(this.#usedAtMs.length, Math.floor(capacity / 4));
  }

  /** Answers in how many ms to ask again, should anybody wait. */
  #take({ granted, nextMs, askers, sinceMs }: Leased, wanted: number): number {
    this.#isScarce = granted < wanted;
    if (granted > 0) this.#leases.push({ tokens: granted, untilMs: sinceMs + this.#options.leaseMs });
    if (!this.#isScarce) return 0;
    const nowMs = performance.now();
    if (this.#options.tellsEarly) this.#tellWhoWillBeLate({ nowMs, nextMs, askers, served: granted });
    return Math.min(ASK_AGAIN_MS.most, Math.max(ASK_AGAIN_MS.least, nextMs));
  }

  #tellWhoWillBeLate(at: { nowMs: number; nextMs: number; askers: number; served: number }): void {
    const { nowMs, nextMs, askers, served } = at;
    const perSecond = Math.min(...this.#options.draw.buckets.map((bucket) => bucket.perSecond)) / Math.max(1, askers);
    for (const [key, { atMs }] of this.#expected) if (atMs + LATE_COMER_MS < nowMs) this.#expected.delete(key);
    const orders = [...this.#expected.values()].map(({ order }) => order);
    this.#waiting.slice(served).forEach((waiter, place) => {
      const expected = orders.filter((order) => order <= waiter.order).length;
      const turnInMs = nextMs + ((place + expected) / perSecond) * 1000;
      if (nowMs + turnInMs > waiter.latestAtMs()) this.#tellLate(waiter, nowMs, turnInMs);
    });
  }

  #tellLate(waiter: Waiter, nowMs: number, turnInMs: number): void {
    const at = this.#waiting.indexOf(waiter);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (waiter.key !== undefined) this.#expected.set(waiter.key, { order: waiter.order, atMs: nowMs + turnInMs });
    waiter.onLate(Math.max(1_000, turnInMs - COME_EARLY_MS));
  }
}
