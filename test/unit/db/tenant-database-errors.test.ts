import { describe, expect, it } from 'vitest';
import { errorInfo } from '../../../src/contracts/errors.ts';
import { tenantDatabaseError } from '../../../src/db/tenant-database-errors.ts';

const failure = (code: string) => Object.assign(new Error('as PostgreSQL says it'), { code });

describe("an error of a tenants' database", () => {
  it.each([
    { what: 'a full lock table', state: '53200', code: 'CONFLICT_RETRYABLE', retryable: true },
    {
      what: 'a limit of the program, such as a row that is too big',
      state: '54000',
      code: 'QUOTA_EXCEEDED',
      retryable: false,
    },
    { what: 'a transaction that took too long', state: '25P04', code: 'TENANT_DATABASE_UNAVAILABLE', retryable: true },
    {
      what: 'a session that was silent in its transaction',
      state: '25P03',
      code: 'TENANT_DATABASE_UNAVAILABLE',
      retryable: true,
    },
    { what: 'something that hangs on what is dropped', state: '2BP01', code: 'STILL_PRESENT', retryable: false },
  ])('$state, $what, is $code', ({ state, code, retryable }) => {
    expect(tenantDatabaseError(failure(state), 'do it')).toMatchObject({ code, detail: state });
    expect(errorInfo(code)?.retryable).toBe(retryable);
  });
});
