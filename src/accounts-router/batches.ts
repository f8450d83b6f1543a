import { setTimeout as sleep } from 'node:timers/promises';
import { BatchUnprocessedError } from './errors.ts';

/** How what DynamoDB leaves of a batch is sent again. */
export interface BatchRetry {
  /** How often a batch is sent at most. */
  readonly attempts: number;
  /** The longest pause before the second attempt; it doubles with each, and a random part of it is waited. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

export const defaultBatchRetry: BatchRetry = { attempts: 8, baseDelayMs: 50, maxDelayMs: 2_000 };

export interface BatchAnswer<Left, Item, Answer> {
  readonly left: readonly Left[];
  readonly items: readonly Item[];
  readonly answer: Answer;
}

/**
 * Sends a batch until nothing of it is left.
 * @throws BatchUnprocessedError when something is left in the end, or a later attempt failed; what the first attempt throws, as it is
 */
export async function sendWholeBatch<Left, Item, Answer>(
  all: readonly Left[],
  retry: BatchRetry,
  send: (part: readonly Left[]) => Promise<BatchAnswer<Left, Item, Answer>>,
  signal: AbortSignal | undefined,
): Promise<{ items: Item[]; answers: Answer[] }> {
  const [items, answers]: [Item[], Answer[]] = [[], []];
  let left = all;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const sent = await send(left);
      items.push(...sent.items);
      answers.push(sent.answer);
      left = sent.left;
    } catch (cause) {
      if (attempt === 1) throw cause;
      throw new BatchUnprocessedError(left, items, { cause });
    }
    if (left.length === 0) return { items, answers };
    if (attempt >= retry.attempts) throw new BatchUnprocessedError(left, items, {});
    await pause(retry, attempt, signal).catch((cause: unknown) => {
      throw new BatchUnprocessedError(left, items, { cause });
    });
  }
}

function pause(
  { baseDelayMs, maxDelayMs }: BatchRetry,
  attempt: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const longestMs = Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
  return sleep(Math.random() * longestMs, undefined, signal ? { signal } : {});
}
