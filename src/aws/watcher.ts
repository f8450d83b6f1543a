import { inCallContext, currentCallContext } from './call-context.ts';
import { abortReason } from './pacing.ts';

export interface LookOptions<K extends string, V> {
  /** Most keys that one call takes. */
  readonly batchSize: number;
  /** How long looks are collected before the call goes out, in ms. */
  readonly tickMs?: number;
  /** How long an answer may be shared with those who ask later, in ms; 0: only with those who asked before the call. */
  readonly shareMs?: number;
  /** Looks at all keys in one call; a key that the answer leaves out is `undefined`. */
  readonly load: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>;
}

export type Look<K extends string, V> = (key: K) => Promise<V | undefined>;

/**
 * A shared look: whatever many waiters ask for within a tick goes out in as few calls as the API allows, and everybody
 * who asked gets the answer. An answer is never older than the question (but for `shareMs`), so that `ensure` may look
 * through it as well. The call runs in a context of its own: one waiter's cancellation ends its wait, not the others'.
 */
export function sharedLook<K extends string, V>({
  batchSize,
  tickMs = 20,
  shareMs = 0,
  load,
}: LookOptions<K, V>): Look<K, V> {
  const waiting = new Map<K, Promise<V | undefined>>();
  let collecting: { keys: K[]; answer: Promise<ReadonlyMap<K, V>> } | undefined;

  const collect = (key: K): Promise<ReadonlyMap<K, V>> => {
    if (collecting && collecting.keys.length < batchSize) {
      collecting.keys.push(key);
      return collecting.answer;
    }
    const keys = [key];
    const answer = inCallContext(neutralContext(), async () => {
      await new Promise((resolve) => setTimeout(resolve, tickMs));
      // From here on the question is asked: later looks go into another call.
      if (collecting?.keys === keys) collecting = undefined;
      if (shareMs === 0) for (const k of keys) waiting.delete(k);
      return await load(keys);
    });
    collecting = { keys, answer };
    return answer;
  };

  return (key) => {
    const known = waiting.get(key);
    if (known) return abortable(known);
    const asked = collect(key).then((answers) => answers.get(key));
    waiting.set(key, asked);
    const forget = () => {
      if (waiting.get(key) === asked) waiting.delete(key);
    };
    if (shareMs > 0) {
      asked.then(() => setTimeout(forget, shareMs).unref(), forget);
    } else asked.catch(() => undefined);
    return abortable(asked);
  };
}

/** A shared look names whoever asked first. */
const neutralContext = () => ({
  beforeMutation: () => Promise.resolve(),
  signal: new AbortController().signal,
  caller: currentCallContext()?.caller,
});

/** The wait ends with the caller's signal; what it waited for goes on for the others. */
function abortable<T>(wait: Promise<T>): Promise<T> {
  const signal = currentCallContext()?.signal;
  if (!signal) return wait;
  if (signal.aborted) return Promise.reject(abortReason(signal));
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    wait.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
