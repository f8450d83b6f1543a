import type { FenceItem } from './fence-item.ts';
import { elapsedMs, now, type Instant } from './instant.ts';

/** How long a registration stays when no write is under way: the next one needs none of its own. */
const idleMs = 500;
/**
 * How long after the fence was seen to have a registration a write may begin by it. The mover removes one 10 seconds (`brokenAfterMs`) after the
 * fence was closed at the earliest; a process that stood still may find that long past, and no timer of its own had told it.
 */
const freshMs = 1_000;

/** That a router's writes may be under way in the shared table; all its writes of a time share it. Its id is never used again. */
export class WriteRegistration {
  readonly id = crypto.randomUUID();
  /** Whether it was made. @throws AccountLookupError: an answer that was lost makes nothing of this id count */
  readonly made: Promise<boolean>;
  readonly #item: FenceItem;
  readonly #onEnd: () => void;
  #underWay = 0;
  /** It was in the fence then, or later. */
  #seenAt: Instant = now();
  #isEnding = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param onEnd told when no further write may share it */
  constructor(item: FenceItem, onEnd: () => void) {
    this.#item = item;
    this.#onEnd = onEnd;
    this.made = item.register(this.id);
  }

  /** Whether a write may begin by it now, once it was made. */
  get isFresh(): boolean {
    return elapsedMs(this.#seenAt) < freshMs;
  }

  /** The fence, which was asked for then, is open and has it. */
  confirm(askedAt: Instant): void {
    if (elapsedMs(this.#seenAt, askedAt) > 0) this.#seenAt = askedAt;
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
