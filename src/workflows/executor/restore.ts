import { TemporalFailure } from '@temporalio/workflow';
import type { PlannedStep } from '../../contracts/blueprint.ts';
import { sideBySide, upwardEdges } from '../../plan/graph.ts';
import { callVerb } from './activities.ts';
import { failureOf } from './failures.ts';
import { pause, poll } from './poll.ts';
import { noteStep, type Run } from './run.ts';

const back = { goesBack: true } as const;
const RECHECK_AT_LEAST_MS = 1_000;

/**
 * Brings every step that was to be changed back to what the applied blueprint says, and waits until it is ready; answers whether
 * all are. To be called when nothing forward is in flight, and before anything is removed: what was changed may use what was made.
 */
export function restoreChanged(run: Run): Promise<boolean> {
  const steps = (run.plan.restore ?? []).filter(({ id }) => run.toRestore.has(id));
  const byId = new Map(steps.map((step) => [step.id, step]));
  return sideBySide(upwardEdges(steps), async (id) => {
    const step = byId.get(id);
    return step !== undefined && stepRestored(run, step);
  });
}

async function stepRestored(run: Run, step: PlannedStep): Promise<boolean> {
  noteStep(run, step.id, 'restoring');
  try {
    await restoreForSure(run, step);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error; // a defect of ours: fails the task, not the workflow
    const failure = failureOf(error, step.id);
    run.restoreFailures.set(step.id, failure);
    noteStep(run, step.id, 'restore-failed', `${failure.code}: ${failure.message}`);
    return false;
  }
  run.toRestore.delete(step.id);
  run.restoreFailures.delete(step.id);
  noteStep(run, step.id, 'restored');
  return true;
}

/** A change whose answer was lost may take effect after the step was brought back: then it is brought back once more. */
async function restoreForSure(run: Run, step: PlannedStep): Promise<void> {
  for (let recheckAtMs = await restoreOnce(run, step); recheckAtMs !== undefined;) {
    const why = 'an effect may still land, bringing it back once more';
    noteStep(run, step.id, 'restoring', why);
    await pause(Math.max(RECHECK_AT_LEAST_MS, recheckAtMs - Date.now()), `${step.id}: ${why}`);
    recheckAtMs = await restoreOnce(run, step);
  }
}

/** Answers when to do it once more, if ever (epoch ms). */
async function restoreOnce(run: Run, step: PlannedStep): Promise<number | undefined> {
  const { operationId, generation } = run.control;
  const call = { operationId, stepId: step.id, generation, ...back };
  const answer = await callVerb(step, 'ensure', call, { summary: 'ensure, as it was before' });
  if (answer.status !== 'pending') return answer.recheckAtMs;
  return (await poll(run, step, 'ready', back)).recheckAtMs;
}
