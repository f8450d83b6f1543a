import type { AccountCache } from './account-cache.ts';
import type { AccountLocation } from './account-parameters.ts';
import type { AccountPlace } from './account-places.ts';
import { AccountLookupError, AccountMovingError } from './errors.ts';
import type { Fence } from './fence.ts';
import { elapsedMs, now, type Instant } from './instant.ts';
import type { Patience } from './patience.ts';
import { unlessAborted } from './pause.ts';
import type { WriteRegistration } from './write-registration.ts';

/** Where a call goes. */
export interface Target {
  readonly place: AccountPlace;
  readonly location: AccountLocation;
  /** Of a write into the shared table, of an account that is being moved. */
  readonly registration?: WriteRegistration;
}

export interface AnswerCheckOptions {
  readonly accountId: string;
  readonly places: AccountCache<AccountPlace>;
  readonly target: Target;
  /** The answer says that rows were changed. */
  readonly isEffect: boolean;
  /** How long looks without an answer are repeated. */
  readonly patience: Patience;
  readonly signal: AbortSignal | undefined;
}

/** Whether what a table answered just now counts without a look. */
export function countsAtOnce({ place, location }: Target): boolean {
  // Nothing is moved out of an account's own table.
  if (location.cloudType === 'private') return true;
  return !place.fence && elapsedMs(place.askedAt) <= place.lease.trustMs;
}

/** Whether what a table answered counts where that is not known {@link countsAtOnce | at once}: whether that table did until the answer was there (docs/adr/0022-moving-an-account.md). */
export class AnswerCheck {
  readonly #options: AnswerCheckOptions;

  constructor(options: AnswerCheckOptions) {
    this.#options = options;
  }

  /**
   * To be called at once when the answer is there.
   * @throws what SSM says else of the account. When neither it nor the fence answers within the patience: AccountLookupError of the last look, or for
   *   a call that changed nothing, while a move is known, AccountMovingError with that as the cause
   */
  async counts(): Promise<boolean> {
    const { place } = this.#options.target;
    const answeredAt = now();
    return this.#look(place.fence ? place : await this.#askSince(answeredAt, (last) => last));
  }

  async #look(found: AccountPlace): Promise<boolean> {
    const { target, isEffect, accountId, patience, signal } = this.#options;
    let place = found;
    for (;;) {
      const { fence, location } = place;
      if (!fence) return location.tableName === target.location.tableName;
      const seen = await patience.untilAnswered(() => unlessAborted(fence.read(), signal), this.#overdue);
      if (seen) return location.tableName === target.location.tableName && isCounted(seen, target, isEffect);
      // The move has ended, or was backed out: what SSM says from now on tells which.
      place = await this.#askSince(now(), this.#overdue);
      const unclear = `SSM says that account ${accountId} is being moved, and it has no fence item`;
      if (place.fence) await patience.pause(this.#overdue(new AccountLookupError(unclear)));
    }
  }

  #askSince(moment: Instant, overdue: (last: AccountLookupError) => Error): Promise<AccountPlace> {
    const { places, accountId, patience, signal } = this.#options;
    return patience.untilAnswered(() => unlessAborted(places.since(accountId, moment), signal), overdue);
  }

  /** While a move is known. */
  readonly #overdue = (cause: AccountLookupError): Error =>
    this.#options.isEffect ? cause : new AccountMovingError(this.#options.accountId, { cause });
}

/** Whether what the shared table answered before the fence was read so counts. */
function isCounted({ state, writers }: Fence, { registration }: Target, isEffect: boolean): boolean {
  if (state === 'moved') return false;
  // Closed: the last comparison of the tables may have begun, unless a writer is registered.
  return state === 'open' || !isEffect || (registration !== undefined && registration.id in writers);
}
