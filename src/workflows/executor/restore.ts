import { TemporalFailure } from '@temporalio/workflow';
import type { PlannedStep } from '../../contracts/blueprint.ts';
import { sideBySide, upwardEdges } from '../../plan/graph.ts';
import { callVerb } from './activities.ts';
import { failureOf } from './failures.ts';
import { poll } from './poll.ts';
import { noteStep, type Run } from './run.ts';

const back = { goesBack: true } as const;

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
  const { operationId, generation } = run.control;
  noteStep(run, step.id, 'restoring');
  try {
    const call = { operationId, stepId: step.id, generation, ...back };
    const answer = await callVerb(step, 'ensure', call, { summary: 'ensure, as it was before' });
    if (answer.status === 'pending') await poll(run, step, 'ready', back);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error; // a defect of ours: fails the task, not the workflow
    const failure = failureOf(error, step.id);
    noteStep(run, step.id, 'restore-failed', `${failure.code}: ${failure.message}`);
    return false;
  }
  run.toRestore.delete(step.id);
  noteStep(run, step.id, 'restored');
  return true;
}
