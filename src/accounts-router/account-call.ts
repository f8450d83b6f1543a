import type { AccountCache } from './account-cache.ts';
import type { AccountFence } from './account-fence.ts';
import type { AccountLocation } from './account-parameters.ts';
import { locationAfterMove, type AccountPlace } from './account-places.ts';
import { AnswerCheck, countsAtOnce, type Target } from './answer-check.ts';
import { isNamed } from './error-names.ts';
import {
  AccountMovingError,
  AccountNotActiveError,
  AccountNotFoundError,
  TableNotFoundError,
  WriteOutcomeUnknownError,
  type OutcomeUnknownReason,
} from './errors.ts';
import { elapsedMs, now } from './instant.ts';
import type { CallKind } from './on-table.ts';
import { Patience } from './patience.ts';
import { unlessAborted } from './pause.ts';
import type { WriteRegistration } from './write-registration.ts';

export interface AccountCallOptions<A> {
  readonly accountId: string;
  readonly kind: CallKind;
  readonly places: AccountCache<AccountPlace>;
  /** How long it waits for a move to go on, and for answers about it; as long again for what tells whether its write counts. */
  readonly moveWaitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly send: (location: AccountLocation) => Promise<A>;
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
    this.#patience = this.#newPatience();
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
      if (countsAtOnce(target)) return answer;
      const isEffect = this.#options.kind === 'write' && answer.error === undefined;
      const counts = isEffect ? await this.#assertKept(target) : await this.#check(target, isEffect).counts();
      return counts ? answer : undefined;
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
      const registration = await this.#untilAnswered(() => this.#enter(fence));
      if (registration) return { place, location, registration };
      await this.#untilNotClosed(place);
    }
  }

  async #lookUp(): Promise<AccountPlace> {
    const { signal } = this.#options;
    // The first lookup ends the call when it gets no answer; once a move is known, it is made again.
    const isMoving = this.#place?.fence !== undefined;
    this.#place = await (isMoving ? this.#untilAnswered(() => unlessAborted(this.#ask(), signal)) : this.#ask());
    return this.#place;
  }

  async #ask(): Promise<AccountPlace> {
    const { places, accountId } = this.#options;
    const found = await places.get(accountId);
    // Its answer took so long that nothing could be done by it in time.
    const isLate = elapsedMs(found.askedAt) > found.lease.trustMs;
    return isLate ? places.since(accountId, now()) : found;
  }

  async #enter(fence: AccountFence): Promise<WriteRegistration | undefined> {
    const entering = fence.enter();
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
      const { fence } = known;
      const seen = await this.#untilAnswered(() => unlessAborted(fence.read(), signal));
      if (seen && seen.state !== 'closed') return;
      const gone = known;
      if (!seen) known = await this.#untilAnswered(() => unlessAborted(places.refresh(accountId, gone), signal));
      if (known.fence) await this.#patience.pause(new AccountMovingError(accountId));
    }
  }

  /** While a move is known and nothing was written. @throws AccountMovingError, with the last failure, when the time is over */
  #untilAnswered<T>(look: () => Promise<T>): Promise<T> {
    return this.#patience.untilAnswered(look, (cause) => new AccountMovingError(this.#options.accountId, { cause }));
  }

  #check(target: Target, isEffect: boolean): AnswerCheck {
    // A write may have waited at the fence for nearly all of the time: whether it counts is asked as patiently.
    const patience = isEffect ? this.#newPatience() : this.#patience;
    return new AnswerCheck({ ...this.#options, target, isEffect, patience });
  }

  #newPatience(): Patience {
    return new Patience(this.#options.moveWaitMs, this.#options.signal);
  }

  /** @throws WriteOutcomeUnknownError unless what was written counts */
  async #assertKept(target: Target): Promise<true> {
    const unknown = (reason: OutcomeUnknownReason, options?: ErrorOptions) =>
      new WriteOutcomeUnknownError(this.#options.accountId, target.location.tableName, reason, options);
    const isKept = await this.#check(target, true)
      .counts()
      .catch((cause: unknown) => {
        if (this.#options.signal?.aborted) throw cause;
        throw unknown(isRemoved(cause) ? 'removed' : 'unchecked', { cause });
      });
    if (!isKept) throw unknown('moved');
    return isKept;
  }

  #refuted(place: AccountPlace, cause: Error): TableNotFoundError {
    const error = new TableNotFoundError(place.fence?.movedTo ?? place.location.tableName, { cause });
    this.#options.places.refute(this.#options.accountId, place, error);
    return error;
  }
}

function isRemoved(cause: unknown): boolean {
  return cause instanceof AccountNotActiveError || cause instanceof AccountNotFoundError;
}
