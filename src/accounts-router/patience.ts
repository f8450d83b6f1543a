import { isNamed } from './error-names.ts';
import { AccountLookupError } from './errors.ts';
import { pause } from './pause.ts';

export const defaultMoveWaitMs = 60_000;
const [shortestMs, longestMs] = [100, 250];
/** Pauses between looks that get no answer double, up to 8 times the first. */
const mostDoublings = 3;

/** How long a call waits for the move of an account, and for answers about it: counted from its first pause on. */
export class Patience {
  readonly #mostMs: number;
  readonly #signal: AbortSignal | undefined;
  #sinceMs: number | undefined;

  constructor(mostMs: number, signal: AbortSignal | undefined) {
    this.#mostMs = mostMs;
    this.#signal = signal;
  }

  /** @throws `overdue` when the time is over; the signal's reason */
  async pause(overdue: Error, factor = 1): Promise<void> {
    this.#sinceMs ??= performance.now();
    const leftMs = this.#sinceMs + this.#mostMs - performance.now();
    if (leftMs <= 0) throw overdue;
    const pauseMs = shortestMs + Math.random() * (longestMs - shortestMs);
    await pause(Math.min(leftMs, pauseMs * factor), this.#signal);
  }

  /**
   * Looks again until there is an answer. What a look is for has happened before the first one, so that a later one tells it as well.
   * @throws what `overdue` makes of the last failure when the time is over; the signal's reason; what else the look throws
   */
  async untilAnswered<T>(look: () => Promise<T>, overdue: (last: AccountLookupError) => Error): Promise<T> {
    for (let failures = 0; ; failures += 1) {
      try {
        return await look();
      } catch (error) {
        if (!isUnanswered(error)) throw error;
        await this.pause(overdue(error), 2 ** Math.min(failures, mostDoublings));
      }
    }
  }
}

/** A denial is an answer: whoever waits gets the same one. */
function isUnanswered(error: unknown): error is AccountLookupError {
  return error instanceof AccountLookupError && !isNamed(error.cause, 'AccessDeniedException');
}
