import { RequestError } from '../../client/request-error.ts';

const RETRY_AFTER_S = 5;

/** Counts live streams by caller. */
export interface StreamCounter {
  /**
   * To be called before a stream's first byte.
   * @returns to be called once it has ended, however it did; a second time does nothing
   * @throws RequestError TOO_MANY_STREAMS
   */
  acquire(principal: string): () => void;
}

/** @param most of one caller; undefined: without a bound */
export function streamCounter(most = Infinity): StreamCounter {
  const open = new Map<string, number>();
  return {
    acquire: (principal) => {
      const count = open.get(principal) ?? 0;
      if (count >= most)
        throw new RequestError('TOO_MANY_STREAMS', `${principal} has ${count} live streams open: end one first`, {
          details: { limit: most },
          retryAfterSeconds: RETRY_AFTER_S,
        });
      open.set(principal, count + 1);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        const left = (open.get(principal) ?? 1) - 1;
        if (left > 0) open.set(principal, left);
        else open.delete(principal);
      };
    },
  };
}
