import { sleep } from '@temporalio/workflow';
import type { PlannedStep } from '../../contracts/blueprint.ts';
import type { ObserveAnswer, StepCall } from '../../contracts/messages.ts';
import { callVerb, deadlineExceeded } from './activities.ts';
import { firstLookMs, isLate, pauseMs, profileOf, type Wanted } from './polling.ts';
import { noteStep, type Run } from './run.ts';

export interface PollWay extends Pick<StepCall, 'goesBack'> {
  /** Called when a slice saw it stand though it is to go; an answer ends the wait. */
  readonly whenStanding?: (() => Promise<ObserveAnswer | undefined>) | undefined;
}

/**
 * Looks until what is wanted has come, by the step's profile; the deadline counts from this call. The activity ends a wait
 * that is past its deadline, with the last thing seen. It gets no schedule-to-close: that would lose this.
 * @throws TemporalFailure of a definite failure or a deadline.
 */
export async function poll(
  run: Run,
  step: PlannedStep,
  want: Wanted,
  { whenStanding, ...way }: PollWay = {},
): Promise<ObserveAnswer> {
  const profile = profileOf(step, want);
  const startedAtMs = Date.now();
  const deadlineAtMs = startedAtMs + profile.deadlineMs;
  await pause(firstLookMs(profile), `${step.id}: first look`);
  for (let lateSlices = 0; ;) {
    const lookedAtMs = Date.now();
    const answer = await look(run, step, want, deadlineAtMs, way);
    if (answer.status === 'done') return answer;
    // The activity should have thrown. Not to be relied upon: its worker's clock may be behind.
    if (lookedAtMs >= deadlineAtMs) throw deadlineExceeded(step, want, answer.detail);
    noteStep(run, step.id, want === 'ready' ? 'polling' : 'removing', answer.detail);
    const end = answer.stands && (await whenStanding?.());
    if (end) return end;
    const slice = { sinceStartMs: Date.now() - startedAtMs, tookMs: Date.now() - lookedAtMs, lateSlices };
    await pause(pauseMs(profile, slice), `${step.id}: next look`);
    if (isLate(profile, slice)) lateSlices += 1;
  }
}

/** One slice: the activity looks about once a second for at most 8 s. */
export function look(
  run: Run,
  step: PlannedStep,
  want: Wanted,
  deadlineAtMs: number,
  way: Pick<StepCall, 'goesBack'> = {},
): Promise<ObserveAnswer> {
  const { operationId, generation } = run.control;
  const call = { operationId, stepId: step.id, generation, want, deadlineAtMs, ...way };
  return callVerb(step, 'observe', call, { summary: `observe, is it ${want}?` });
}

/** A durable timer; none for 0. The summary says how long. */
export async function pause(durationMs: number, what: string): Promise<void> {
  if (durationMs > 0) await sleep(durationMs, { summary: `${what} after ${Math.round(durationMs / 1000)} s` });
}
