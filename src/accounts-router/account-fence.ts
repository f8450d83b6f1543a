import type { Fence } from './fence.ts';
import { FenceItem, type FenceItemOptions } from './fence-item.ts';
import { WriteRegistration } from './write-registration.ts';

/** The fence of an account that is being moved, as one router keeps to it. */
export class AccountFence {
  readonly #item: FenceItem;
  #registration: WriteRegistration | undefined;
  #movedTo: string | undefined;

  constructor(options: FenceItemOptions) {
    this.#item = new FenceItem(options);
  }

  /** The table that counts since the switch, once that was seen. It stays so. */
  get movedTo(): string | undefined {
    return this.#movedTo;
  }

  /**
   * The item as it is now or later; undefined when it is not there.
   * @throws AccountLookupError, AccountParametersError
   */
  async read(): Promise<Fence | undefined> {
    const fence = await this.#item.read();
    if (fence?.state === 'moved') this.#movedTo = fence.toTable;
    const registration = this.#registration;
    // Closed, or another fence than the one it was made in, or the mover took this process for one that has stopped.
    if (registration && (fence?.state !== 'open' || !(registration.id in fence.writers))) registration.end();
    return fence;
  }

  /**
   * Says that a write begins, before it does. Whoever got a registration has to leave it.
   * @returns undefined when the fence is not open
   * @throws AccountLookupError
   */
  async enter(): Promise<WriteRegistration | undefined> {
    const registration = (this.#registration ??= this.#register());
    registration.enter();
    const isMade = await registration.made.catch((error: unknown) => {
      registration.end();
      registration.leave();
      throw error;
    });
    if (isMade) return registration;
    registration.end();
    registration.leave();
    return undefined;
  }

  #register(): WriteRegistration {
    const registration = new WriteRegistration(this.#item, () => {
      if (this.#registration === registration) this.#registration = undefined;
    });
    return registration;
  }
}
