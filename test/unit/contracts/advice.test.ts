import { describe, expect, it } from 'vitest';
import { adviceOn, adviceOnFailure, adviceWhenOver } from '../../../src/contracts/advice.ts';
import { errorTable, type ErrorInfo } from '../../../src/contracts/errors.ts';

/** Codes that a stored failure can have: of steps, and of lost runs. */
const failureCodes = Object.entries<ErrorInfo>(errorTable).filter(
  ([code, { httpStatus }]) => httpStatus === undefined || code === 'RUN_LOST',
);

describe('the advice on a failure', () => {
  // The same failure is shown while an operation holds, is stuck and is closed: what applies differs, so the status lists it.
  it.each(failureCodes)('%s removes the cause and names no command', (code, { operator }) => {
    for (const text of [operator, adviceWhenOver(code)?.text])
      expect(text).not.toMatch(/\b(retry|cancel|abandon|delete the tenant)\b/i);
  });

  it.each(Object.keys(errorTable))('%s promises no further try once nothing is tried again', (code) => {
    for (const advice of [
      adviceWhenOver(code),
      adviceOnFailure({ code }),
      adviceOnFailure({ code: 'Own', detail: `${code}: x` }),
    ])
      expect(advice?.text).not.toMatch(/tried again|next attempt/i);
  });

  it('says of what is still tried that it is', () => {
    expect(adviceOn('CONFLICT_RETRYABLE')?.text).toContain('tried again by itself');
  });
});
