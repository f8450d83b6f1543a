import { Context } from '@temporalio/activity';
import type { Verb } from '../contracts/kinds.ts';
import type { StepCall } from '../contracts/messages.ts';
import { isOpen } from '../contracts/operation-state.ts';
import { verbOptions } from '../contracts/verbs.ts';
import { findOperation } from '../db/operations.ts';
import { recordRemovalFailure } from '../db/step-removal.ts';
import type { Kind } from '../kinds/framework/kind.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { endsStep, judge } from './failures.ts';
import { retryWhileDatabaseDown, type RetryLimit } from './database-retry.ts';

export interface UnloadedStep {
  readonly deps: Pick<ActivityDependencies, 'database' | 'log'>;
  readonly retryLimit: RetryLimit;
  readonly kind: Kind;
  readonly verb: Verb;
  readonly call: StepCall;
}

/** Notes why a step that is to be taken away could not even be loaded, so that the list of what is left says it. */
export async function recordUnloaded(unloaded: UnloadedStep, error: unknown): Promise<void> {
  const { deps, retryLimit, kind, verb, call } = unloaded;
  const judged = judge(error, { id: call.stepId });
  if (retryLimit.signal.aborted || judged.code === 'DATABASE_UNAVAILABLE') return;
  const { operationId, stepId, generation } = call;
  const final = endsStep(judged, Context.current().info.attempt, verbOptions(kind.limits, verb).maximumAttempts);
  try {
    await retryWhileDatabaseDown(retryLimit, async () => {
      const operation = await findOperation(deps.database, operationId);
      if (!operation || !isOpen(operation.state)) return;
      const { tenantId, cell } = operation;
      const key = { operationId, stepId, generation, tenantId, cell, kind: kind.name };
      await recordRemovalFailure(deps.database, key, judged.failure, final);
    });
  } catch (cause) {
    deps.log.error({ err: cause, operationId, stepId }, 'a failed removal could not be recorded');
  }
}
