import { inCallContext, currentCallContext, type CallContext } from './call-context.ts';
import { abortReason, SHORTEST_WAIT_MS, turnTooLate } from './pacing.ts';

export interface LookOptions<K extends string, V> {
  /** Most keys that one call takes. */
  readonly batchSize: number;
  /** How long looks are collected before the call goes out, in ms. */
  readonly tickMs?: number;
  /** How long an answer may be shared with those who ask later, in ms; 0: only with those who asked before the call. */
  readonly shareMs?: number;
  /** Looks at all keys, through the cell's clients; a key that the answer leaves out is `undefined`. */
  readonly load: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>;
}

export type Look<K extends string, V> = (key: K) => Promise<V | undefined>;

/**
 * A shared look: whatever many waiters ask for within a tick goes out in as few calls as the API allows, and everybody
 * who asked gets the answer. Who asks for the same while the call still waits for its turn shares it too. An answer is never
 * older than the question (but for `shareMs`), so that `ensure` may look through it as well. The call runs in a context of its
 * own: one waiter's cancellation ends its wait, not the others'; a call that nobody waits for any more is not made.
 */
export function sharedLook<K extends string, V>({
  batchSize,
  tickMs = 20,
  shareMs = 0,
  load,
}: LookOptions<K, V>): Look<K, V> {
  const waiting = new Map<K, { readonly question: Question; readonly asked: Promise<V | undefined> }>();
  let collecting: { question: Question; keys: K[]; answer: Promise<ReadonlyMap<K, V>> } | undefined;

  const collect = (key: K) => {
    if (collecting && collecting.keys.length < batchSize) {
      collecting.keys.push(key);
      return collecting;
    }
    const keys = [key];
    const question = new Question(() => {
      if (collecting?.keys === keys) collecting = undefined;
      if (shareMs === 0 || !question.isSent)
        for (const k of keys) if (waiting.get(k)?.question === question) waiting.delete(k);
    });
    const answer = inCallContext(question.context(), async () => {
      await new Promise((resolve) => setTimeout(resolve, tickMs));
      if (collecting?.keys === keys) collecting = undefined;
      if (question.signal.aborted) throw abortReason(question.signal);
      try {
        return await load(keys);
      } finally {
        question.close();
      }
    });
    collecting = { question, keys, answer };
    return collecting;
  };

  return (key) => {
    const known = waiting.get(key);
    if (known) return known.question.wait(known.asked);
    const { question, answer } = collect(key);
    const asked = answer.then((answers) => answers.get(key));
    const entry = { question, asked };
    waiting.set(key, entry);
    const forget = () => {
      if (waiting.get(key) === entry) waiting.delete(key);
    };
    if (shareMs > 0) asked.then(() => setTimeout(forget, shareMs).unref(), forget);
    // Everybody who waited may be gone.
    else asked.catch(() => undefined);
    return question.wait(asked);
  };
}

/** How long before the end of its attempt somebody stops waiting for a call that was not sent yet, in ms. */
const TIME_TO_LOOK_MS = 1_000;

/** One call, and those who wait for it. */
class Question {
  isSent = false;
  readonly #waiters = new Set<Pick<CallContext, 'untilMs'>>();
  readonly #controller = new AbortController();
  /** Called when nobody may join any more: the call is being sent, or is not made. */
  readonly #onClosed: () => void;

  constructor(onClosed: () => void) {
    this.#onClosed = onClosed;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A shared look names whoever asked first, and lasts as long as the one who can wait longest. */
  context(): CallContext {
    return {
      beforeMutation: () => Promise.resolve(),
      signal: this.signal,
      caller: currentCallContext()?.caller,
      onTurn: () => this.close(),
      untilMs: () => {
        const ends = [...this.#waiters].map((waiter) => waiter.untilMs?.());
        return ends.reduce((a, b) => (a === undefined || b === undefined ? undefined : Math.max(a, b)), 0);
      },
    };
  }

  close(): void {
    if (this.isSent) return;
    this.isSent = true;
    this.#onClosed();
  }

  /** The wait ends with the caller's signal and time; what it waited for goes on for the others. */
  wait<T>(answer: Promise<T>): Promise<T> {
    const context = currentCallContext();
    const waiter = { untilMs: context?.untilMs };
    this.#waiters.add(waiter);
    return new Promise<T>((resolve, reject) => {
      const onAbort = () => {
        if (context) reject(abortReason(context.signal));
      };
      const endMs = context?.untilMs?.();
      const onLate = () => {
        if (!this.isSent) reject(turnTooLate([], 1_000));
      };
      const late =
        endMs === undefined
          ? undefined
          : setTimeout(onLate, Math.max(SHORTEST_WAIT_MS, endMs - TIME_TO_LOOK_MS - Date.now()));
      const end = () => {
        clearTimeout(late);
        context?.signal.removeEventListener('abort', onAbort);
      };
      context?.signal.addEventListener('abort', onAbort, { once: true });
      if (context?.signal.aborted) onAbort();
      answer
        .then(resolve, reject)
        .finally(end)
        .catch(() => undefined);
    }).finally(() => this.#leave(waiter));
  }

  #leave(waiter: Pick<CallContext, 'untilMs'>): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0 || this.isSent) return;
    this.#controller.abort(new Error('nobody waits for the look any more'));
    this.#onClosed();
  }
}
