import { ApiError, UnclearAnswerError } from './api-client.ts';

/** What was asked for may have taken effect, or goes on unwatched: nothing more may be said about it. */
export class UnknownOutcomeError extends Error {
  override readonly name = 'UnknownOutcomeError';
  /** The command that shows it. */
  readonly look: string;
  constructor(message: string, look: string, cause: unknown) {
    super(message, { cause });
    this.look = look;
  }
}

/**
 * Sends a request that changes something.
 * @param look the command that shows whether it did
 * @throws UnknownOutcomeError when no answer says whether it was carried out
 */
export async function sending<T>(look: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const isUnknown = error instanceof ApiError ? leavesOpen.includes(error.code) : error instanceof UnclearAnswerError;
    if (!isUnknown) throw error;
    throw new UnknownOutcomeError('whether the request was carried out is not known', look, error);
  }
}

/** A defect may show before the request took effect, or after. */
const leavesOpen: readonly string[] = ['OUTCOME_UNKNOWN', 'INTERNAL'];
