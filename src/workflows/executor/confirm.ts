import { condition, patched } from '@temporalio/workflow';
import type { ConfirmAnswer } from '../../contracts/messages.ts';
import { record } from './activities.ts';
import { inStepsWords } from './failures.ts';
import { isCancelled, noteStep, stepsToMake, type Run } from './run.ts';

/** How long what was ready may take to be so again, or to be looked at at all, in ms. */
const CONFIRM_WITHIN_MS = 5 * 60_000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Looks at every step once more, and answers whether all are ready still. A task that restarts comes back within minutes; what
 * does not, or has failed for good, fails the operation, which is held then: a `retry` makes what is missing.
 */
export async function confirmReady(run: Run): Promise<boolean> {
  if (isCancelled(run)) return false;
  if (stepsToMake(run).length === 0) return true;
  if (!patched('looks-again-before-commit')) return true;
  const { operationId, generation } = run.control;
  const untilMs = Date.now() + CONFIRM_WITHIN_MS;
  for (let stepIds = [...run.ready.keys()], round = 0; ; round += 1) {
    const { notReady } = await record('confirmReady', { operationId, generation, stepIds }, 'operation: one more look');
    for (const stepId of stepIds) if (notReady.every((lost) => lost.stepId !== stepId)) noteStep(run, stepId, 'ready');
    if (notReady.length === 0) return !isCancelled(run);
    for (const { stepId, detail } of notReady) noteStep(run, stepId, 'polling', detail);
    if (isCancelled(run)) return false;
    if (Date.now() >= untilMs || notReady.some(({ failure }) => failure)) return lose(run, notReady);
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** round, LONGEST_PAUSE_MS, Math.max(untilMs - Date.now(), 1_000));
    const summary = `operation: another look after ${Math.round(pauseMs / 1000)} s`;
    await condition(() => isCancelled(run), pauseMs, { summary });
    stepIds = notReady.map(({ stepId }) => stepId);
  }
}

function lose(run: Run, notReady: ConfirmAnswer['notReady']): false {
  const definiteFirst = [...notReady].sort((a, b) => Number(b.failure !== undefined) - Number(a.failure !== undefined));
  for (const { stepId, detail, failure: definite } of definiteFirst) {
    const step = run.steps.get(stepId);
    const message = `step "${stepId}" was ready and is not any more`;
    const failure = definite ?? { code: 'READINESS_LOST', message, stepId, detail };
    run.failure ??= step ? inStepsWords(failure, step) : failure;
    run.ready.delete(stepId);
    noteStep(run, stepId, 'failed', `${failure.code}: ${detail}`);
  }
  return false;
}
