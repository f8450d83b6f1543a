import { describe, expect, it } from 'vitest';
import { errorTable, type ErrorInfo } from '../../../src/contracts/errors.ts';

/** Codes that a stored failure can have: of steps, and of lost runs. */
const failureCodes = Object.entries<ErrorInfo>(errorTable).filter(
  ([code, { httpStatus }]) => httpStatus === undefined || code === 'RUN_LOST',
);

describe('the advice on a failure', () => {
  // The same failure is shown while an operation holds, is stuck and is closed: what applies differs, so the status lists it.
  it.each(failureCodes)('%s removes the cause and names no command', (_code, { operator }) => {
    expect(operator).not.toMatch(/\b(retry|cancel|abandon|delete the tenant)\b/i);
  });
});
