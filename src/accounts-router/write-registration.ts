import type { FenceItem } from './fence-item.ts';

/** How long a registration stays when no write is under way: the next one needs none of its own. */
const idleMs = 500;

/** That a router's writes may be under way in the shared table; all its writes of a time share it. Its id is never used again. */
export class WriteRegistration {
  readonly id = crypto.randomUUID();
  /** Whether it was made. @throws AccountLookupError: an answer that was lost makes nothing of this id count */
  readonly made: Promise<boolean>;
  readonly #item: FenceItem;
  readonly #onEnd: () => void;
  #underWay = 0;
  #isEnding = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param onEnd told when no further write may share it */
  constructor(item: FenceItem, onEnd: () => void) {
    this.#item = item;
    this.#onEnd = onEnd;
    this.made = item.register(this.id);
  }

  /** A write begins that shares it. */
  enter(): void {
    this.#underWay += 1;
    clearTimeout(this.#timer);
  }

  /** The write has its answer, and that was checked. */
  leave(): void {
    this.#underWay -= 1;
    if (this.#underWay > 0) return;
    if (this.#isEnding) {
      this.#deregister();
      return;
    }
    this.#timer = setTimeout(() => this.end(), idleMs);
    // A process that ends leaves it behind: the mover waits for it 10 seconds and removes it.
    this.#timer.unref();
  }

  /** No further write shares it; it goes when those under way have left. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#onEnd();
    clearTimeout(this.#timer);
    if (this.#underWay === 0) this.#deregister();
  }

  #deregister(): void {
    const wasRegistered = this.made.catch(() => true);
    // The mover removes one that stays.
    void wasRegistered.then((isMade) => isMade && this.#item.deregister(this.id)).catch(() => undefined);
  }
}
