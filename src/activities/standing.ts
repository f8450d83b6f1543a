import type { Verb } from '../contracts/kinds.ts';
import type { StepCall } from '../contracts/messages.ts';
import { isOpen } from '../contracts/operation-state.ts';
import { mayMake } from '../contracts/operation-table.ts';
import { findStanding } from '../db/steps.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { patiently, type Patience } from './patience.ts';
import { StepError } from '../contracts/step-error.ts';

export interface Mutation {
  readonly deps: Pick<ActivityDependencies, 'database'>;
  readonly call: StepCall;
  readonly verb: Verb;
  readonly patience: Patience;
}

/**
 * Looks, before each change, whether the attempt may still make it (design rule 7): an attempt that Temporal gave up
 * long ago must not make what is being taken back, nor take away what a later operation made.
 *
 * @throws StepError STEP_REVOKED; UNCLEAR when the attempt's own time is over
 */
export async function checkStanding({ deps, call, verb, patience }: Mutation): Promise<void> {
  refuseOutOfTime(call, patience.untilMs);
  const now = await patiently(patience, () => findStanding(deps.database, call));
  const takenBack = now?.stepState === 'removing' || now?.stepState === 'removed';
  const stands =
    now !== undefined &&
    (verb === 'remove'
      ? isOpen(now.operationState) && now.stepState === 'removing'
      : mayMake(now.operationType, now.operationState) && !takenBack);
  if (!stands) throw revoked(call);
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
