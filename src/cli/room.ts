import { ApiError } from './api-errors.ts';

/** Longer ones are for whoever waits to decide about, in seconds. */
const LONGEST_WAIT_S = 5;
/** No further wait is begun after this, in ms. */
const WAIT_WITHIN_MS = 30_000;

/** Sends a request, and again when the API says that it has no room yet and when it will: nothing was done then. */
export async function onceThereIsRoom<T>(send: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + WAIT_WITHIN_MS;
  for (;;) {
    try {
      return await send();
    } catch (error) {
      const seconds = waitOf(error);
      if (seconds === undefined || seconds > LONGEST_WAIT_S || performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    }
  }
}

function waitOf(error: unknown): number | undefined {
  return error instanceof ApiError && error.code === 'RATE_LIMITED' ? error.retryAfterSeconds : undefined;
}
