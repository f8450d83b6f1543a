import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TimeoutFailure,
  type TemporalFailure,
} from '@temporalio/workflow';
import type { PlannedStep } from '../../contracts/blueprint.ts';
import { codesInStepsWords, errorInfo, type Failure } from '../../contracts/errors.ts';

/**
 * A Temporal failure as it is stored and shown. Activities throw an ApplicationFailure whose `type` is the code and whose
 * first detail is the last thing seen (a string, or an object with a string `detail`).
 */
export function failureOf(error: TemporalFailure, stepId?: string): Failure {
  const cause = error instanceof ActivityFailure && error.cause ? error.cause : error;
  const what = stepId === undefined ? {} : { stepId };
  if (cause instanceof ApplicationFailure) {
    return { code: cause.type ?? 'INTERNAL', message: cause.message, ...what, detail: detailOf(cause) };
  }
  const detail = cause.message;
  if (cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_CLOSE') {
    return { code: 'DEADLINE_EXCEEDED', message: 'The step took longer than its deadline', ...what, detail };
  }
  const message =
    cause instanceof CancelledFailure
      ? 'The activity was cancelled from outside, so its effect is unclear'
      : 'No answer came from the activity, so its effect is unclear';
  return { code: 'UNCLEAR', message, ...what, detail };
}

/** In how many ms a call's turn comes, of one that only waits for it (account-wide pacing); undefined for everything else. */
export function turnAfterMs(error: TemporalFailure): number | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const first: unknown = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
  const isRecord = typeof first === 'object' && first !== null;
  return isRecord && 'retryAfterMs' in first && typeof first.retryAfterMs === 'number' ? first.retryAfterMs : undefined;
}

/** The failure that a step ends in: its own words, with what really happened as the detail (design rule 15). */
export function inStepsWords(failure: Failure, step: PlannedStep): Failure {
  const { failsAs } = step;
  if (!failsAs || !codesInStepsWords.includes(failure.code)) return failure;
  const seen = failure.detail === undefined ? '' : `: ${failure.detail}`;
  return {
    code: failsAs.type,
    message: failsAs.message,
    stepId: step.id,
    detail: `${failure.code}: ${failure.message}${seen}`,
  };
}

/** Whether asking again may bring a clear answer; a product's own or an unknown type is final. */
export function mayClearUp(failure: Failure): boolean {
  return errorInfo(failure.code)?.retryable ?? false;
}

function detailOf(failure: ApplicationFailure): string | undefined {
  const first: unknown = failure.details?.[0];
  if (typeof first === 'string') return first;
  const isRecord = typeof first === 'object' && first !== null;
  return isRecord && 'detail' in first && typeof first.detail === 'string' ? first.detail : undefined;
}
