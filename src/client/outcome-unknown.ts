import { CommitUnclearError } from '../db/database.ts';
import { RequestError } from './request-error.ts';

/** What a request was to do, and the operation that shows whether it did. */
export interface Attempted {
  /** As in "whether ... is not known". */
  readonly what: string;
  readonly tenantId: string;
  readonly operationId: string;
  /** What shows whether it did; default: the operation. */
  readonly shownBy?: 'status' | undefined;
}

/** The answer of a request that may have taken effect, or may yet: says what to ask. */
export function outcomeUnknown({ what, tenantId, operationId, shownBy }: Attempted, cause: unknown): RequestError {
  const ask = `/api/v1/tenants/${tenantId}/${shownBy ?? `operations/${operationId}`}`;
  return new RequestError('OUTCOME_UNKNOWN', `whether ${what} is not known: ask GET ${ask} before you try again`, {
    details: { tenantId, operationId, ask },
    cause,
  });
}

/** Runs a transaction of a request. @throws RequestError OUTCOME_UNKNOWN when it is not known whether it was committed */
export async function orUnknown<T>(attempted: Attempted, transaction: () => Promise<T>): Promise<T> {
  try {
    return await transaction();
  } catch (error) {
    throw error instanceof CommitUnclearError ? outcomeUnknown(attempted, error) : error;
  }
}
