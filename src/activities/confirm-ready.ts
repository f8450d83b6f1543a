import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';
import { FINALIZE_STEP } from '../contracts/blueprint.ts';
import type { ConfirmAnswer, ConfirmInput, NotReady } from '../contracts/messages.ts';
import { mayMake } from '../contracts/operation-table.ts';
import type { Observation } from '../kinds/framework/kind.ts';
import { recordReadiness } from '../db/lost-readiness.ts';
import { findOperationContext } from '../db/steps.ts';
import type { BlueprintOf } from './blueprint-cache.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { applicationFailure, judge } from './failures.ts';
import { lackedForMaking, workerLacks } from './lacking-kinds.ts';
import { loadRun, onBehalfOf, retryLimitOf } from './step-run.ts';

/** How long the looks of one call may take, in ms: below the activity's start-to-close. */
const LOOK_WITHIN_MS = 8_000;

/**
 * The look right before the commit: between the moment when a step was seen ready and the one when the last was, somebody may have
 * changed or deleted what it made, and nothing else would see that before the tenant is called active.
 */
export function createConfirmation(
  deps: ActivityDependencies,
  blueprintOf: BlueprintOf,
): (input: ConfirmInput) => Promise<ConfirmAnswer> {
  return async ({ operationId, generation, stepIds }) => {
    const { steps } = await blueprintOf(operationId);
    const operationContext = await findOperationContext(deps.database, operationId);
    // Closed or cancelled meanwhile: the change of state that follows is refused.
    if (!operationContext || !mayMake(operationContext.operationType, operationContext.operationState))
      return { notReady: [] };
    const lacked = lackedForMaking(
      steps.filter(({ id }) => stepIds.includes(id)),
      deps.kinds,
    );
    if (lacked.length > 0) throw applicationFailure(judge(workerLacks(operationId, lacked), { id: FINALIZE_STEP }));
    const operationContextOf = () => Promise.resolve(operationContext);
    const signal = AbortSignal.any([Context.current().cancellationSignal, AbortSignal.timeout(LOOK_WITHIN_MS)]);
    // One listener or more for each look.
    setMaxListeners(0, signal);
    const looks = stepIds.map(async (stepId) => {
      const kind = deps.kinds.kinds.get(steps.find(({ id }) => id === stepId)?.kind ?? '');
      if (!kind) return [];
      const call = { operationId, stepId, generation };
      const retryLimit = { ...retryLimitOf(kind, 'observe'), signal };
      try {
        const look = { deps, blueprintOf, operationContextOf, kind, verb: 'observe', purpose: 'make', call } as const;
        const run = await loadRun(look, retryLimit);
        const seen = await onBehalfOf(run, () => kind.observe(run.context));
        return seen.status === 'ready' ? [] : [notReady(stepId, seen)];
      } catch (error) {
        return [notLookedAt(stepId, error, signal)];
      }
    });
    const lost = (await Promise.all(looks)).flat();
    const why = new Map(lost.map(({ stepId, detail }) => [stepId, detail]));
    const seen = stepIds.map((stepId) => ({ stepId, detail: why.get(stepId) ?? null }));
    await recordReadiness(deps.database, { operationId, tenantId: operationContext.tenantId }, seen);
    return { notReady: lost };
  };
}

function notReady(stepId: string, { status, detail: seen }: Observation): NotReady {
  const detail = `${status}: ${seen}`;
  if (status !== 'failed') return { stepId, detail };
  return {
    stepId,
    detail,
    failure: { code: 'SERVICE_FAILED', message: `step "${stepId}" failed`, stepId, detail: seen },
  };
}

function notLookedAt(stepId: string, error: unknown, signal: AbortSignal): NotReady {
  if (signal.aborted) return { stepId, detail: `no answer within ${LOOK_WITHIN_MS / 1000} s` };
  const { failure, retryable } = judge(error, { id: stepId });
  const detail = `it could not be looked at: ${failure.code}: ${failure.message}`;
  return retryable ? { stepId, detail } : { stepId, detail, failure };
}
