import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ApiUnreachableError } from './api-client.ts';

/** How long an API that gives no good answer is waited for, in ms. */
const GIVE_UP_AFTER_MS = 60_000;
const PAUSE_MS = 1_000;
/** How long connections may end in order before it is told of, in ms: a restart takes less. */
const RESTART_MS = 5_000;

/** Waits while the API, or what it reads from, is unavailable. */
export interface Outages {
  /** Tells of it once. @throws the error when it is none that passes, or when it has lasted too long */
  readonly met: (error: unknown) => Promise<void>;
  /**
   * The API ended the connection in order, for a restart perhaps: told of only when it goes on like that.
   * @throws ApiUnreachableError when that has lasted too long
   */
  readonly ended: () => Promise<void>;
  /** The API took a connection; it may end it at once. */
  readonly opened: () => void;
  /** The API answers what it is asked. */
  readonly over: () => void;
}

/** @param onNote told once when the API is lost, and once when it answers again */
export function createOutages(onNote?: (text: string) => void, giveUpAfterMs = GIVE_UP_AFTER_MS): Outages {
  let sinceMs: number | undefined;
  let toldOf: 'silence' | 'ends' | undefined;
  const tell = (of: typeof toldOf, error: Error) => {
    if (toldOf === undefined) onNote?.(lossText(error, giveUpAfterMs));
    toldOf ??= of;
  };
  const isBack = () => {
    if (toldOf !== undefined) onNote?.('the API answers again');
    toldOf = undefined;
  };
  return {
    met: async (error) => {
      sinceMs ??= Date.now();
      if (!isOutage(error) || Date.now() - sinceMs > giveUpAfterMs) throw error;
      tell('silence', error);
      await sleep(PAUSE_MS);
    },
    ended: async () => {
      sinceMs ??= Date.now();
      const lastedMs = Date.now() - sinceMs;
      const error = new ApiUnreachableError('it closes each connection without an answer');
      if (lastedMs > giveUpAfterMs) throw error;
      if (lastedMs > RESTART_MS) tell('ends', error);
      await sleep(PAUSE_MS);
    },
    opened: () => {
      if (toldOf === 'silence') isBack();
    },
    over: () => {
      sinceMs = undefined;
      isBack();
    },
  };
}

function lossText({ message }: Error, giveUpAfterMs: number): string {
  return `the API does not answer (${message}): asking again for ${giveUpAfterMs / 1000} s; the operation continues`;
}

/** Reads until it succeeds, or {@link Outages.met} throws. */
export async function readThrough<T>(outages: Outages, read: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const answer = await read();
      outages.over();
      return answer;
    } catch (error) {
      await outages.met(error);
    }
  }
}

/** Whether it may pass by itself. A connection that breaks off in the middle shows as a TypeError of `fetch`. */
export function isOutage(error: unknown): error is Error {
  if (error instanceof ApiError) return error.status > 500 || error.status === 429;
  return error instanceof ApiUnreachableError || error instanceof TypeError;
}
