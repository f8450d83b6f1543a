import { AccountLookupError } from './errors.ts';
import type { Fence } from './fence.ts';
import { FenceItem, type FenceItemOptions } from './fence-item.ts';
import { now } from './instant.ts';
import { WriteRegistration } from './write-registration.ts';

/** How often a write tries to be registered in time before it gives up. */
const mostEntries = 3;

/** The fence of an account that is being moved, as one router keeps to it. */
export class AccountFence {
  readonly #accountId: string;
  readonly #item: FenceItem;
  #registration: WriteRegistration | undefined;
  #movedTo: string | undefined;

  constructor(options: FenceItemOptions) {
    this.#accountId = options.accountId;
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
    const askedAt = now();
    const fence = await this.#item.read();
    if (fence?.state === 'moved') this.#movedTo = fence.toTable;
    const registration = this.#registration;
    // Otherwise: closed, or another fence than the one it was made in, or the mover took this process for one that has stopped.
    if (registration && fence?.state === 'open' && registration.id in fence.writers) registration.confirm(askedAt);
    else registration?.end();
    return fence;
  }

  /**
   * Says that a write begins, before it does: at once, then. Whoever got a registration has to leave it.
   * @returns undefined when the fence is not open
   * @throws AccountLookupError when it is not answered, or each time too late
   */
  async enter(): Promise<WriteRegistration | undefined> {
    for (let entries = 1; entries <= mostEntries; entries += 1) {
      const registration = this.#freshRegistration();
      registration.enter();
      const isMade = await registration.made.catch((error: unknown) => {
        registration.end();
        registration.leave();
        throw error;
      });
      if (isMade && registration.isFresh) return registration;
      registration.end();
      registration.leave();
      if (!isMade) return undefined;
    }
    throw new AccountLookupError(
      `DynamoDB answered too late that writes of account ${this.#accountId} are registered while it is moved`,
    );
  }

  /** Another one where the last was not seen lately: this process may have stood still since, and the fence be closed. */
  #freshRegistration(): WriteRegistration {
    if (this.#registration?.isFresh === false) this.#registration.end();
    return (this.#registration ??= this.#register());
  }

  #register(): WriteRegistration {
    const registration = new WriteRegistration(this.#item, () => {
      if (this.#registration === registration) this.#registration = undefined;
    });
    return registration;
  }
}
