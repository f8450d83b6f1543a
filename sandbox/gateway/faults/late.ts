import type { Clock } from '../time.ts';

/** Effects that happen after their callers stopped waiting. What has not begun when the clock stops never does. */
export class LateEffects {
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #pending = new Set<symbol>();

  /** `changed` is called whenever an effect is done. */
  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Effects that are still to come, or under way. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Resolves with what the effect answered, once it is done. */
  async after<T>(delayMs: number, effect: () => Promise<T>): Promise<T> {
    const own = Symbol();
    this.#pending.add(own);
    await this.#clock.sleep(delayMs);
    try {
      return await effect();
    } finally {
      this.#pending.delete(own);
      this.#changed();
    }
  }

  /** What has not begun never will: to be called once the clock has stopped. */
  drop(): void {
    this.#pending.clear();
  }
}
