import { CommitUnclearError } from '../db/database.ts';
import type { OrchestratorUnreachableError } from './orchestrator.ts';
import { RequestError } from './request-error.ts';

/** What a request was to do, and the operation that shows whether it did. */
export interface Attempted {
  /** As in "whether ... is not known". */
  readonly what: string;
  readonly tenantId: string;
  readonly operationId: string;
  /** What shows whether it did; default: the operation. */
  readonly shownBy?: 'status' | 'tenant' | undefined;
}

/** The answer of a request that may have taken effect, or may yet: says what to ask, and until when it may. */
export function outcomeUnknown(
  { what, tenantId, operationId, shownBy }: Attempted,
  cause: CommitUnclearError | OrchestratorUnreachableError,
): RequestError {
  const tenant = `/api/v1/tenants/${tenantId}`;
  const ask = shownBy === 'tenant' ? tenant : `${tenant}/${shownBy ?? `operations/${operationId}`}`;
  const mayLandUntil = cause.mayLandUntil?.toISOString();
  const until = mayLandUntil === undefined ? '' : `; it may still take effect until ${mayLandUntil}`;
  const message = `whether ${what} is not known: ask GET ${ask} before you try again${until}`;
  const details = { tenantId, operationId, ask, ...(mayLandUntil !== undefined && { mayLandUntil }) };
  return new RequestError('OUTCOME_UNKNOWN', message, { details, cause });
}

/** Runs a transaction of a request. @throws RequestError OUTCOME_UNKNOWN when it is not known whether it was committed */
export async function orUnknown<T>(attempted: Attempted, transaction: () => Promise<T>): Promise<T> {
  try {
    return await transaction();
  } catch (error) {
    throw error instanceof CommitUnclearError ? outcomeUnknown(attempted, error) : error;
  }
}
