import type { Logger } from 'pino';
import { runbookPage } from '../contracts/advice.ts';
import type { Step } from '../contracts/blueprint.ts';
import { StepError } from '../contracts/step-error.ts';
import type { Queryable } from '../db/database.ts';
import { findUntold, recordSlow, type WaitingStep } from '../db/slow-operations.ts';
import { lacksKind, type KindRegistry } from '../kinds/framework/registry.ts';
import { systemCaller } from '../process-caller.ts';

/**
 * The error for steps that this worker cannot make or remove. It says nothing of the operation: another worker may know them,
 * so it is tried again.
 *
 * @param problems as `KindFacts.specProblems` says them
 */
export function workerLacks(operationId: string, problems: readonly string[]): StepError {
  return new StepError('WORKER_LACKS_KIND', `this worker cannot carry out operation ${operationId}`, {
    detail: problems.join('; ').slice(0, 2_000),
  });
}

/** What this worker does not know of steps that are to be made, as sentences. */
export function lackedForMaking(steps: readonly Step[], kinds: KindRegistry): string[] {
  return steps.flatMap((step) => kinds.specProblems(step));
}

/** What this worker does not know of steps that stay or are removed: names decide there, whatever a spec must have today. */
export function lackedForRemoval(steps: readonly Pick<Step, 'id' | 'kind'>[], kinds: KindRegistry): string[] {
  return steps.filter(({ kind }) => !kinds.kinds.has(kind)).map((step) => lacksKind(step, kinds.kinds));
}

/**
 * Raises the alert `operation-slow`, once until the operation moves: it waits for a worker that knows its kinds. For whoever
 * follows the operation there is the event.
 */
export async function alertLacking(
  { database, log }: { readonly database: Queryable; readonly log: Pick<Logger, 'error'> },
  operationId: string,
  error: StepError,
  stepId?: string,
): Promise<void> {
  const slow = await findUntold(database, operationId);
  if (!slow) return;
  const { tenantId, type, state, since } = slow;
  const reason = `${error.code}: ${error.message}${error.detail === undefined ? '' : `: ${error.detail}`}`;
  const waiting: WaitingStep[] = stepId === undefined ? [] : [{ stepId, waitsFor: reason }];
  const runbook = runbookPage('operation-slow');
  log.error(
    { alert: 'operation-slow', operationId, tenantId, type, state, since, reason, code: error.code, runbook },
    'an operation does not get on: this worker does not know its kinds',
  );
  await recordSlow(database, slow, waiting, systemCaller('worker'), reason);
}
