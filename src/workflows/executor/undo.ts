import { patched, TemporalFailure } from '@temporalio/workflow';
import type { PlannedStep } from '../../contracts/blueprint.ts';
import type { ObserveAnswer, RemoveAnswer } from '../../contracts/messages.ts';
import { callVerb, deadlineExceeded } from './activities.ts';
import { failureOf } from './failures.ts';
import { downwardEdges, sideBySide } from '../../plan/graph.ts';
import { look, pause, poll } from './poll.ts';
import { profileOf } from './polling.ts';
import { noteRemovalFailure, noteStep, type Run } from './run.ts';

/** How often a thing that comes back after its removal is removed again. */
const MAX_RETURNS = 3;
const RECHECK_AT_LEAST_MS = 1_000;

/** Of the steps that are marked, removes those whose effect is in the way of what an undo brings back. */
export function removeUndoneFirst(run: Run): Promise<boolean> {
  return removeWhere(run, ({ last, undoFirst }) => undoFirst === true || last === true);
}

/** Of the steps that are marked, removes the one that was made last: others wait while it is there. */
export function removeLast(run: Run): Promise<boolean> {
  return removeWhere(run, ({ last }) => last === true);
}

async function removeWhere(run: Run, isMeant: (step: PlannedStep) => boolean): Promise<boolean> {
  const meant = [...run.steps.values()].filter((step) => run.toRemove.has(step.id) && isMeant(step));
  return meant.length === 0 || removeMarked(run, new Set(meant.map(({ id }) => id)));
}

/**
 * Removes every step that is marked for it, as far as it goes, and answers whether all are gone. To be called when nothing forward
 * is in flight. A failed removal blocks only what the failed step needs; everything else is removed.
 */
export function removeMarked(run: Run, marked: ReadonlySet<string> = run.toRemove): Promise<boolean> {
  return sideBySide(downwardEdges(run.plan.steps, marked), async (id) => {
    const step = run.steps.get(id);
    return step !== undefined && stepGone(run, step);
  });
}

async function stepGone(run: Run, step: PlannedStep): Promise<boolean> {
  noteStep(run, step.id, 'removing');
  try {
    await removeUntilGone(run, step);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error; // a defect of ours: fails the task, not the workflow
    const failure = failureOf(error, step.id);
    if (run.failure === undefined) noteRemovalFailure(run, failure);
    noteStep(run, step.id, 'remove-failed', `${failure.code}: ${failure.message}`);
    return false;
  }
  run.toRemove.delete(step.id);
  run.ready.delete(step.id);
  noteStep(run, step.id, 'removed');
  return true;
}

/**
 * Removes, waits for absence, and looks once more where an effect may still land. The step counts as gone only after that
 * look, so what it needs waits for it (at most the lateness window, and only after an unclear answer). That is the safe
 * order: a late service would find its target group removed, or keep it from being removed. All other branches go on.
 */
async function removeUntilGone(run: Run, step: PlannedStep): Promise<void> {
  let recheckAtMs = await removeOnce(run, step);
  for (let returns = 0; recheckAtMs !== undefined;) {
    const waitMs = Math.max(RECHECK_AT_LEAST_MS, recheckAtMs - Date.now());
    await pause(waitMs, `${step.id}: an effect may still land, looking once more`);
    const seen = await look(run, step, 'gone', Date.now() + profileOf(step, 'gone').deadlineMs);
    if (seen.status === 'done') {
      // Absent; a time to look at again means only that the database's clock is behind ours.
      recheckAtMs = seen.recheckAtMs;
      continue;
    }
    returns += 1;
    if (returns > MAX_RETURNS) throw deadlineExceeded(step, 'gone', 'it came back after every removal');
    recheckAtMs = await removeOnce(run, step);
  }
}

/** Answers when to look once more, if ever (epoch ms). */
async function removeOnce(run: Run, step: PlannedStep): Promise<number | undefined> {
  const answer = await callRemove(run, step);
  if (answer.status === 'removed') return answer.recheckAtMs;
  return (
    (await poll(run, step, 'gone', { whenStanding: () => removeAgain(run, step) })).recheckAtMs ?? answer.recheckAtMs
  );
}

/** What stands after its removal was made by an effect that came late: no wait ends that. */
async function removeAgain(run: Run, step: PlannedStep): Promise<ObserveAnswer | undefined> {
  if (!patched('removes-again-what-stands')) return undefined;
  const { status, recheckAtMs } = await callRemove(run, step);
  return status === 'removed' ? { status: 'done', recheckAtMs } : undefined;
}

function callRemove({ control: { operationId, generation } }: Run, step: PlannedStep): Promise<RemoveAnswer> {
  return callVerb(step, 'remove', { operationId, stepId: step.id, generation });
}
