import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import type { FailsAs } from '../contracts/blueprint.ts';
import { codesInStepsWords, transientCodes, errorInfo, type ErrorCode, type Failure } from '../contracts/errors.ts';
import { DatabaseUnavailableError } from '../db/database.ts';
import { StepError } from '../contracts/step-error.ts';

/** An error of a verb, judged. */
export interface Judged {
  readonly failure: Failure;
  /** Of the table of errors, before a step's own words take its place. */
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** Nothing of the attempt can take effect any more. */
  readonly definite: boolean;
  readonly cause: unknown;
}

/** Codes after which it is not known what took effect. */
const unclearCodes: readonly ErrorCode[] = [
  'UNCLEAR',
  'AWS_UNAVAILABLE',
  'AWS_ANSWER_UNREADABLE',
  'TENANT_DATABASE_UNAVAILABLE',
  'INTERNAL',
  'DATABASE_UNAVAILABLE',
];

/** What an error of a step's verb means: its code, whether it is tried again, and the words for people. */
export function judge(error: unknown, step: { readonly id: string; readonly failsAs?: FailsAs | undefined }): Judged {
  const code = codeOf(error);
  const own = codesInStepsWords.includes(code) ? step.failsAs : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const seen = error instanceof StepError ? error.detail : undefined;
  return {
    failure: {
      code: own?.type ?? code,
      message: own?.message ?? message,
      stepId: step.id,
      // In a product's own words our code and message are the detail: nothing that was seen gets lost.
      detail: own ? [code, message, seen].filter((text) => text !== undefined).join(': ') : seen,
    },
    code,
    retryable: errorInfo(code)?.retryable === true,
    definite: error instanceof StepError && !unclearCodes.includes(code),
    cause: error,
  };
}

/** Whether a step ends with it: it is not tried again, or this was the last attempt at what does not pass by itself. */
export function endsStep({ code, retryable }: Judged, attempt: number, maximumAttempts: number): boolean {
  return !retryable || (attempt >= maximumAttempts && !transientCodes.includes(code));
}

/**
 * The failure as Temporal carries it: type and message of the failure, details `[{ stepId, code, detail }]`. One that only waits
 * for its turn says when that comes (`retryAfterMs`) and ends the activity: the workflow asks anew then, with all attempts.
 */
export function applicationFailure({ failure, code, retryable, cause }: Judged): ApplicationFailure {
  const retryAfterMs = turnAfterMs(cause);
  return ApplicationFailure.create({
    type: failure.code,
    message: failure.message,
    nonRetryable: !retryable || retryAfterMs !== undefined,
    details: [{ stepId: failure.stepId, code, detail: failure.detail, ...(retryAfterMs && { retryAfterMs }) }],
    ...(plainCause(cause) ?? {}),
  });
}

/** In how many ms its turn comes, of work that only waits for it; undefined for everything else. */
export function turnAfterMs(error: unknown): number | undefined {
  return error instanceof StepError ? error.retryAfterMs : undefined;
}

/** Cancellation, and failures that are Temporal's already, pass as they are. */
export function isTemporalFailure(error: unknown): error is TemporalFailure {
  return error instanceof TemporalFailure;
}

/** The error of an attempt that was cancelled. */
export function cancelled(signal: AbortSignal): CancelledFailure | undefined {
  if (!signal.aborted) return undefined;
  return signal.reason instanceof CancelledFailure ? signal.reason : new CancelledFailure('the activity was cancelled');
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof StepError) return error.code;
  return error instanceof DatabaseUnavailableError ? 'DATABASE_UNAVAILABLE' : 'INTERNAL';
}

/** Name and message only: fields that clients hang on their errors (requests, rows) may hold what must not be stored. */
function plainCause(error: unknown): { cause: Error } | undefined {
  const cause = error instanceof StepError ? error.cause : error;
  if (!(cause instanceof Error)) return undefined;
  const plain = new Error(cause.message);
  plain.name = cause.name;
  plain.stack = `${cause.name}: ${cause.message}`;
  return { cause: plain };
}
