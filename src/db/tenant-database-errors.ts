import { StepError } from '../contracts/step-error.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import { codeOf, isUnavailable } from './database-errors.ts';

/** What was tried, in words: `make role "x" in database "primary"`. */
type Action = string;

/** SQLSTATEs with a code of their own. Source: PostgreSQL, appendix A. */
const rows: Readonly<Record<string, ErrorCode>> = {
  '42501': 'ACCESS_DENIED',
  '28000': 'ACCESS_DENIED',
  '28P01': 'ACCESS_DENIED',
  '53400': 'QUOTA_EXCEEDED',
  '53100': 'QUOTA_EXCEEDED',
  '55P03': 'CONFLICT_RETRYABLE', // lock_timeout: somebody works in the schema
  '2BP01': 'STILL_PRESENT', // the role owns something in another database
  '55006': 'CONFLICT_RETRYABLE', // the role still has a session
  '40P01': 'CONFLICT_RETRYABLE',
  '42710': 'CONFLICT_RETRYABLE', // made by another attempt between our look and our CREATE
  '42P06': 'CONFLICT_RETRYABLE',
  '23505': 'CONFLICT_RETRYABLE',
};

/** An error of a tenants' database as the StepError that it means. */
export function tenantDatabaseError(error: unknown, action: Action): StepError {
  if (error instanceof StepError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new StepError(errorCode(error), `could not ${action}: ${message}`, { detail: detailOf(error), cause: error });
}

/** SQLSTATE; for a role that something depends on, what that is too: names only, and without them nobody finds it. */
function detailOf(error: unknown): string | undefined {
  const code = codeOf(error);
  const names = error instanceof Error && 'detail' in error && typeof error.detail === 'string' ? error.detail : '';
  return code === '2BP01' && names !== '' ? `${code}: ${names.slice(0, 500)}` : code;
}

/** Two sessions changed the same catalogue row (privileges of the database that all tenants share): try again at once. */
export function isConcurrentUpdate(error: unknown): boolean {
  return codeOf(error) === 'XX000' && error instanceof Error && error.message.startsWith('tuple concurrently');
}

function errorCode(error: unknown): ErrorCode {
  if (isConcurrentUpdate(error)) return 'CONFLICT_RETRYABLE';
  const known = rows[codeOf(error) ?? ''];
  if (known) return known;
  return isUnavailable(error) ? 'TENANT_DATABASE_UNAVAILABLE' : 'INTERNAL';
}
