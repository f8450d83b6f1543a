import { expect, it } from 'vitest';
import { ApiError } from '../../../src/cli/api-client.ts';
import { reportOf } from '../../../src/cli/error-report.ts';
import { exitCodeOf, exitCodesHelp } from '../../../src/cli/exit-codes.ts';
import { errorInfo, errorTable } from '../../../src/contracts/errors.ts';

const exits: Readonly<Record<string, number>> = {
  ...{ INVALID_INPUT: 2, UNKNOWN_PRODUCT: 2, NOT_SUPPORTED: 2, CONFIRMATION_REQUIRED: 2, NOT_FOUND: 2 },
  TENANT_NAME_AMBIGUOUS: 2,
  ...{ METHOD_NOT_ALLOWED: 2, PAYLOAD_TOO_LARGE: 2, HEADERS_TOO_LARGE: 2, UNSUPPORTED_MEDIA_TYPE: 2 },
  ...{ TENANT_NOT_FOUND: 3, OPERATION_NOT_FOUND: 3, CERTIFICATE_NOT_FOUND: 3, FREEZE_NOT_FOUND: 3 },
  ...{ SLUG_TAKEN: 4, OPERATION_IN_PROGRESS: 4, NOTHING_TO_RETRY: 4, RUN_LOST: 4, NOT_STUCK: 4, NOT_CANCELLABLE: 4 },
  ...{
    TENANT_NOT_DELETABLE: 4,
    TENANT_NOT_CHANGEABLE: 4,
    CHANGE_NOT_POSSIBLE: 4,
    CELL_CLOSED: 4,
    CELL_FULL: 4,
    FROZEN: 4,
  },
  ...{ TENANT_NOT_ISOLATABLE: 4, FEATURE_DISABLED: 4 },
  ...{ UNAUTHENTICATED: 4, FORBIDDEN: 4, TENANT_MISMATCH: 4, IDEMPOTENCY_KEY_IN_USE: 4, PRECONDITION_FAILED: 4 },
  ...{ IDEMPOTENCY_KEY_REUSED: 2, RATE_LIMITED: 5, TOO_MANY_STREAMS: 5, ISSUER_UNAVAILABLE: 5 },
  ...{ REQUEST_TIMEOUT: 5, ORCHESTRATOR_UNAVAILABLE: 5, DATABASE_UNAVAILABLE: 5 },
  ...{ WEBHOOK_NOT_FOUND: 3, DELIVERY_NOT_FOUND: 3, WEBHOOK_LIMIT: 4 },
  ...{ OUTCOME_UNKNOWN: 7, INTERNAL: 1 },
};
const answered = Object.keys(errorTable).filter((code) => errorInfo(code)?.httpStatus !== undefined);

it.each(answered)('each code that the API answers with has the exit code of what it means: %s', (code) => {
  expect(exitCodeOf(code)).toBe(exits[code]);
  const error = { code, message: 'said', requestId: 'b7a1f6de-0b5c-4f0e-9a43-0a4a2b1f2c3d' };
  expect(reportOf(new ApiError(errorInfo(code)?.httpStatus ?? 0, error)).exitCode).toBe(exits[code]);
});

it('the help has each code under its exit code', () => {
  const under = (exit: number) => new RegExp(`^  ${exit}  [^]*?(?=^  \\d+  )`, 'm').exec(exitCodesHelp)?.[0];
  for (const code of answered.filter((each) => [2, 3, 4, 5].includes(exits[each] ?? 0)))
    expect(under(exits[code] ?? 0), code).toMatch(new RegExp(`\\b${code}\\b`));
});

it('a code of a later release is a failure, not an outage', () => {
  const error = { code: 'NEW_IN_2030', message: 'said', requestId: 'b7a1f6de-0b5c-4f0e-9a43-0a4a2b1f2c3d' };
  expect(reportOf(new ApiError(503, error)).exitCode).toBe(1);
});
