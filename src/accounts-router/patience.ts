import { AccountMovingError } from './errors.ts';
import { pause } from './pause.ts';

const [shortestMs, longestMs] = [100, 250];

/** How long a call waits for the move of an account: counted from its first pause on. */
export class Patience {
  readonly #accountId: string;
  readonly #mostMs: number;
  readonly #signal: AbortSignal | undefined;
  #sinceMs: number | undefined;

  constructor(accountId: string, mostMs: number, signal: AbortSignal | undefined) {
    this.#accountId = accountId;
    this.#mostMs = mostMs;
    this.#signal = signal;
  }

  /** @throws AccountMovingError when the time is over; the signal's reason */
  async pause(): Promise<void> {
    this.#sinceMs ??= performance.now();
    const leftMs = this.#sinceMs + this.#mostMs - performance.now();
    if (leftMs <= 0) throw new AccountMovingError(this.#accountId);
    const pauseMs = shortestMs + Math.random() * (longestMs - shortestMs);
    await pause(Math.min(leftMs, pauseMs), this.#signal);
  }
}
