import type { Verb } from '../contracts/kinds.ts';
import type { StepCall } from '../contracts/messages.ts';
import { isOpen } from '../contracts/operation-state.ts';
import { mayMake } from '../contracts/operation-table.ts';
import { findAttemptStates } from '../db/steps.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { retryWhileDatabaseDown, type RetryLimit } from './database-retry.ts';
import { StepError } from '../contracts/step-error.ts';

export interface Mutation {
  readonly deps: Pick<ActivityDependencies, 'database'>;
  readonly call: StepCall;
  readonly verb: Verb;
  readonly retryLimit: RetryLimit;
}

/**
 * Looks, before each change, whether the attempt may still make it (design rule 7): an attempt that Temporal gave up
 * long ago must not make what is being taken back, nor take away what a later operation made.
 *
 * @throws StepError STEP_REVOKED; UNCLEAR when the attempt's own time is over
 */
export async function assertNotRevoked({ deps, call, verb, retryLimit }: Mutation): Promise<void> {
  refuseOutOfTime(call, retryLimit.untilMs);
  const now = await retryWhileDatabaseDown(retryLimit, () => findAttemptStates(deps.database, call));
  const takenBack = now?.stepState === 'removing' || now?.stepState === 'removed';
  const stands =
    now !== undefined &&
    (verb === 'remove'
      ? isOpen(now.operationState) && now.stepState === 'removing'
      : mayMake(now.operationType, now.operationState, call.goesBack) && !takenBack && !isOvertaken(call, now));
  if (!stands) throw revoked(call);
}

/** A later generation is at the step: an operator's `retry`, or an undo that brings it back. */
function isOvertaken({ generation }: StepCall, now: { readonly generation: number | null }): boolean {
  return now.generation !== null && now.generation > generation;
}

/**
 * An attempt whose time is over has a successor: it must neither change anything nor write its own answer over that one's.
 *
 * @throws StepError UNCLEAR
 */
export function refuseOutOfTime({ stepId }: StepCall, untilMs: number): void {
  if (Date.now() <= untilMs) return;
  throw new StepError('UNCLEAR', `an attempt at step "${stepId}" ran out of its time`);
}

export function revoked(call: StepCall): StepError {
  return new StepError('STEP_REVOKED', `step "${call.stepId}" of operation ${call.operationId} is not to go on`);
}
