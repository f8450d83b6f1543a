import { StepError } from '../contracts/step-error.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import { codeOf, isUnavailable, remedyOf } from './database-errors.ts';

/** What was tried, in words: `make role "x" in database "primary"`. */
type Action = string;

/** SQLSTATEs with a code of their own. Source: PostgreSQL, appendix A. */
const rows: Readonly<Record<string, ErrorCode>> = {
  '42501': 'ACCESS_DENIED',
  '28000': 'ACCESS_DENIED',
  '28P01': 'ACCESS_DENIED',
  '3D000': 'TENANT_DATABASE_UNAVAILABLE',
  '57P04': 'TENANT_DATABASE_UNAVAILABLE',
  '53400': 'QUOTA_EXCEEDED',
  '53100': 'QUOTA_EXCEEDED',
  '54000': 'QUOTA_EXCEEDED', // a limit of PostgreSQL itself: a row of its catalog that is too big, for one
  '53200': 'CONFLICT_RETRYABLE', // its lock table is full: of everybody's locks, so there may be room the next time
  '55P03': 'CONFLICT_RETRYABLE', // lock_timeout: somebody works in the schema
  '2BP01': 'STILL_PRESENT', // something hangs on it
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
  const hint = fieldOf(error, 'hint');
  const code = errorCode(error);
  const remedy = code === 'TENANT_DATABASE_UNAVAILABLE' ? remedyOf(error) : undefined;
  const said = [hint === '' ? message : `${message} (${hint})`, remedy].filter(Boolean).join('; ');
  return new StepError(code, `could not ${action}: ${said}`, {
    detail: detailOf(error),
    cause: error,
  });
}

/** What a guard threw, on its way through code that takes every error for one of PostgreSQL. */
class GuardFailure extends Error {
  constructor(thrown: unknown) {
    super('a guard refused', { cause: thrown });
  }
}

export function passingThrough(guard: () => Promise<void>): () => Promise<void> {
  return () =>
    guard().catch((error: unknown) => {
      throw new GuardFailure(error);
    });
}

export function isGuardFailure(error: unknown): boolean {
  return error instanceof GuardFailure;
}

/** What a guard threw, as it was; any other error as the StepError that it means. */
export function databaseFailure(error: unknown, action: Action): unknown {
  return error instanceof GuardFailure ? error.cause : tenantDatabaseError(error, action);
}

/** SQLSTATE, and what PostgreSQL says beside its message: often only there is what to do. Not values of a row. */
function detailOf(error: unknown): string | undefined {
  const code = codeOf(error);
  const parts = code?.startsWith('23') ? [] : [fieldOf(error, 'detail'), fieldOf(error, 'hint')];
  const words = parts.filter((part) => part !== '').join(' ');
  return words === '' ? code : `${code ?? 'no SQLSTATE'}: ${words.slice(0, 500)}`;
}

/** A field of PostgreSQL's error; empty when it has none. */
export function fieldOf(error: unknown, name: 'detail' | 'hint' | 'where'): string {
  if (!(error instanceof Error) || !(name in error)) return '';
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : '';
}

/** Two sessions changed the same catalog row (privileges of the database that all tenants share): try again at once. */
export function isConcurrentUpdate(error: unknown): boolean {
  return codeOf(error) === 'XX000' && error instanceof Error && error.message.startsWith('tuple concurrently');
}

function errorCode(error: unknown): ErrorCode {
  if (isConcurrentUpdate(error)) return 'CONFLICT_RETRYABLE';
  const known = rows[codeOf(error) ?? ''];
  if (known) return known;
  return isUnavailable(error) ? 'TENANT_DATABASE_UNAVAILABLE' : 'INTERNAL';
}
