import { ApiError, UnclearAnswerError } from './api-client.ts';

/** What was asked for may have taken effect, or goes on unwatched: nothing more may be said about it. */
export class UnknownOutcomeError extends Error {
  override readonly name = 'UnknownOutcomeError';
  /** The command that shows it. */
  readonly look: string;
  /** Under which the same command is carried out once, when it is run again. */
  readonly key: string | undefined;
  constructor(message: string, look: string, cause: unknown, key?: string) {
    super(message, { cause });
    this.look = look;
    this.key = key;
  }
}

/**
 * Sends a request that changes something.
 * @param look the command that shows whether it did
 * @param key under which it is sent, when the caller may send it again
 * @throws UnknownOutcomeError when no answer says whether it was carried out
 */
export async function sending<T>(look: string, send: () => Promise<T>, key?: string): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const isUnknown = error instanceof ApiError ? leavesOpen.includes(error.code) : error instanceof UnclearAnswerError;
    if (!isUnknown) throw error;
    throw new UnknownOutcomeError('whether the request was carried out is not known', look, error, key);
  }
}

/** What finds out for certain, whether it was carried out or not. */
export function againText(key: string): string {
  return `run the same command with --idempotency-key '${key.replaceAll("'", String.raw`'\''`)}' within 24 hours: it is carried out once`;
}

/** A defect may show before the request took effect, or after. */
const leavesOpen: readonly string[] = ['OUTCOME_UNKNOWN', 'INTERNAL'];
