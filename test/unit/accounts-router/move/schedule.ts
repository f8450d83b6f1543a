import { setImmediate } from 'node:timers/promises';
import { vi } from 'vitest';

interface Turn {
  readonly isReady: () => boolean;
  readonly take: () => void;
}

/** The order of everything that happens in a model, by a seed: one turn at a time, and time passes when the schedule says so. */
export class Schedule {
  readonly #random: () => number;
  readonly #turns: Turn[] = [];

  constructor(seed: number) {
    this.#random = mulberry32(seed);
  }

  /** At least 0, less than 1. */
  random(): number {
    return this.#random();
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.#random() * all.length)]!;
  }

  /** Comes when the schedule gives it its turn, not before it is ready. */
  turn(isReady: () => boolean = () => true): Promise<void> {
    return new Promise((take) => void this.#turns.push({ isReady, take }));
  }

  /** Some milliseconds have passed. */
  after(ms: number): Promise<void> {
    const atMs = performance.now() + ms;
    return this.turn(() => performance.now() >= atMs);
  }

  /** Gives turns until what is waited for is done. */
  async run(all: Promise<unknown>, mostTurns: number): Promise<void> {
    const run = { isDone: false };
    const end = () => void (run.isDone = true);
    all.then(end, end);
    await setImmediate();
    for (let n = 0; !run.isDone; n += 1) {
      if (n > mostTurns) throw new Error('the model does not come to an end');
      this.#takeOne();
      await setImmediate();
    }
    await all;
  }

  #takeOne(): void {
    const ready = this.#turns.filter((turn) => turn.isReady());
    if (ready.length === 0 || this.chance(0.15)) {
      this.#passTime(ready.length === 0);
      return;
    }
    const turn = this.pick(ready);
    this.#turns.splice(this.#turns.indexOf(turn), 1);
    turn.take();
  }

  #passTime(isIdle: boolean): void {
    // Mostly as much as calls take; at times as much as a lease.
    const mostMs = this.pick(isIdle ? [300, 1_000, 5_000] : [5, 50, 50, 300, 300, 1_500]);
    vi.advanceTimersByTime(Math.ceil(this.random() * mostMs));
    if (this.chance(0.02)) vi.setSystemTime(Date.now() + (this.random() - 0.5) * 20_000);
  }
}

/** A small generator of numbers that repeat with their seed. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
