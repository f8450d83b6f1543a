import type { AccountCache } from './account-cache.ts';
import type { AccountLocation } from './account-parameters.ts';
import { locationAfterMove, type AccountPlace } from './account-places.ts';
import { isNamed } from './error-names.ts';
import { AccountMovingError, TableNotFoundError, WriteOutcomeUnknownError } from './errors.ts';
import type { Fence } from './fence.ts';
import { elapsedMs, now, type Instant } from './instant.ts';
import type { CallKind } from './on-table.ts';
import { Patience } from './patience.ts';
import { unlessAborted } from './pause.ts';
import type { WriteRegistration } from './write-registration.ts';

export interface AccountCallOptions<A> {
  readonly accountId: string;
  readonly kind: CallKind;
  readonly places: AccountCache<AccountPlace>;
  /** How long it waits for a move to go on. */
  readonly moveWaitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly send: (location: AccountLocation) => Promise<A>;
}

/** Where the call goes. */
interface Target {
  readonly place: AccountPlace;
  readonly location: AccountLocation;
  /** Of a write into the shared table, of an account that is being moved. */
  readonly registration?: WriteRegistration;
}

/** What DynamoDB said: the answer, or an error that is one, because it tells something of the rows and that nothing was done. */
type Answer<A> = { readonly value: A; readonly error?: never } | { readonly error: Error };

const answers = ['ConditionalCheckFailedException', 'TransactionCanceledException', 'ValidationException'];
const mostRuns = 5;

/**
 * One call on an account's rows, in the table that counts. The caller gets an answer only if that table counted until the answer was there
 * (docs/adr/0022-moving-an-account.md). What has done nothing in a table that does not count is done again in the one that does.
 */
export class AccountCall<A> {
  readonly #options: AccountCallOptions<A>;
  readonly #patience: Patience;
  #place: AccountPlace | undefined;

  constructor(options: AccountCallOptions<A>) {
    this.#options = options;
    this.#patience = new Patience(options.accountId, options.moveWaitMs, options.signal);
  }

  /** @throws WriteOutcomeUnknownError, AccountMovingError, TableNotFoundError; what the lookup and the call throw */
  async run(): Promise<A> {
    let isTableMissing = false;
    for (let runs = 1; ; runs += 1) {
      try {
        const answer = await this.#attempt();
        if (answer?.error) throw answer.error;
        if (answer) return answer.value;
      } catch (cause) {
        if (!this.#place || !isNamed(cause, 'ResourceNotFoundException')) throw cause;
        if (isTableMissing) throw this.#refuted(this.#place, cause);
        isTableMissing = true;
        await this.#options.places.refresh(this.#options.accountId, this.#place);
        this.#place = undefined;
      }
      if (runs === mostRuns) throw new AccountMovingError(this.#options.accountId);
    }
  }

  /** @returns undefined when nothing was done, or read in a table that does not count */
  async #attempt(): Promise<Answer<A> | undefined> {
    const target = await this.#findTarget();
    try {
      const answer = await this.#send(target.location);
      const isEffect = this.#options.kind === 'write' && answer.error === undefined;
      if (await this.#counted(target, now(), isEffect)) return answer;
      if (isEffect) throw this.#unknown(target);
      return undefined;
    } finally {
      target.registration?.leave();
    }
  }

  async #send(location: AccountLocation): Promise<Answer<A>> {
    try {
      return { value: await this.#options.send(location) };
    } catch (error) {
      if (isNamed(error, ...answers)) return { error };
      throw error;
    }
  }

  async #findTarget(): Promise<Target> {
    for (;;) {
      // What the call has seen to be moved stays so, however soon the answer of SSM is too old.
      const place = this.#place?.fence?.movedTo === undefined ? await this.#lookUp() : this.#place;
      const { location, fence } = place;
      if (!fence) return { place, location };
      if (fence.movedTo !== undefined) return { place, location: locationAfterMove(location, fence.movedTo) };
      if (this.#options.kind === 'read') return { place, location };
      const registration = await this.#enter(fence.enter());
      if (registration) return { place, location, registration };
      await this.#untilNotClosed(place);
    }
  }

  async #lookUp(): Promise<AccountPlace> {
    const { places, accountId } = this.#options;
    const found = await places.get(accountId);
    // Its answer took so long that nothing could be done by it in time.
    const isLate = elapsedMs(found.askedAt) > found.lease.trustMs;
    this.#place = isLate ? await places.since(accountId, now()) : found;
    return this.#place;
  }

  async #enter(entering: Promise<WriteRegistration | undefined>): Promise<WriteRegistration | undefined> {
    try {
      return await unlessAborted(entering, this.#options.signal);
    } catch (error) {
      entering.then((registration) => registration?.leave()).catch(() => undefined);
      throw error;
    }
  }

  async #untilNotClosed(place: AccountPlace): Promise<void> {
    const { places, accountId, signal } = this.#options;
    let known = place;
    while (known.fence) {
      const fence = await unlessAborted(known.fence.read(), signal);
      if (fence && fence.state !== 'closed') return;
      if (!fence) known = await places.refresh(accountId, known);
      if (known.fence) await this.#patience.pause();
    }
  }

  /** Whether the target counted until that moment, when its answer was there. */
  async #counted(target: Target, answeredAt: Instant, isEffect: boolean): Promise<boolean> {
    const { place } = target;
    const isFenced = place.fence !== undefined && place.location === target.location;
    if (!isFenced && elapsedMs(place.askedAt, answeredAt) <= place.lease.trustMs) return true;
    try {
      return await this.#lookAgain(target, isFenced ? place : undefined, answeredAt, isEffect);
    } catch (cause) {
      if (!isEffect || this.#options.signal?.aborted) throw cause;
      throw this.#unknown(target, { cause });
    }
  }

  /** @throws AccountMovingError when it cannot be found out */
  async #lookAgain(
    target: Target,
    known: AccountPlace | undefined,
    answeredAt: Instant,
    isEffect: boolean,
  ): Promise<boolean> {
    const { places, accountId, signal } = this.#options;
    let place = known ?? (await places.since(accountId, answeredAt));
    for (;;) {
      if (!place.fence) return place.location.tableName === target.location.tableName;
      const fence = await unlessAborted(place.fence.read(), signal);
      if (fence) return counts(fence, place.location, target, isEffect);
      // The move has ended, or was backed out: what SSM says from now on tells which.
      place = await places.since(accountId, now());
      if (place.fence) await this.#patience.pause();
    }
  }

  #unknown({ location }: Target, options?: ErrorOptions): WriteOutcomeUnknownError {
    return new WriteOutcomeUnknownError(this.#options.accountId, location.tableName, options);
  }

  #refuted(place: AccountPlace, cause: Error): TableNotFoundError {
    const error = new TableNotFoundError(place.fence?.movedTo ?? place.location.tableName, { cause });
    this.#options.places.refute(this.#options.accountId, place, error);
    return error;
  }
}

/** Whether what the target answered before the fence was read so counts. */
function counts(fence: Fence, shared: AccountLocation, { location, registration }: Target, isEffect: boolean): boolean {
  if (fence.state === 'moved') return fence.toTable === location.tableName;
  if (location.tableName !== shared.tableName) return false;
  // Closed: the last comparison of the tables may have begun, unless a writer is registered.
  return fence.state === 'open' || !isEffect || (registration !== undefined && registration.id in fence.writers);
}
