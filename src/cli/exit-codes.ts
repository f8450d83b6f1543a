import type { ErrorCode } from '../contracts/errors.ts';
import { wrapped } from './text.ts';

/** What the commands exit with; the table is printed by `tenantry tenants --help`. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unavailable: 5,
  holding: 6,
  unknown: 7,
  /** As shells have it: 128 + SIGINT. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit code of each error code that the API answers with. */
const ofCode: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  INVALID_INPUT: exitCodes.usage,
  UNAUTHENTICATED: exitCodes.conflict,
  FORBIDDEN: exitCodes.conflict,
  TENANT_MISMATCH: exitCodes.conflict,
  RATE_LIMITED: exitCodes.unavailable,
  TOO_MANY_STREAMS: exitCodes.unavailable,
  IDEMPOTENCY_KEY_REUSED: exitCodes.usage,
  IDEMPOTENCY_KEY_IN_USE: exitCodes.conflict,
  PRECONDITION_FAILED: exitCodes.conflict,
  UNKNOWN_PRODUCT: exitCodes.usage,
  NOT_SUPPORTED: exitCodes.usage,
  CONFIRMATION_REQUIRED: exitCodes.usage,
  // The address is wrong, or the API is of another release: it says nothing of a tenant.
  NOT_FOUND: exitCodes.usage,
  METHOD_NOT_ALLOWED: exitCodes.usage,
  TENANT_NAME_AMBIGUOUS: exitCodes.usage,
  TENANT_NOT_FOUND: exitCodes.notFound,
  OPERATION_NOT_FOUND: exitCodes.notFound,
  CERTIFICATE_NOT_FOUND: exitCodes.notFound,
  SLUG_TAKEN: exitCodes.conflict,
  OPERATION_IN_PROGRESS: exitCodes.conflict,
  NOTHING_TO_RETRY: exitCodes.conflict,
  RUN_LOST: exitCodes.conflict,
  NOT_STUCK: exitCodes.conflict,
  NOT_CANCELLABLE: exitCodes.conflict,
  TENANT_NOT_DELETABLE: exitCodes.conflict,
  TENANT_NOT_CHANGEABLE: exitCodes.conflict,
  TENANT_NOT_ISOLATABLE: exitCodes.conflict,
  CHANGE_NOT_POSSIBLE: exitCodes.conflict,
  FROZEN: exitCodes.conflict,
  FEATURE_DISABLED: exitCodes.conflict,
  FREEZE_NOT_FOUND: exitCodes.notFound,
  WEBHOOK_NOT_FOUND: exitCodes.notFound,
  DELIVERY_NOT_FOUND: exitCodes.notFound,
  WEBHOOK_LIMIT: exitCodes.conflict,
  // Waiting does not help: somebody has to add a load balancer, or a tenant has to go.
  CELL_CLOSED: exitCodes.conflict,
  CELL_FULL: exitCodes.conflict,
  PAYLOAD_TOO_LARGE: exitCodes.usage,
  HEADERS_TOO_LARGE: exitCodes.usage,
  REQUEST_TIMEOUT: exitCodes.unavailable,
  UNSUPPORTED_MEDIA_TYPE: exitCodes.usage,
  ORCHESTRATOR_UNAVAILABLE: exitCodes.unavailable,
  OUTCOME_UNKNOWN: exitCodes.unknown,
  ISSUER_UNAVAILABLE: exitCodes.unavailable,
  DATABASE_UNAVAILABLE: exitCodes.unavailable,
  INTERNAL: exitCodes.failed,
};

/** The codes of the API that end with this exit code, in lines of the help. */
function codesLines(exitCode: ExitCode): string {
  const codes = Object.entries(ofCode).flatMap(([code, exit]) => (exit === exitCode ? [code] : []));
  return wrapped(codes.join(', '), HELP_WIDTH, '     ', '     ').join('\n');
}

const HELP_WIDTH = 118;

export const exitCodesHelp = `
Exit codes, with the error codes that end so:
  0  done
  1  the outcome is a failure: rolled back, stuck, or (except for cancel) cancelled
  2  wrong usage or bad input
${codesLines(exitCodes.usage)}
  3  there is no such thing
${codesLines(exitCodes.notFound)}
  4  refused as things are now
${codesLines(exitCodes.conflict)}
  5  the API, Temporal or PostgreSQL cannot be reached
${codesLines(exitCodes.unavailable)}
  6  it is on hold and waits for an operator (only with --until-hold)
  7  unknown: it may have taken effect, or it continues unwatched; look before you send it again
  130  Ctrl-C: an operation that was accepted continues

With --json a failure is one line of JSON on stderr: { "error": { code, message, details?, requestId? } }`;

/** The exit code for a request that was refused with this code; undefined when the table has no such code. */
export function exitCodeOf(code: string): ExitCode | undefined {
  return Object.entries(ofCode).find(([name]) => name === code)?.[1];
}
